using System.Runtime.CompilerServices;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborIndexes;

/// <summary>An index that tasks use: broadcast once as arrays, built once in each process from them.</summary>
internal sealed class SharedIndex(Broadcast<IndexData> data)
{
    private static readonly ConditionalWeakTable<IndexData, NeighborIndex> Built = [];

    public NeighborIndex Value => Built.GetValue(data.Value, static made =>
    {
        // Tasks that come at once wait for the one that builds.
        lock (made) return Built.TryGetValue(made, out var there) ? there : made.ToIndex();
    });

    /// <summary>Broadcasts an index; this process keeps using the one it has.</summary>
    public static SharedIndex Of(NeighborIndex index, DataflowContext context)
    {
        var data = IndexData.Of(index);
        Built.AddOrUpdate(data, index);
        return new SharedIndex(context.Broadcast(data));
    }
}
