using Dataflow.Scheduling;

namespace Dataflow;

/// <summary>Held by a shuffle dependency: when nobody can reach that any more, its outputs are dropped.</summary>
internal sealed class ShuffleLifetime(DataflowContext context, ShuffleId shuffle)
{
    ~ShuffleLifetime() => context.DropShuffle(shuffle, mayRun: false);
}

/// <summary>Held by a kept Rdd: when nobody can reach that any more, what is kept of it is dropped.</summary>
internal sealed class CacheLifetime(DataflowContext context, int rdd)
{
    ~CacheLifetime() => context.DropBlocks(rdd);
}
