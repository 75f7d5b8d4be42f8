namespace Dataflow.Streaming;

/// <summary>How a query over streams runs.</summary>
public sealed record StreamingQueryOptions
{
    /// <summary>A folder that holds where the query is, and its state: who starts with it again goes on there. Null keeps that in a temporary folder, for as long as the query lives.</summary>
    /// <remarks>Executors read and write it too: in a cluster it lies where all machines see it.</remarks>
    public string? Checkpoint { get; init; }

    /// <summary>When batches run.</summary>
    public Trigger Trigger { get; init; } = Trigger.AsSoonAsPossible;

    /// <summary>Which rows of an aggregate are given.</summary>
    public OutputMode OutputMode { get; init; } = OutputMode.Append;

    /// <summary>What it is called in logs and errors; null for a number.</summary>
    public string? Name { get; init; }

    /// <summary>In how many partitions state is kept: fixed by the first start with a checkpoint. 0 takes the parallelism of that time.</summary>
    public int StatePartitions { get; init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(StatePartitions), value, "There are 0 (by the parallelism) or more partitions."); }

    /// <summary>Batches between two snapshots of state; between them what changed is logged.</summary>
    public int SnapshotInterval { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(SnapshotInterval), value, "There is 1 batch between snapshots or more."); } = 10;

    /// <summary>What the watermark of a query is that has several of them.</summary>
    public WatermarkPolicy WatermarkPolicy { get; init; } = WatermarkPolicy.Min;

    /// <summary>An input that gave no row with a time for so long, by <see cref="Time"/>, does not hold the watermark back any more, until it gives one again: which may then be too late. Null
    /// waits for ever.</summary>
    public TimeSpan? IdleTimeout { get; init => field = value is null || value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(IdleTimeout), value, "It is more than zero."); }

    /// <summary>Gets the rows that came too late and were left out, of each batch that has such; null counts them only.</summary>
    /// <remarks>They are those that the first part of the query with state was given, with the columns that the query uses. They are computed by a query of their own, over the same rows of the
    /// sources, when a batch has counted late ones.</remarks>
    public IStreamSink? LateRows { get; init; }

    /// <summary>How long a batch should take: batches then take as many rows, of sources that can count them, as were computed in that time lately, and never more than <see cref="MaxRowsPerBatch"/>.
    /// Null takes all that is there.</summary>
    public TimeSpan? TargetBatchDuration { get; init => field = value is null || value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(TargetBatchDuration), value, "It is more than zero."); }

    /// <summary>Most rows that a batch takes of each source, where the source can count them before it reads them: messages and objects can be counted, files can't (see <see cref="FileSourceOptions"/>).</summary>
    public long MaxRowsPerBatch { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(MaxRowsPerBatch), value, "A batch takes 1 row or more."); } = long.MaxValue;

    /// <summary>Bytes of memory for the state of all partitions in one executor, 64 KB for each partition at the least: what is more goes to the disk. 0 takes a fifth of the executor's memory.</summary>
    public long StateMemoryBytes { get; init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(StateMemoryBytes), value, "It is 0 (a part of the executor's) bytes or more."); }

    /// <summary>Told, with the batch, what was just done of it: <c>found</c> (what it reads, not written down yet), <c>planned</c>, <c>computed</c> (for sinks that don't read once), <c>written</c>, <c>logged</c> (that it is done), <c>committed</c> (and sources told). For tests that end the process there.</summary>
    internal Action<string, long>? Reached { get; init; }

    /// <summary>Clock of triggers and progress.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>What the watermark of a query is whose inputs have one each.</summary>
public enum WatermarkPolicy
{
    /// <summary>The earliest: no input's rows come too late because another is further.</summary>
    Min,

    /// <summary>The latest: who is furthest says what is final, and slower inputs lose what comes for it.</summary>
    Max,
}

/// <summary>Which rows a query gives after each batch.</summary>
public enum OutputMode
{
    /// <summary>Rows that will not change any more: of an aggregate each group once, when the watermark says that it is final.</summary>
    Append,

    /// <summary>Groups that the batch has changed, with their new values.</summary>
    Update,

    /// <summary>All groups, each time.</summary>
    Complete,
}

/// <summary>When batches run.</summary>
public sealed record Trigger
{
    private Trigger() { }

    /// <summary>One after the other, as soon as there is something new.</summary>
    public static Trigger AsSoonAsPossible { get; } = new();

    /// <summary>All that is there, in as many batches as the sources' limits make of it; the query ends when a look at the sources finds nothing new.</summary>
    public static Trigger AvailableNow { get; } = new() { EndsWhenDone = true };

    /// <summary>What is there now, in one batch whatever the sources' limits; then the query ends.</summary>
    public static Trigger Once { get; } = new() { EndsWhenDone = true, IsOnce = true };

    /// <summary>At most one an interval, at multiples of it.</summary>
    /// <param name="interval">More than zero.</param>
    public static Trigger Every(TimeSpan interval)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(interval, TimeSpan.Zero);
        return new() { Interval = interval };
    }

    internal TimeSpan Interval { get; private init; }

    internal bool EndsWhenDone { get; private init; }

    internal bool IsOnce { get; private init; }

    /// <summary>As <c>every 00:00:05</c>.</summary>
    public override string ToString() => IsOnce ? "once" : EndsWhenDone ? "available now" : Interval == TimeSpan.Zero ? "as soon as possible" : $"every {Interval}";
}
