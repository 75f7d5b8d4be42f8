using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborIndexes;

/// <summary>Rows that can be searched, one way or another. Thread-safe.</summary>
internal abstract class NeighborIndex(RowSet rows, Metric metric)
{
    public RowSet Rows { get; } = rows;

    public Metric Metric { get; } = metric;

    public RankKeys Keys { get; } = new(metric, rows.Features);

    /// <summary>Which way it is.</summary>
    public abstract NeighborAlgorithm Algorithm { get; }

    /// <summary>The best rows of each query, unsorted.</summary>
    /// <param name="queries">queries x features, finite.</param>
    public abstract NeighborLists Search(ReadOnlySpan<float> queries, in SearchOptions options);

    /// <summary>What it is made of beside the rows.</summary>
    public virtual void Write(IndexData data) { }

    /// <summary>An index that has more rows.</summary>
    public virtual NeighborIndex Add(ReadOnlySpan<float> values, ReadOnlySpan<long> ids, IndexOptions options) => options.Build(Rows.With(values, ids));

    /// <summary>An index without some rows.</summary>
    public virtual NeighborIndex Remove(ReadOnlySpan<long> ids, IndexOptions options) => options.Build(Rows.Without(ids));
}
