using System.Globalization;

namespace Dataflow;

/// <summary>What each task of a stage takes of its executor while it runs: cpus, which are slots, and named resources such as <c>gpu</c>.</summary>
/// <remarks>Immutable; two profiles that ask for the same are equal.</remarks>
public sealed class ResourceProfile : IEquatable<ResourceProfile>
{
    private readonly SortedDictionary<string, double> _named;

    /// <summary>Asks for cpus only.</summary>
    /// <param name="cpus">Slots that one task takes; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="cpus"/> is not positive.</exception>
    public ResourceProfile(int cpus = 1) : this(cpus, new(StringComparer.Ordinal)) => ArgumentOutOfRangeException.ThrowIfNegativeOrZero(cpus);

    private ResourceProfile(int cpus, SortedDictionary<string, double> named)
    {
        Cpus = cpus;
        _named = named;
    }

    /// <summary>One cpu and nothing else: what a task takes when nobody asks for more.</summary>
    public static ResourceProfile Default { get; } = new();

    /// <summary>Slots that one task takes.</summary>
    public int Cpus { get; }

    /// <summary>How much of each named resource one task takes.</summary>
    public IReadOnlyDictionary<string, double> Named => _named;

    /// <summary>Asks for a named resource too.</summary>
    /// <param name="name">As executors offer it; in local mode by <see cref="DataflowOptions.Resources"/>.</param>
    /// <param name="amount">A whole number of addresses, or less than 1 to share one with other tasks: with 0.25, four tasks get the same one.</param>
    /// <returns>A profile that asks for what this one does and for this.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="amount"/> is not positive, or is more than 1 and not whole.</exception>
    public ResourceProfile With(string name, double amount)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (!(amount > 0) || amount > int.MaxValue || (amount > 1 && amount != Math.Floor(amount)))
        {
            throw new ArgumentOutOfRangeException(
                nameof(amount), amount, $"A task takes a part of one '{name}' (more than 0, less than 1) or a whole number of them.");
        }
        return new ResourceProfile(Cpus, new(_named, StringComparer.Ordinal) { [name] = amount });
    }

    /// <inheritdoc/>
    public bool Equals(ResourceProfile? other) => other is not null && Cpus == other.Cpus && _named.SequenceEqual(other._named);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ResourceProfile);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Cpus);
        foreach (var (name, amount) in _named)
        {
            hash.Add(name);
            hash.Add(amount);
        }
        return hash.ToHashCode();
    }

    /// <summary>As errors say it: <c>2 cpus and 1 gpu</c>.</summary>
    public override string ToString()
    {
        var parts = _named.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Value} {pair.Key}"));
        return string.Join(" and ", parts.Prepend(Cpus == 1 ? "1 cpu" : $"{Cpus} cpus"));
    }
}
