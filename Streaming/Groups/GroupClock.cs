namespace Dataflow.Streaming.Groups;

/// <summary>The times of a batch, in microseconds since 1970.</summary>
/// <param name="Now">When it was planned.</param>
/// <param name="Watermark">What ended before is final; <see cref="long.MinValue"/> if nothing is.</param>
internal sealed record GroupClock(long Now, long Watermark)
{
    public bool HasWatermark => Watermark > long.MinValue;

    public static DateTimeOffset At(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    public static long MicrosecondsOf(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>What is not a whole microsecond counts as one: nothing is due too early.</summary>
    public static long MicrosecondsOf(DateTimeOffset time)
    {
        var ticks = time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks;
        return (ticks / TimeSpan.TicksPerMicrosecond) + (ticks % TimeSpan.TicksPerMicrosecond > 0 ? 1 : 0);
    }
}

/// <summary>What an entry's time is for. Stored.</summary>
internal enum GroupDue
{
    /// <summary>It has none.</summary>
    None = 0,

    /// <summary>The function is called when the clock comes to it.</summary>
    Clock = 1,

    /// <summary>The function is called when the watermark comes to it.</summary>
    Watermark = 2,

    /// <summary>The entry counts until the clock comes to it.</summary>
    Expiry = 3,
}
