namespace Dataflow.Cluster;

/// <summary>An executor: the process that runs tasks of this program on a worker.</summary>
/// <param name="Number">Its number within the program; no two ever have the same.</param>
/// <param name="Worker">The name of its worker.</param>
/// <param name="Host">Its machine.</param>
/// <param name="Cores">Tasks that it runs at once.</param>
/// <param name="Metrics">How it was when it last said so, about every two seconds; null if it has just come.</param>
public sealed record ExecutorInfo(int Number, string Worker, string Host, int Cores, ExecutorMetrics? Metrics);

/// <summary>How an executor was at a moment.</summary>
/// <param name="RunningTasks">Tasks that it ran.</param>
/// <param name="MemoryBytes">Memory reserved for data, in bytes.</param>
/// <param name="MemoryLimitBytes">Memory that all reservations together may have, in bytes: its memory less what the runtime and unreserved objects take.</param>
/// <param name="HeapBytes">Managed objects, garbage included, in bytes.</param>
/// <param name="CachedBytes">Cached partitions in memory, in bytes.</param>
/// <param name="GcPauseTime">How long the garbage collector has stood all threads still since the process began.</param>
/// <param name="ShuffleReadBytes">Shuffle bytes read by tasks that have ended.</param>
/// <param name="ShuffleWriteBytes">Shuffle bytes written by tasks that have ended.</param>
public sealed record ExecutorMetrics(
    int RunningTasks, long MemoryBytes, long MemoryLimitBytes, long HeapBytes, long CachedBytes, TimeSpan GcPauseTime, long ShuffleReadBytes, long ShuffleWriteBytes);
