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

    /// <summary>Rows or groups that came too late and were left out, of all that has state.</summary>
    public long LateRows { get; init; }

    /// <summary>Rows or groups in state after the batch, of all that has state.</summary>
    public long StateRows { get; init; }

    /// <summary>What each part of the query did that has state, from the sources on.</summary>
    public IReadOnlyList<StateOperatorProgress> StateOperators { get; init; } = [];

    /// <summary>Planning and writing down what the batch reads.</summary>
    public TimeSpan PlanningDuration { get; init; }

    /// <summary>Computing the rows and handing them to the sink.</summary>
    public TimeSpan RunningDuration { get; init; }

    /// <summary>Writing down that it is done.</summary>
    public TimeSpan CommitDuration { get; init; }
}

/// <summary>What one batch did to the state of one part of a query.</summary>
/// <param name="Name">What it computes.</param>
/// <param name="Rows">Rows or groups in state after the batch.</param>
/// <param name="Updated">Those that the batch added or changed. What a lost task had counted counts again, also below.</param>
/// <param name="Removed">Those that it forgot: by the watermark, or by what they were merged into.</param>
/// <param name="LateRows">Rows or groups that came too late and were left out.</param>
public sealed record StateOperatorProgress(string Name, long Rows, long Updated, long Removed, long LateRows);
