using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Sources;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Sql.Caching;

/// <summary>The rows of a frame as blocks: what is kept.</summary>
internal sealed class CacheFillRdd(Rdd<ColumnBatch> rows, ValueList<DataType> types, CollectionAccumulator<CachePart> parts) : Rdd<Slab>(rows.Context, "Cache")
{
    private readonly OneToOneDependency _dependency = new(rows);

    public override IReadOnlyList<Dependency> Dependencies => [_dependency];

    public override IReadOnlyList<string> PreferredLocations(Partition partition) => rows.PreferredLocations(partition);

    protected override Partition[] GetPartitions() => [.. rows.Partitions];

    protected override ChunkReader<Slab> Compute(Partition partition, TaskContext context) =>
        new CacheBlockWriter(BatchChunks.Open(rows, partition, context), types, new CacheCounts(parts, partition.Index, types.Count), context);
}

/// <summary>Reads what is kept of a frame.</summary>
internal sealed class CacheScanRdd(Rdd<Slab> blocks, ValueList<DataType> types, ScanRequest request, ValueList<ScanFilterSource> filters) : Rdd<ColumnBatch>(blocks.Context, "CachedScan")
{
    private readonly OneToOneDependency _dependency = new(blocks);

    public override IReadOnlyList<Dependency> Dependencies => [_dependency];

    public override IReadOnlyList<string> PreferredLocations(Partition partition) => blocks.PreferredLocations(partition);

    protected override Partition[] GetPartitions() => [.. blocks.Partitions];

    protected override ChunkReader<ColumnBatch> Compute(Partition partition, TaskContext context) =>
        new BatchChunks(new CacheBlockReader(blocks.Read(partition, context), types, request, ScanFilterSource.Open(filters, context), context));
}
