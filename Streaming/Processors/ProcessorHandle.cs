using Dataflow.Streaming.Groups;
using Dataflow.Streaming.Stored;

namespace Dataflow.Streaming;

/// <summary>What a <see cref="StatefulProcessor{TKey, TRow, TOut}"/> keeps of each group, by name.</summary>
public sealed class ProcessorHandle
{
    internal const string Timers = "$timer";

    private readonly List<(string Kind, string Name, string Shape)> _kept = [];
    private readonly GroupNames? _names;
    private readonly GroupEntries? _entries;

    internal ProcessorHandle(GroupNames? names, GroupEntries? entries) => (_names, _entries) = (names, entries);

    internal IReadOnlyList<(string Kind, string Name, string Shape)> Kept => _kept;

    /// <summary>Keeps one value.</summary>
    /// <typeparam name="T">A record, a class, a collection or a plain value.</typeparam>
    /// <param name="name">Its name: letters, digits, dashes, underscores. It finds the value after a restart.</param>
    /// <param name="timeToLive">How long a value counts after it was set, by the times of batches; null for ever.</param>
    /// <exception cref="ArgumentException">The name is taken, or is no name.</exception>
    public ValueState<T> ValueState<T>(string name, TimeSpan? timeToLive = null) => new(_entries, Cell<T>("value", name, StoredCodec<T>.Default.Shape.ToString()), LifeOf(timeToLive));

    /// <summary>Keeps a list of values. Each is a row of the state: one that is added costs no look at the others.</summary>
    /// <typeparam name="T">As for <see cref="ValueState{T}"/>.</typeparam>
    /// <param name="name">Its name.</param>
    /// <param name="timeToLive">How long each value counts after it was added.</param>
    /// <exception cref="ArgumentException">The name is taken, or is no name.</exception>
    public ListState<T> ListState<T>(string name, TimeSpan? timeToLive = null) => new(_entries, Cell<T>("list", name, StoredCodec<T>.Default.Shape.ToString()), LifeOf(timeToLive));

    /// <summary>Keeps values by key. Each is a row of the state.</summary>
    /// <typeparam name="TMapKey">Keys: plain values, tuples or records, which are equal where their bytes are.</typeparam>
    /// <typeparam name="TValue">As for <see cref="ValueState{T}"/>.</typeparam>
    /// <param name="name">Its name.</param>
    /// <param name="timeToLive">How long each value counts after it was set.</param>
    /// <exception cref="ArgumentException">The name is taken, or is no name.</exception>
    public MapState<TMapKey, TValue> MapState<TMapKey, TValue>(string name, TimeSpan? timeToLive = null) where TMapKey : notnull =>
        new(_entries, Cell<TValue>("map", name, $"{StoredCodec<TMapKey>.Default.Shape} => {StoredCodec<TValue>.Default.Shape}"), LifeOf(timeToLive));

    private GroupCell<T> Cell<T>(string kind, string name, string shape)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')) throw new ArgumentException($"'{name}' is no name for state: use letters, digits, dashes and underscores.", nameof(name));
        if (_kept.Exists(each => each.Name == name)) throw new ArgumentException($"There is state named '{name}' already. Give each a name of its own.", nameof(name));
        _kept.Add((kind, name, shape));
        if (_names is null) return new GroupCell<T>(-1);
        var slot = _names.Find(System.Text.Encoding.UTF8.GetBytes(name));
        return slot >= 0 ? new GroupCell<T>(slot) : throw new InvalidOperationException($"Init names state '{name}' in a task, which it did not in the driver. Let it name the same each time.");
    }

    private static long? LifeOf(TimeSpan? timeToLive)
    {
        if (timeToLive is { } life) ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(life, TimeSpan.Zero, nameof(timeToLive));
        return timeToLive is { } span ? GroupClock.MicrosecondsOf(span) : null;
    }
}
