using System.Buffers.Binary;
using Dataflow.Streaming.Groups;

namespace Dataflow.Streaming;

/// <summary>The times of a batch, and the timers of one group.</summary>
public sealed class GroupTimers
{
    private readonly GroupEntries _entries;
    private readonly int _slot;
    private readonly GroupTimeout _mode;

    internal GroupTimers(GroupEntries entries, int slot, GroupTimeout mode) => (_entries, _slot, _mode) = (entries, slot, mode);

    /// <summary>When the batch was planned. The same when it runs again.</summary>
    public DateTimeOffset CurrentProcessingTime => GroupClock.At(_entries.Clock.Now);

    /// <summary>What ended before it is final; null while no row had a time, and without <c>WithWatermark</c>.</summary>
    public DateTimeOffset? CurrentWatermark => _entries.Clock.HasWatermark ? GroupClock.At(_entries.Clock.Watermark) : null;

    /// <summary>Has the group called when the clock, or the watermark, has come to a time. A time that is over already: in this batch while rows are seen to, in the next from another timer.</summary>
    /// <param name="time">The time; one of a time is enough.</param>
    /// <exception cref="InvalidOperationException">The options do not say what timers go by.</exception>
    public void Register(DateTimeOffset time)
    {
        if (_mode == GroupTimeout.None) throw new InvalidOperationException("Timers go by the clock or by the watermark: say which with Timers = GroupTimeout.ProcessingTime or EventTime in the options.");
        var at = GroupClock.MicrosecondsOf(time);
        var part = PartOf(at);
        if (_entries.Find(_slot, part) is not null) return;
        var entry = _entries.Add(_slot, part);
        (entry.Time, entry.Due) = (at, _mode == GroupTimeout.EventTime ? GroupDue.Watermark : GroupDue.Clock);
    }

    /// <summary>Forgets a timer, if there is one.</summary>
    /// <param name="time">Its time.</param>
    public void Delete(DateTimeOffset time)
    {
        if (_entries.Find(_slot, PartOf(GroupClock.MicrosecondsOf(time))) is { } entry) _entries.Remove(entry);
    }

    /// <summary>The times of the group's timers, the earliest first.</summary>
    public IReadOnlyList<DateTimeOffset> List() => [.. _entries.All.Where(entry => entry.Slot == _slot).Select(entry => entry.Time).Order().Select(GroupClock.At)];

    private static byte[] PartOf(long time)
    {
        var part = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(part, time);
        return part;
    }
}
