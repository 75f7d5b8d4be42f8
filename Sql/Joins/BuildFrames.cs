using Dataflow.Shuffle;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Rows;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Joins;

/// <summary>Bytes of a frame, and what keeps them.</summary>
/// <param name="Lease">Ends with the table; null if its arena keeps them.</param>
/// <param name="Bytes">Where they are.</param>
/// <param name="Length">How many.</param>
internal readonly record struct BuildFrame(IDisposable? Lease, nint Bytes, int Length)
{
    public unsafe ReadOnlySpan<byte> Span => new((void*)Bytes, Length);
}

/// <summary>Brings the rows of a build side together.</summary>
internal static unsafe class BuildFrames
{
    // Frames of fewer rows are put together: a row's number has room for full ones.
    private const int FewRows = 1024;
    private const int FewFrames = 16;

    /// <summary>The rows of an input, if they are not too many for one table.</summary>
    /// <param name="rows">The input.</param>
    /// <param name="types">The types of its columns.</param>
    /// <param name="arena">The table's memory.</param>
    /// <param name="context">The task.</param>
    /// <param name="most">How many bytes one table may hold.</param>
    /// <param name="isAll">False if there are more rows: the input goes on behind those that are given.</param>
    public static IReadOnlyList<BuildFrame> Of(BatchReader rows, ValueList<DataType> types, TaskArena arena, TaskContext context, long most, out bool isAll)
    {
        if (rows is not SegmentBatches segments) return Of(rows, types, arena, most, out isAll);
        isAll = segments.Segments.Sum(segment => segment.Bytes) <= most;
        return isAll ? Of(segments.Segments, types, arena, context) : [];
    }

    /// <summary>Segments of an exchange: they stay where they are, unless they are small.</summary>
    public static IReadOnlyList<BuildFrame> Of(IReadOnlyList<InputSegment> segments, ValueList<DataType> types, TaskArena arena, TaskContext context)
    {
        if (segments.Count > FewFrames && segments.Sum(segment => (long)segment.Rows) < (long)FewRows * segments.Count)
        {
            using var batches = new SegmentBatches(segments, types, new TaskArena(context, "exchange read"), context.CancellationToken);
            return Of(batches, types, arena, long.MaxValue, out _);
        }
        var frames = new List<BuildFrame>(segments.Count);
        try
        {
            foreach (var segment in segments)
            {
                arena.Charge(segment.Bytes);
                var view = segment.Open();
                fixed (byte* bytes = view.Bytes) frames.Add(new BuildFrame(view, (nint)bytes, view.Bytes.Length));
            }
            return frames;
        }
        catch
        {
            foreach (var frame in frames) frame.Lease?.Dispose();
            throw;
        }
    }

    // Batches, copied.
    private static List<BuildFrame> Of(BatchReader batches, ValueList<DataType> types, TaskArena arena, long most, out bool isAll)
    {
        var frames = new List<BuildFrame>();
        var store = new RowStore(arena, types);
        var bytes = 0L;
        isAll = true;
        while (isAll && batches.TryNext(out var batch))
        {
            var rows = batch.Selection;
            while (rows.Length > 0)
            {
                var count = Math.Min(rows.Length, ColumnBatch.MaxRows - store.Count);
                store.Append(batch.Columns, rows[..count]);
                rows = rows[count..];
                if (store.Count == ColumnBatch.MaxRows) Flush();
            }
            isAll = bytes <= most;
        }
        if (store.Count > 0) Flush();
        store.Return();
        return frames;

        void Flush()
        {
            var size = Frame.SizeOf(store);
            var buffer = arena.Rent(size);
            Frame.Write(store, buffer.Pointer);
            frames.Add(new BuildFrame(null, (nint)buffer.Pointer, size));
            bytes += size;
            store.Clear();
        }
    }
}
