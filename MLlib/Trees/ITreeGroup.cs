using Dataflow.Collectives;

namespace Dataflow.MLlib.Trees;

/// <summary>
/// The shards that train the same trees, seen from one of them. All shards make the same calls in the same order, and take the same decisions from the same
/// reduced integers, so that every shard holds every tree.
/// </summary>
internal interface ITreeGroup
{
    /// <summary>How many shards there are.</summary>
    int Shards { get; }

    /// <summary>Which of them this one is, from 0.</summary>
    int Index { get; }

    /// <summary>Replaces the values by the sums over all shards, element by element.</summary>
    void AllReduceSum(Span<long> values);

    /// <summary>Begins to add up the values over all shards, and does not wait for the others. Ended in the order of beginning.</summary>
    /// <returns>What ends it.</returns>
    PendingReduction BeginReduceSum(ReadOnlySpan<long> values);

    /// <summary>Replaces the values, those that it was begun with, by the sums over all shards.</summary>
    void EndReduceSum(PendingReduction pending, Span<long> values);

    /// <summary>Begins to add up the values over all shards, of which each gets one of as many equal shares, by index. Otherwise as <see cref="BeginReduceSum"/>.</summary>
    PendingReduction BeginScatterSum(ReadOnlySpan<long> values);

    /// <summary>Replaces this shard's share of the values by the sums.</summary>
    void EndScatterSum(PendingReduction pending, Span<long> values);

    /// <summary>Replaces the values by the greatest of all shards, element by element.</summary>
    void AllReduceMax(Span<double> values);

    /// <summary>What each shard brought, by index; lengths may differ.</summary>
    T[][] AllGather<T>(ReadOnlySpan<T> values)
        where T : unmanaged;
}

/// <summary>A group of one shard: everything is there already.</summary>
internal sealed class LoneTreeGroup : ITreeGroup
{
    public static LoneTreeGroup Instance { get; } = new();

    public int Shards => 1;

    public int Index => 0;

    public void AllReduceSum(Span<long> values) { }

    public PendingReduction BeginReduceSum(ReadOnlySpan<long> values) => default;

    public void EndReduceSum(PendingReduction pending, Span<long> values) { }

    public PendingReduction BeginScatterSum(ReadOnlySpan<long> values) => default;

    public void EndScatterSum(PendingReduction pending, Span<long> values) { }

    public void AllReduceMax(Span<double> values) { }

    public T[][] AllGather<T>(ReadOnlySpan<T> values)
        where T : unmanaged => [values.ToArray()];
}
