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

    /// <summary>Segments of an exchange: they stay where they are, unless they are small.</summary>
    public static IReadOnlyList<BuildFrame> Of(IReadOnlyList<InputSegment> segments, ValueList<DataType> types, TaskArena arena, TaskContext context)
    {
        if (segments.Count > FewFrames && segments.Sum(segment => (long)segment.Rows) < (long)FewRows * segments.Count)
        {
            using var batches = new SegmentBatches(segments, types, new TaskArena(context, "exchange read"), context.CancellationToken);
            return Of(batches, types, arena);
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

    /// <summary>Batches, copied.</summary>
    public static IReadOnlyList<BuildFrame> Of(BatchReader batches, ValueList<DataType> types, TaskArena arena)
    {
        var frames = new List<BuildFrame>();
        var store = new RowStore(arena, types);
        while (batches.TryNext(out var batch))
        {
            var rows = batch.Selection;
            while (rows.Length > 0)
            {
                var count = Math.Min(rows.Length, ColumnBatch.MaxRows - store.Count);
                store.Append(batch.Columns, rows[..count]);
                rows = rows[count..];
                if (store.Count == ColumnBatch.MaxRows) Flush();
            }
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
            store.Clear();
        }
    }
}
