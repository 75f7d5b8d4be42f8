using Dataflow.Shuffle;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Joins;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Exchange;

/// <summary>Batches as the engine reads them: chunks of one.</summary>
internal sealed class BatchChunks(BatchReader reader) : ChunkReader<ColumnBatch>
{
    private readonly ColumnBatch[] _chunk = new ColumnBatch[1];

    public BatchReader Batches => reader;

    public override bool TryRead(out ReadOnlySpan<ColumnBatch> chunk)
    {
        while (reader.TryNext(out _chunk[0]))
        {
            if (_chunk[0].Alive == 0) continue;
            chunk = _chunk;
            return true;
        }
        chunk = default;
        return false;
    }

    protected override void Dispose(bool disposing) => reader.Dispose();

    /// <summary>A partition of an Rdd as operators read it.</summary>
    public static BatchReader Open(Rdd<ColumnBatch> rdd, Partition partition, TaskContext context)
    {
        var chunks = rdd.Read(partition, context);
        return chunks is BatchChunks own ? own.Batches : new ChunkBatches(chunks);
    }

    private sealed class ChunkBatches(ChunkReader<ColumnBatch> chunks) : BatchReader
    {
        private int _next = 1;
        private ColumnBatch[] _chunk = new ColumnBatch[1];
        private int _count = 1;

        public override bool TryNext(out ColumnBatch batch)
        {
            if (_next == _count)
            {
                if (!chunks.TryRead(out var chunk))
                {
                    batch = null!;
                    return false;
                }
                if (_chunk.Length < chunk.Length) _chunk = new ColumnBatch[chunk.Length];
                chunk.CopyTo(_chunk);
                _count = chunk.Length;
                _next = 0;
            }
            batch = _chunk[_next++];
            return true;
        }

        public override void Dispose()
        {
            chunks.Dispose();
            base.Dispose();
        }
    }
}

/// <summary>Turns the batches of a partition into others. It travels to executors: it holds descriptions, and makes what computes when it is opened.</summary>
public abstract class BatchOperator
{
    /// <summary>Begins to compute a partition.</summary>
    /// <param name="input">The rows; owned by the result from now on.</param>
    /// <param name="context">The task.</param>
    public abstract BatchReader Open(BatchReader input, TaskContext context);
}

/// <summary>An operator over each partition.</summary>
internal sealed class OperatorRdd(string name, Rdd<ColumnBatch> input, BatchOperator step) : Rdd<ColumnBatch>(input.Context, name)
{
    private readonly OneToOneDependency _dependency = new(input);

    public override IReadOnlyList<Dependency> Dependencies => [_dependency];

    public override IReadOnlyList<string> PreferredLocations(Partition partition) => input.PreferredLocations(partition);

    protected override Partition[] GetPartitions() => [.. input.Partitions];

    protected override ChunkReader<ColumnBatch> Compute(Partition partition, TaskContext context)
    {
        var reader = BatchChunks.Open(input, partition, context);
        var outer = OperatorPartition.Current;
        try
        {
            OperatorPartition.Current = partition.Index;
            return new BatchChunks(step.Open(reader, context));
        }
        catch
        {
            reader.Dispose();
            throw;
        }
        finally
        {
            OperatorPartition.Current = outer;
        }
    }
}

/// <summary>Makes rows of the rows of two partitions. It travels to executors, as <see cref="BatchOperator"/> does.</summary>
internal abstract class PairOperator
{
    /// <summary>Begins to compute a partition.</summary>
    /// <param name="left">Opens the one; the result owns what it opens.</param>
    /// <param name="right">Opens the other.</param>
    /// <param name="context">The task.</param>
    public abstract BatchReader Open(Func<BatchReader> left, Func<BatchReader> right, TaskContext context);
}

/// <summary>An operator over pairs of partitions.</summary>
internal sealed class PairOperatorRdd(string name, Rdd<ColumnBatch> left, Rdd<ColumnBatch> right, PairOperator step) : Rdd<ColumnBatch>(left.Context, name)
{
    private readonly OneToOneDependency _left = new(left);
    private readonly OneToOneDependency _right = new(right);

    public override IReadOnlyList<Dependency> Dependencies => [_left, _right];

    protected override Partition[] GetPartitions() =>
        [.. left.Partitions.Zip(right.Partitions, (mine, theirs) => new CompositePartition(mine.Index, [mine, theirs]))];

    protected override ChunkReader<ColumnBatch> Compute(Partition partition, TaskContext context)
    {
        var both = (CompositePartition)partition;
        var outer = OperatorPartition.Current;
        try
        {
            OperatorPartition.Current = partition.Index;
            return new BatchChunks(step.Open(() => BatchChunks.Open(left, both.Parents[0]!, context), () => BatchChunks.Open(right, both.Parents[1]!, context), context));
        }
        finally
        {
            OperatorPartition.Current = outer;
        }
    }
}

