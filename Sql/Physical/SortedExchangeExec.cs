using Dataflow.Shuffle;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Rows;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Physical;

/// <summary>
/// Orders all rows: tasks write theirs as sorted runs, and each partition of the result merges one range of all runs. Ranges are cut by samples that lie
/// beside the runs, so that rows are computed once.
/// </summary>
/// <remarks>Rows that the order does not tell apart stay as they were, by partition and place.</remarks>
/// <param name="Orders">By what.</param>
/// <param name="Partitions">Into how many ranges.</param>
/// <param name="Input">The rows.</param>
public sealed record SortedExchangeExec(ValueList<SortOrder> Orders, int Partitions, PhysicalPlan Input) : PhysicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Input.Output;

    /// <inheritdoc/>
    public override ValueList<PhysicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override string Describe() => $"Sort [{Orders}] in {Partitions} ranges";

    /// <inheritdoc/>
    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run)
    {
        var exchange = new SortedRunsDependency(Input.ToRdd(run), Orders, Input.Output, run.Scope);
        run.Keep(exchange);
        return new SortedRangesRdd(exchange, Partitions);
    }
}

/// <summary>A shuffle to one partition, each map output of which holds sorted runs: a frame of samples, tagged, before the frames of each.</summary>
internal sealed class SortedRunsDependency(Rdd<ColumnBatch> parent, ValueList<SortOrder> orders, ValueList<ColumnReference> columns, QueryScope scope)
    : ShuffleDependency(parent, 1)
{
    public const int SampleTag = 1;

    public ValueList<ColumnReference> Columns => columns;

    public SortColumns KeysIn(TaskArena arena) => new(orders, columns, scope.In(arena));

    public override void Write(Partition partition, MapOutputWriter output, TaskContext context)
    {
        using var arena = new TaskArena(context, "sort");
        var keys = KeysIn(arena);
        DataType[] types = [.. columns.Select(column => column.Type), .. keys.Types];
        var vectors = new ColumnVector[types.Length];
        var rows = new RunCollector(arena, types, new SortPrefix(keys.Keys, types));
        using var reader = BatchChunks.Open(parent, partition, context);
        while (reader.TryNext(out var batch))
        {
            context.ThrowIfCancelled();
            batch.Columns.CopyTo(vectors, 0);
            keys.Evaluate(batch, vectors.AsSpan(batch.Columns.Length));
            rows.Rows.Append(vectors, batch.Selection);
            if (rows.IsFull) rows.Write(output, 0, SampleTag);
        }
        rows.Write(output, 0, SampleTag);
    }
}

/// <summary>Ranges of sorted runs, merged.</summary>
internal sealed class SortedRangesRdd(SortedRunsDependency runs, int partitions) : Rdd<ColumnBatch>(runs.Rdd.Context, "Sort")
{
    public override IReadOnlyList<Dependency> Dependencies => [runs];

    protected override Partition[] GetPartitions() => [.. Enumerable.Range(0, partitions).Select(i => new ShuffleReadPartition(i, 0, 1))];

    protected override ChunkReader<ColumnBatch> Compute(Partition partition, TaskContext context) => new BatchChunks(Open(partition, context));

    private BatchReader Open(Partition partition, TaskContext context)
    {
        var arena = new TaskArena(context, "sort");
        var keys = runs.KeysIn(arena);
        DataType[] types = [.. runs.Columns.Select(column => column.Type), .. keys.Types];
        var prefix = new SortPrefix(keys.Keys, types);
        var sorted = new List<List<InputSegment>>();
        var samples = new List<InputSegment>();
        foreach (var segment in ShuffleInput.Open(runs.ShuffleId, (ShuffleReadPartition)partition, context).Segments(0))
        {
            if (segment.Tag != SortedRunsDependency.SampleTag)
            {
                sorted[^1].Add(segment);
                continue;
            }
            samples.Add(segment);
            sorted.Add([]);
        }
        if (partitions == 1) return new RunMerge(sorted, types, runs.Columns.Count, prefix, context);

        // Each task finds the same bounds: in the order of all samples, which stand for about as many rows each.
        var store = new RowStore(arena, types);
        using (var reader = new SegmentBatches(samples, types, new TaskArena(context, "sort"), context.CancellationToken))
        {
            while (reader.TryNext(out var batch)) store.Append(batch);
        }
        if (store.Count == 0) return new RunMerge([], types, runs.Columns.Count, prefix, context);
        using var order = new RowOrder(arena, store, prefix);
        var places = order.Sort();
        var columns = store.Show();
        var (from, end) = (BoundOf(partition.Index), BoundOf(partition.Index + 1));
        SkipFrames(sorted, samples, store, prefix, from, end);
        return new RunMerge(sorted, types, runs.Columns.Count, prefix, context, from, end);

        SortBound? BoundOf(int index)
        {
            if (index == 0 || index == partitions) return null;
            var place = order.Of((int)((long)store.Count * index / partitions));
            return new SortBound(place.Prefix, columns, (int)place.Row);
        }
    }

    // Frames that end before the range, or begin behind it, are not opened. The samples of a run are its frames' first rows, or those of every n-th.
    private static unsafe void SkipFrames(List<List<InputSegment>> sorted, List<InputSegment> samples, RowStore store, SortPrefix prefix, SortBound? from, SortBound? end)
    {
        var columns = store.Show();
        var first = 0;
        for (var run = 0; run < sorted.Count; run++)
        {
            var count = samples[run].Rows;
            var step = (sorted[run].Count + count - 1) / count;
            var (low, high) = (0, sorted[run].Count);
            for (var i = 0; i < count; i++)
            {
                // The frame before the first that begins at the bound may hold rows of the range.
                if (from is not null && prefix.Compare(columns, first + i, from.Columns, from.Row) < 0) low = i * step;
                if (end is null || prefix.Compare(columns, first + i, end.Columns, end.Row) < 0) continue;
                high = Math.Min(high, i * step);
                break;
            }
            sorted[run] = low < high ? sorted[run][low..high] : [];
            first += count;
        }
    }
}
