using Dataflow.Tasks;

namespace Dataflow.Jobs;

/// <summary>One action: what to compute on which partitions.</summary>
/// <param name="Rdd">The Rdd.</param>
/// <param name="Partitions">Indices of its partitions, in the order of the results. One may occur twice.</param>
/// <param name="Function">Runs in a task, on an executor.</param>
internal sealed record JobRequest(Rdd Rdd, IReadOnlyList<int> Partitions, Func<Partition, TaskContext, object?> Function)
{
    /// <summary>Called with the position in <see cref="Partitions"/> and the result, once each, as they come, one at a time, before the
    /// job's task completes. It runs inside the scheduler: it must be short and never wait. If it throws, the job fails.</summary>
    public Action<int, object?>? OnResult { get; init; }

    /// <summary>How results come back from an executor in another process; null where none is.</summary>
    public ResultCodec? Results { get; init; }

    public JobProperties Properties { get; init; } = JobProperties.None;
}
