namespace Dataflow.Tasks;

/// <summary>What one task attempt did. Sizes are bytes, times are <see cref="TimeSpan"/>s.</summary>
public sealed class TaskMetrics
{
    /// <summary>Time from the start of the attempt to its end on the executor.</summary>
    public TimeSpan RunTime { get; set; }

    /// <summary>Time that garbage collection paused the process while the task ran.</summary>
    public TimeSpan GcPauseTime { get; set; }

    /// <summary>Bytes read from files.</summary>
    public long InputBytes { get; set; }

    /// <summary>Records read from files or caches.</summary>
    public long InputRecords { get; set; }

    /// <summary>Bytes written to files.</summary>
    public long OutputBytes { get; set; }

    /// <summary>Records written to files.</summary>
    public long OutputRecords { get; set; }

    /// <summary>Bytes of shuffle segments read.</summary>
    public long ShuffleReadBytes { get; set; }

    /// <summary>Records of shuffle segments read.</summary>
    public long ShuffleReadRecords { get; set; }

    /// <summary>Time spent waiting for segments of other workers.</summary>
    public TimeSpan FetchWaitTime { get; set; }

    /// <summary>Bytes of shuffle segments written.</summary>
    public long ShuffleWriteBytes { get; set; }

    /// <summary>Records of shuffle segments written.</summary>
    public long ShuffleWriteRecords { get; set; }

    /// <summary>Bytes that were moved from memory to disk because the budget was full.</summary>
    public long SpilledBytes { get; set; }

    /// <summary>Most bytes of engine memory that the task held at once.</summary>
    public long PeakMemoryBytes { get; set; }

    /// <summary>Bytes of the result that went to the driver.</summary>
    public long ResultBytes { get; set; }
}
