using Dataflow.Sql.Adaptive;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Records;
using Dataflow.Sql.Rows;
using Dataflow.Tasks;

namespace Dataflow.Sql.Physical;

/// <summary>Brings the rows of a plan to the driver, as frames.</summary>
internal static class QueryResult
{
    /// <summary>Computes all partitions.</summary>
    public static async Task<IReadOnlyList<byte[]>> CollectAsync(PhysicalPlan plan, QueryRun run, PlannerOptions options, CancellationToken cancellationToken)
    {
        await AdaptivePlanner.PrepareAsync(plan, run, options, cancellationToken).ConfigureAwait(false);
        ValueList<DataType> types = plan.Output.ConvertAll(column => column.Type);
        if (plan is LimitExec { Count: { } count, Offset: 0, Input: ExchangeExec { Distribution: SingleDistribution, Input: LimitExec first } })
            return await FirstAsync(first.ToRdd(run), types, count, cancellationToken).ConfigureAwait(false);
        var parts = await run.Context.RunJobAsync(plan.ToRdd(run), batches => ToFrames(batches, types), null, cancellationToken).ConfigureAwait(false);
        return [.. parts.SelectMany(frames => frames)];
    }

    // Partitions are computed some at a time, more each time, until there are enough rows.
    private static async Task<IReadOnlyList<byte[]>> FirstAsync(Rdd<ColumnBatch> rows, ValueList<DataType> types, long count, CancellationToken cancellationToken)
    {
        var frames = new List<byte[]>();
        var size = Math.Max(1, rows.Context.DefaultParallelism);
        for (var first = 0; first < rows.Partitions.Count && count > 0; first += size, size *= 4)
        {
            size = Math.Min(size, rows.Partitions.Count - first);
            var parts = await rows.Context.RunJobAsync(rows, batches => ToFrames(batches, types), [.. Enumerable.Range(first, size)], cancellationToken).ConfigureAwait(false);
            foreach (var frame in parts.SelectMany(part => part))
            {
                if (count == 0) break;
                var inFrame = BitConverter.ToInt32(frame);
                frames.Add(inFrame <= count ? frame : FirstOf(frame, types, (int)count));
                count -= Math.Min(count, inFrame);
            }
        }
        return frames;
    }

    private static unsafe byte[] FirstOf(byte[] frame, ValueList<DataType> types, int rows)
    {
        fixed (byte* bytes = frame)
        {
            var batch = new FrameReader(null, types).Read(new ReadOnlySpan<byte>(bytes, frame.Length));
            var cut = new byte[Frame.SizeOf(batch.Columns, rows)];
            fixed (byte* to = cut) Frame.Write(batch.Columns, rows, to);
            return cut;
        }
    }

    /// <summary>The same as an Rdd: partitions are computed when they are asked for, and the exchanges below stay until the run is disposed.</summary>
    public static Rdd<byte[]> Frames(PhysicalPlan plan, QueryRun run)
    {
        ValueList<DataType> types = plan.Output.ConvertAll(column => column.Type);
        return plan.ToRdd(run).MapPartitions(batches => ToFrames(batches, types));
    }

    /// <summary>The rows of frames as records.</summary>
    public static IEnumerable<T> RecordsOf<T>(IEnumerable<byte[]> frames, Schema schema, RecordMapper<T> mapper)
    {
        var reader = new FrameReader(null, schema.Select(column => column.Type));
        foreach (var frame in frames)
        {
            foreach (var record in RecordsOf(frame, reader, mapper)) yield return record;
        }
    }

    private static unsafe T[] RecordsOf<T>(byte[] frame, FrameReader reader, RecordMapper<T> mapper)
    {
        fixed (byte* bytes = frame) return mapper.Map(reader.Read(new ReadOnlySpan<byte>(bytes, frame.Length)));
    }

    /// <summary>The rows of frames.</summary>
    /// <param name="frames">The frames.</param>
    /// <param name="schema">The columns.</param>
    /// <param name="timeZone">In which time stamps are shown; null for UTC.</param>
    public static IEnumerable<Row> RowsOf(IEnumerable<byte[]> frames, Schema schema, string? timeZone = null)
    {
        var zone = timeZone is null ? null : Zone.Find(timeZone);
        var reader = new FrameReader(null, schema.Select(column => column.Type));
        foreach (var frame in frames)
        {
            // Rows are made before the array may move.
            foreach (var row in RowsOf(frame, reader, schema, zone)) yield return row;
        }
    }

    private static unsafe List<Row> RowsOf(byte[] frame, FrameReader reader, Schema schema, Zone? zone)
    {
        fixed (byte* bytes = frame) return [.. Row.Of(reader.Read(new ReadOnlySpan<byte>(bytes, frame.Length)), schema, zone)];
    }

    private static byte[][] ToFrames(IEnumerable<ColumnBatch> batches, ValueList<DataType> types)
    {
        var context = TaskContext.Current!;
        using var arena = new TaskArena(context, "result");
        var store = new RowStore(arena, types);
        var frames = new List<byte[]>();
        foreach (var batch in batches)
        {
            context.ThrowIfCancelled();
            if (store.Count + batch.Alive > ColumnBatch.MaxRows) Flush();
            store.Append(batch);
        }
        if (store.Count > 0) Flush();
        return [.. frames];

        unsafe void Flush()
        {
            var frame = new byte[Frame.SizeOf(store)];
            fixed (byte* bytes = frame) Frame.Write(store, bytes);
            frames.Add(frame);
            store.Clear();
        }
    }
}
