using Dataflow.Storage;

namespace Dataflow.Caching;

/// <summary>The memory that the blocks of one Rdd may take: reserved in the budget, and won from blocks of other Rdds if need be.</summary>
/// <param name="store">The store.</param>
/// <param name="rdd">The Rdd.</param>
/// <param name="pool">Where native blocks lie.</param>
/// <param name="evicts">False takes only what is free.</param>
internal sealed class CacheSpace(BlockStore store, int rdd, NativePool pool, bool evicts = true)
{
    /// <summary>Where native blocks lie.</summary>
    public NativePool Pool => pool;

    /// <summary>Reserves memory, evicting what was not used for longest among other Rdds' blocks. Never blocks of the same Rdd: a scan over
    /// an Rdd that does not fit would evict each partition just before it is read.</summary>
    public bool TryReserve(long bytes, MemoryKind kind) => store.TryReserve(bytes, kind, evicts ? rdd : null);

    public void Release(long bytes, MemoryKind kind) => store.Release(bytes, kind);
}
