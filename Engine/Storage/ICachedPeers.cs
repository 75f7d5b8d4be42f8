using Dataflow.Caching;
using Dataflow.Tasks;

namespace Dataflow.Storage;

/// <summary>Other executors that keep cached partitions.</summary>
internal interface ICachedPeers
{
    /// <summary>Fetches a partition that one of a task's peers keeps.</summary>
    /// <returns>The partition, which the caller disposes; null if none of them has it, or can be reached.</returns>
    EncodedCopy? TryFetch(RddBlockId id, TaskContext context);
}
