namespace Dataflow.MLlib.NeighborKernels;

internal sealed class BallTreeIndex(RowSet rows, Metric metric) : NeighborIndex(rows, metric)
{
    public override NeighborAlgorithm Algorithm => NeighborAlgorithm.BallTree;
    public override NeighborLists Search(ReadOnlySpan<float> queries, in SearchOptions options) => new ExactIndex(Rows, Metric).Search(queries, options);
}
