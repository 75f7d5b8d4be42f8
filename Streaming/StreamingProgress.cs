using System.Globalization;

namespace Dataflow.Streaming;

/// <summary>What one batch did.</summary>
/// <param name="BatchId">Its number, from 0.</param>
/// <param name="Timestamp">When it was planned: what <c>current_timestamp()</c> gives in it.</param>
/// <param name="InputRows">Rows that the sources gave. Rows that a lost task had read before count again.</param>
/// <param name="Duration">How long it took.</param>
public sealed record StreamingProgress(long BatchId, DateTimeOffset Timestamp, long InputRows, TimeSpan Duration)
{
    /// <summary>Rows that the sources gave, by the time that the batch took.</summary>
    public double RowsPerSecond => Duration > TimeSpan.Zero ? InputRows / Duration.TotalSeconds : 0;

    /// <summary>What it read of each source.</summary>
    public IReadOnlyList<SourceProgress> Sources { get; init; } = [];

    /// <summary>Where its rows went.</summary>
    public string Sink { get; init; } = "";

    /// <summary>The latest time that any row had so far; null while none had one, and without <c>WithWatermark</c>.</summary>
    public DateTimeOffset? LatestTime { get; init; }

    /// <summary>The watermark at which the earliest of what waits is final, and is given; null if nothing waits for the watermark.</summary>
    public DateTimeOffset? NextFinal { get; init; }

    /// <summary>What ended before it is final, in this batch; null while no row had a time, and without <c>WithWatermark</c>.</summary>
    public DateTimeOffset? Watermark { get; init; }

    /// <summary>Rows or groups that came too late and were left out, of all that has state.</summary>
    public long LateRows { get; init; }

    /// <summary>Rows or groups in state after the batch, of all that has state. Of aggregates a group that was put away, as memory was short, and came again counts again.</summary>
    public long StateRows { get; init; }

    /// <summary>What each part of the query did that has state, from the sources on.</summary>
    public IReadOnlyList<StateOperatorProgress> StateOperators { get; init; } = [];

    /// <summary>Planning and writing down what the batch reads.</summary>
    public TimeSpan PlanningDuration { get; init; }

    /// <summary>Computing the rows and handing them to the sink.</summary>
    public TimeSpan RunningDuration { get; init; }

    /// <summary>Writing down that it is done.</summary>
    public TimeSpan CommitDuration { get; init; }

    /// <summary>For logs: <c>batch 3 of 2026-01-05 12:00:00Z: 200 rows in 12.5 ms, 40 in state, 2 too late, watermark 2026-01-05 11:58:00Z</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"batch {BatchId} of {Timestamp:u}: {InputRows} rows in {Duration.TotalMilliseconds:0.0} ms, {StateRows} in state, {LateRows} too late{(Watermark is { } watermark ? $", watermark {watermark:u}" : "")}");
}

/// <summary>What one batch did to the state of one part of a query.</summary>
/// <param name="Name">What it computes.</param>
/// <param name="Rows">Rows or groups in state after the batch.</param>
/// <param name="Updated">Those that the batch added or changed. What a lost task had counted counts again, also below.</param>
/// <param name="Removed">Those that it forgot: by the watermark, or by what they were merged into.</param>
/// <param name="LateRows">Rows or groups that came too late and were left out.</param>
public sealed record StateOperatorProgress(string Name, long Rows, long Updated, long Removed, long LateRows)
{
    /// <summary><see cref="LateRows"/> by input: of a join those of the left side and those of the right, else one number.</summary>
    public IReadOnlyList<long> LateRowsByInput { get; init; } = [LateRows];
}

/// <summary>What one batch read of one source.</summary>
/// <param name="Name">The source.</param>
/// <param name="Start">The offset from which on; null for the beginning.</param>
/// <param name="End">The offset up to which; null if it has had nothing yet.</param>
/// <param name="Rows">How many rows; rows that a lost task had read before count again.</param>
public sealed record SourceProgress(string Name, string? Start, string? End, long Rows);

/// <summary>What a query does at the moment.</summary>
/// <param name="IsActive">Whether it goes on.</param>
/// <param name="Message">What it does, or waits for; also when what it holds back will come.</param>
public sealed record StreamingQueryStatus(bool IsActive, string Message)
{
    /// <summary>The message.</summary>
    public override string ToString() => Message;
}