/// <summary>The partition that an operator is being opened for, also after it has opened what stands below it. A task's number says less: where frames are united, it counts the partitions of those
/// before.</summary>
internal static class OperatorPartition
{
    /// <summary>The partition; null outside of operators.</summary>
    [field: ThreadStatic]
    public static int? Current { get; set; }

    /// <summary>What random numbers of the partition begin with.</summary>
    public static int Seed => Current ?? TaskContext.Current?.PartitionIndex ?? 0;
}

/// <summary>Reads what an exchange placed.</summary>
/// <param name="exchange">The exchange.</param>
/// <param name="ranges">What each task reads; empty for a partition each.</param>
internal sealed class ExchangeRdd(ExchangeDependency exchange, ValueList<Adaptive.ReadRange> ranges) : Rdd<ColumnBatch>(exchange.Rdd.Context, "Exchange")
{
    public override IReadOnlyList<Dependency> Dependencies => [exchange];

    protected override Partition[] GetPartitions() => ranges.Count == 0
        ? [.. Enumerable.Range(0, exchange.ReducePartitions).Select(i => new ShuffleReadPartition(i, i, i + 1))]
        : [.. ranges.Select((range, i) => new ShuffleReadPartition(i, range.Start, range.End, range.MapStart, range.MapEnd))];

    protected override ChunkReader<ColumnBatch> Compute(Partition partition, TaskContext context) => new BatchChunks(Open(exchange, (ShuffleReadPartition)partition, context));

    /// <summary>Reads a range of what an exchange placed.</summary>
    public static BatchReader Open(ExchangeDependency exchange, ShuffleReadPartition partition, TaskContext context)
    {
        var input = ShuffleInput.Open(exchange.ShuffleId, partition, context);
        var segments = new List<InputSegment>();
        for (var reduce = input.ReduceStart; reduce < input.ReduceEnd; reduce++) segments.AddRange(input.Segments(reduce));
        return new SegmentBatches(segments, exchange.Types, new TaskArena(context, "exchange read"), context.CancellationToken);
    }
}

/// <summary>Where a scan finds a dynamic filter.</summary>
/// <param name="Field">The field of the table that it is about.</param>
/// <param name="Source">Where it is.</param>
internal sealed record ScanFilterSource(int Field, DynamicFilterSource Source)
{
    /// <summary>The filters that there are now.</summary>
    public static IDynamicFilter[] Open(ValueList<ScanFilterSource> filters, TaskContext task) =>
        filters.Count == 0 ? [] : [.. filters.Select(filter => filter.Source.Open(filter.Field, task)).OfType<IDynamicFilter>()];
}

/// <summary>Reads a table: a partition is a split.</summary>
internal sealed class ScanRdd(DataflowContext context, ITableScan scan, ValueList<ScanFilterSource> filters) : Rdd<ColumnBatch>(context, "Scan")
{
    public override IReadOnlyList<Dependency> Dependencies => [];

    public override IReadOnlyList<string> PreferredLocations(Partition partition) => ((ScanPartition)partition).Splits[0].Hosts;

    protected override Partition[] GetPartitions() =>
        [.. ScanPartition.Group(scan.Splits, Context.IsLocal ? int.MaxValue : Context.DefaultParallelism).Select((splits, i) => new ScanPartition(i, splits))];

    protected override ChunkReader<ColumnBatch> Compute(Partition partition, TaskContext context) =>
        new BatchChunks(new SplitsReader(scan, ((ScanPartition)partition).Splits, ScanFilterSource.Open(filters, context), context));
}

/// <summary>What one task reads of a table.</summary>
/// <param name="Index">Position among the partitions.</param>
/// <param name="Splits">Splits that follow each other; at least one.</param>
internal sealed record ScanPartition(int Index, ValueList<TableSplit> Splits) : Partition(Index)
{
    // Sending a task and keeping its output cost as much as reading some ten thousand rows: so many tasks for each slot spread work evenly enough.
    private const int TasksOfSlot = 8;

    /// <summary>Puts small splits together that follow each other on the same hosts.</summary>
    /// <param name="splits">All splits.</param>
    /// <param name="slots">How many tasks run at once.</param>
    public static IEnumerable<ValueList<TableSplit>> Group(IReadOnlyList<TableSplit> splits, int slots)
    {
        if (splits.Count <= (long)slots * TasksOfSlot || splits.Any(split => split.Rows < 0)) return splits.Select(split => new ValueList<TableSplit>([split]));
        var most = splits.Sum(split => split.Rows) / ((long)slots * TasksOfSlot);
        List<List<TableSplit>> groups = [];
        var rows = 0L;
        foreach (var split in splits)
        {
            if (groups.Count == 0 || rows + split.Rows > most || !groups[^1][0].Hosts.Equals(split.Hosts))
            {
                groups.Add([]);
                rows = 0;
            }
            groups[^1].Add(split);
            rows += split.Rows;
        }
        return groups.Select(group => new ValueList<TableSplit>(group));
    }
}
