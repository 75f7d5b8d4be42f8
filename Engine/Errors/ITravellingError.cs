using System.Collections.Concurrent;

namespace Dataflow.Errors;

/// <summary>An exception of a library that arrives on the driver as what it was on an executor in another process, with all it knows.</summary>
/// <remarks>The driver makes objects only of kinds that its own program registered (<see cref="TravellingErrors"/>); others arrive as a
/// <see cref="RemoteTaskException"/>.</remarks>
public interface ITravellingError
{
    /// <summary>What it is made of again, as texts; bounded by whoever makes it: texts of more than 64K characters are cut.</summary>
    IReadOnlyList<string?> Parts { get; }
}

/// <summary>The kinds of <see cref="ITravellingError"/> that this process makes again.</summary>
public static class TravellingErrors
{
    private static readonly ConcurrentDictionary<string, Func<IReadOnlyList<string?>, Exception?>> Makers = new();

    /// <summary>Registers a kind: before jobs that may throw it are run.</summary>
    /// <typeparam name="TError">The kind.</typeparam>
    /// <param name="make">Makes one of its parts; null if they are not such parts: they came over a wire.</param>
    public static void Register<TError>(Func<IReadOnlyList<string?>, TError?> make) where TError : Exception, ITravellingError
    {
        ArgumentNullException.ThrowIfNull(make);
        Makers[Serialization.TypeNames.Of(typeof(TError))] = make;
    }

    /// <summary>The exception that parts of a kind make, or what arrived if this process does not know the kind.</summary>
    internal static Exception Make(RemoteTaskException arrived, IReadOnlyList<string?> parts) =>
        Makers.TryGetValue(arrived.RemoteType, out var make) ? make(parts) ?? arrived : arrived;
}
