namespace Dataflow.Streaming.DStreams;

/// <summary>How a <see cref="StreamingContext"/> runs.</summary>
public sealed record StreamingContextOptions
{
    /// <summary>How often state is written to the checkpoint: rounded up to whole intervals. Between two writes it is made again, after a
    /// restart, from what was received since. Null is ten seconds, or an interval that is longer.</summary>
    public TimeSpan? CheckpointInterval { get; init => field = value is null || value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(CheckpointInterval), value, "It is more than zero."); }

    /// <summary>Most rows a second that a batch takes of each receiver; what is beyond waits in its log.</summary>
    public double MaxRate { get; init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(MaxRate), value, "It is more than zero."); } = double.PositiveInfinity;

    /// <summary>Whether batches take no more of receivers than batches before have shown to be done within an interval.</summary>
    public bool AdaptsRate { get; init; }

    /// <summary>Fewest rows a second, of each receiver, that adapting goes down to.</summary>
    public double MinRate { get; init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(MinRate), value, "It is more than zero."); } = 100;

    /// <summary>How what receivers take in is kept until batches have read it.</summary>
    public ReceiverOptions Receiver { get; init; } = new();

    /// <summary>Clock of intervals.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Told, with the number of the batch, what was just done of it: <c>planned</c>, <c>run</c>, <c>saved</c>, <c>committed</c>. For tests that end the process there.</summary>
    internal Action<string, long>? Reached { get; init; }
}

/// <summary>What one batch did.</summary>
/// <param name="Time">The end of its interval.</param>
/// <param name="InputRows">Rows that receivers had for it; files and queued Rdds are not counted.</param>
/// <param name="SchedulingDelay">From the end of its interval until it began to run: grows as long as batches take longer than an interval.</param>
/// <param name="ProcessingTime">How long it ran.</param>
public sealed record DStreamBatch(DateTimeOffset Time, long InputRows, TimeSpan SchedulingDelay, TimeSpan ProcessingTime);
