namespace Dataflow.Streaming;

/// <summary>What one batch did.</summary>
/// <param name="BatchId">Its number, from 0.</param>
/// <param name="Timestamp">When it was planned: what <c>current_timestamp()</c> gives in it.</param>
/// <param name="InputRows">Rows that the sources gave. Rows that a lost task had read before count again.</param>
/// <param name="Duration">How long it took.</param>
public sealed record StreamingProgress(long BatchId, DateTimeOffset Timestamp, long InputRows, TimeSpan Duration)
{
    /// <summary>What ended before it is final, in this batch; null while no row had a time, and without <c>WithWatermark</c>.</summary>
    public DateTimeOffset? Watermark { get; init; }

    /// <summary>Groups that came too late and were left out.</summary>
    public long LateRows { get; init; }

    /// <summary>Groups in state after the batch.</summary>
    public long StateRows { get; init; }

    /// <summary>Planning and writing down what the batch reads.</summary>
    public TimeSpan PlanningDuration { get; init; }

    /// <summary>Computing the rows and handing them to the sink.</summary>
    public TimeSpan RunningDuration { get; init; }

    /// <summary>Writing down that it is done.</summary>
    public TimeSpan CommitDuration { get; init; }
}
