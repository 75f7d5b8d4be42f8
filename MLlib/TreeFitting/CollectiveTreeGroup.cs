using Dataflow.Collectives;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeFitting;

/// <summary>The shards of a barrier stage: what they reduce goes from executor to executor. Bound anew for each job that goes on with the same shard.</summary>
internal sealed class CollectiveTreeGroup(int shards, int index) : ITreeGroup
{
    private CollectiveGroup? _collectives;

    public int Shards => shards;

    public int Index => index;

    private CollectiveGroup Collectives => _collectives ?? throw new InvalidOperationException("The shard is used outside of its job. This is a mistake in Dataflow: please report it.");

    /// <summary>Says which stage the next calls belong to.</summary>
    public void Bind(CollectiveGroup? collectives) => _collectives = collectives;

    public void AllReduceSum(Span<long> values)
    {
        if (shards > 1) Collectives.AllReduce(values);
    }

    public PendingReduction BeginReduceSum(ReadOnlySpan<long> values) => shards > 1 ? Collectives.BeginAllReduce(values) : default;

    public void EndReduceSum(PendingReduction pending, Span<long> values)
    {
        if (shards > 1) Collectives.EndAllReduce(pending, values);
    }

    public PendingReduction BeginScatterSum(ReadOnlySpan<long> values) => shards > 1 ? Collectives.BeginReduceScatter(values) : default;

    public void EndScatterSum(PendingReduction pending, Span<long> values)
    {
        if (shards > 1) Collectives.EndReduceScatter(pending, values);
    }

    public void AllReduceMax(Span<double> values)
    {
        if (shards > 1) Collectives.AllReduce(values, Reduction.Max);
    }

    public T[][] AllGather<T>(ReadOnlySpan<T> values)
        where T : unmanaged => shards > 1 ? Collectives.AllGather(values) : [values.ToArray()];
}
