using Dataflow.MLlib.NeighborKernels;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.MLlib.NeighborIndexes;

/// <summary>
/// A join of two frames neither of which fits one process, by blocks: rows are dealt to shards, queries to groups, and a task compares one shard with one group. A block of
/// rows goes to each group, a block of queries to each shard, by one shuffle a side; the best of each shard come together by query.
/// </summary>
/// <param name="Shards">Parts of the rows.</param>
/// <param name="Groups">Parts of the queries.</param>
internal sealed record SpreadJoin(int Shards, int Groups, Metric Metric, int K, double Radius)
{
    // Values of a block in the shuffle: 512 KB.
    private const int BlockValues = 128 << 10;

    // A shard that stays long enough in a task that reading queries, 4 bytes a feature and shard, costs little beside comparing them.
    private const long MostShardBytes = 32L << 20;

    // Rows as they come, put together, in order of their ids, and in tiles.
    private const int Copies = 4;

    /// <summary>Parts that fit the memory of tasks and keep all slots at work.</summary>
    /// <param name="rowBytes">Of all features of all rows, about.</param>
    /// <param name="memoryBytes">Of a process.</param>
    /// <param name="slots">Tasks that run at once in all processes.</param>
    public static SpreadJoin Plan(long rowBytes, long memoryBytes, int threads, int slots, Metric metric, int k, double radius)
    {
        var shardBytes = Math.Clamp(memoryBytes / ((long)threads * Copies * 4), 64 << 10, MostShardBytes);
        var shards = (int)Math.Clamp((rowBytes + shardBytes - 1) / shardBytes, 1, 1 << 20);
        return new SpreadJoin(shards, Math.Max(1, (slots + shards - 1) / shards), metric, k, radius);
    }

    /// <summary>The best rows of every query.</summary>
    /// <remarks>Lazy, wide: shuffles queries x shards + rows x groups, and K pairs a query and shard.</remarks>
    public Rdd<(long Key, BestRows Value)> Run(Rdd<NeighborBlock> queries, Rdd<NeighborBlock> rows)
    {
        var (shards, groups, metric, k, radius) = (Shards, Groups, Metric, K, Radius);
        var cells = new CellPartitioner(checked(shards * groups));
        var placedRows = rows
            .MapPartitionsWithIndex((partition, blocks) => Deal(blocks, partition, shards)
                .SelectMany(dealt => Enumerable.Range(0, groups).Select(group => ((dealt.Part * groups) + group, dealt.Block))))
            .PartitionBy(cells);
        var placedQueries = queries
            .MapPartitionsWithIndex((partition, blocks) => Deal(blocks, partition, groups)
                .SelectMany(dealt => Enumerable.Range(0, shards).Select(shard => ((shard * groups) + dealt.Part, dealt.Block))))
            .PartitionBy(cells);
        return placedRows
            .ZipPartitions(placedQueries, (own, asked) => BestOfCell(own.Select(each => each.Value), asked.Select(each => each.Value), metric, k, radius))
            .ReduceByKey((left, right) => ShardedSearch.Merge(left, right, k));
    }

    /// <summary>Blocks in turn to the parts, each partition beginning with another.</summary>
    private static IEnumerable<(int Part, NeighborBlock Block)> Deal(IEnumerable<NeighborBlock> blocks, int partition, int parts)
    {
        var next = partition % parts;
        foreach (var piece in blocks.SelectMany(block => block.Pieces(BlockValues)))
        {
            yield return (next, piece);
            next = (next + 1) % parts;
        }
    }

    private static IEnumerable<(long Query, BestRows Best)> BestOfCell(
        IEnumerable<NeighborBlock> rows, IEnumerable<NeighborBlock> queries, Metric metric, int k, double radius)
    {
        var task = TaskContext.Current!;
        var memory = task.Services.Memory;
        using var held = memory.ForTask(task).Open($"a shard of {nameof(NearestNeighborsJoin)}");
        var blocks = new List<NeighborBlock>();
        foreach (var block in rows)
        {
            memory.Reserve((long)block.Values.Length * sizeof(float) * Copies, held, task.CancellationToken);
            blocks.Add(block);
        }
        if (blocks.Count == 0) yield break;
        var all = NeighborBlock.Join(blocks, nameof(NearestNeighborsJoin));
        blocks.Clear();
        var index = new ExactIndex(RowSet.Of(all.Values, all.Features, all.Ids), metric);
        foreach (var block in queries)
        {
            task.ThrowIfCancelled();
            var found = ShardedSearch.Best(index, block, k, radius);
            for (var q = 0; q < found.Length; q++)
            {
                if (found[q] is { } best) yield return (block.Ids[q], best);
            }
        }
    }
}

/// <summary>Places a task's number where it says.</summary>
internal sealed class CellPartitioner(int cells) : Partitioner<int>
{
    public override int PartitionCount { get; } = cells;

    public override int PartitionOf(int key) => key;

    public override bool Equals(object? obj) => obj is CellPartitioner other && other.PartitionCount == PartitionCount;

    public override int GetHashCode() => PartitionCount;
}
