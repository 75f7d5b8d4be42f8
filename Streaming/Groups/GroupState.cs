using Dataflow.Streaming.Groups;

namespace Dataflow.Streaming;

/// <summary>What a function keeps of one group from batch to batch. Only good within the call that it is given to.</summary>
/// <remarks>What <see cref="Get"/> gives is a copy: a change of it counts once it is given to <see cref="Update"/>. A value becomes bytes when it is given, as all that travels
/// between processes does, and is read when it is first asked for.</remarks>
/// <typeparam name="TState">What is kept: a record, a class, a collection or a plain value.</typeparam>
public sealed class GroupState<TState>
{
    private readonly GroupEntries _entries;
    private readonly GroupCell<TState> _cell;
    private readonly GroupTimeout _timeout;

    internal GroupState(GroupEntries entries, GroupCell<TState> cell, GroupTimeout timeout) => (_entries, _cell, _timeout) = (entries, cell, timeout);

    /// <summary>Whether something is kept.</summary>
    public bool Exists => _cell.Find(_entries, []) is { Value: not null };

    /// <summary>What is kept; the default of the type if nothing is.</summary>
    public TState? Value => _cell.Find(_entries, []) is { Value: { } bytes } ? _cell.Decode(bytes, _entries) : default;

    /// <summary>Whether the function is called as the group's time is over: then there are no rows.</summary>
    public bool HasTimedOut { get; internal set; }

    /// <summary>When the batch was planned. The same when it runs again.</summary>
    public DateTimeOffset CurrentProcessingTime => GroupClock.At(_entries.Clock.Now);

    /// <summary>What ended before it is final; null while no row had a time, and without <c>WithWatermark</c>.</summary>
    public DateTimeOffset? CurrentWatermark => _entries.Clock.HasWatermark ? GroupClock.At(_entries.Clock.Watermark) : null;

    /// <summary>What is kept.</summary>
    /// <exception cref="InvalidOperationException">Nothing is.</exception>
    public TState Get() => _cell.Find(_entries, []) is { Value: { } bytes }
        ? _cell.Decode(bytes, _entries)
        : throw new InvalidOperationException("Nothing is kept of this group yet. Ask Exists before Get, or take Value, which is the default of the type then.");

    /// <summary>Keeps a value in the place of the one before.</summary>
    /// <param name="value">The value; not null.</param>
    /// <exception cref="ArgumentNullException">It is null: use <see cref="Remove"/>.</exception>
    public void Update(TState value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var entry = _cell.FindOrAdd(_entries, []);
        entry.Value = _cell.Encode(value);
        _entries.Changed(entry);
    }

    /// <summary>Keeps nothing any more, and forgets the group's timeout.</summary>
    public void Remove()
    {
        if (_cell.Find(_entries, []) is { } entry) _entries.Remove(entry);
    }

    /// <summary>Has the function called, without rows, if none come for a while. Counts for one time: each call of the function begins without a timeout.</summary>
    /// <remarks>It is called in the first batch that is planned so much later, if that has no rows of the group; if nothing else comes, a batch is planned for it.</remarks>
    /// <param name="duration">Zero or more.</param>
    /// <exception cref="InvalidOperationException">The options do not say <see cref="GroupTimeout.ProcessingTime"/>.</exception>
    public void SetTimeoutDuration(TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(duration, TimeSpan.Zero);
        if (_timeout != GroupTimeout.ProcessingTime)
            throw new InvalidOperationException($"SetTimeoutDuration goes by the clock, and the options have Timeout = {_timeout}. Give Timeout = GroupTimeout.ProcessingTime{(_timeout == GroupTimeout.EventTime ? ", or use SetTimeoutTimestamp" : "")}.");
        Set(_entries.Clock.Now + GroupClock.MicrosecondsOf(duration), GroupDue.Clock);
    }

    /// <summary>Has the function called, without rows, when the watermark has come to a time and no rows have come until then. Counts for one time: each call of the function begins without a timeout.</summary>
    /// <param name="time">If the watermark is there already, the function is called in this batch, after all groups that have rows; or, where it is called without rows now, in the next.</param>
    /// <exception cref="InvalidOperationException">The options do not say <see cref="GroupTimeout.EventTime"/>.</exception>
    public void SetTimeoutTimestamp(DateTimeOffset time)
    {
        if (_timeout != GroupTimeout.EventTime)
            throw new InvalidOperationException($"SetTimeoutTimestamp goes by the watermark, and the options have Timeout = {_timeout}. Give Timeout = GroupTimeout.EventTime{(_timeout == GroupTimeout.ProcessingTime ? ", or use SetTimeoutDuration" : "")}.");
        Set(GroupClock.MicrosecondsOf(time), GroupDue.Watermark);
    }

    private void Set(long time, GroupDue due)
    {
        var entry = _cell.FindOrAdd(_entries, []);
        (entry.Time, entry.Due) = (time, due);
        _entries.Changed(entry);
    }
}

/// <summary>When a function is called for a group that no rows come for.</summary>
public enum GroupTimeout
{
    /// <summary>Never.</summary>
    None,

    /// <summary>A while after, by the clock: <see cref="GroupState{TState}.SetTimeoutDuration"/>.</summary>
    ProcessingTime,

    /// <summary>When the watermark comes to a time: <see cref="GroupState{TState}.SetTimeoutTimestamp"/>. The frame needs <c>WithWatermark</c>, and rows that come too late are left out.</summary>
    EventTime,
}

/// <summary>How functions of groups are called.</summary>
public sealed record GroupStateOptions
{
    /// <summary>When a function is called for a group that no rows come for.</summary>
    public GroupTimeout Timeout { get; init; }
}
