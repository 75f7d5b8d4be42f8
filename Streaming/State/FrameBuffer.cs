using Dataflow.Sql.Exchange;
using Dataflow.Sql.Rows;
using Dataflow.Storage;

namespace Dataflow.Streaming.State;

/// <summary>Makes frames in one piece of memory, one after the other.</summary>
internal sealed unsafe class FrameBuffer(TaskArena arena)
{
    private NativeBuffer? _bytes;

    /// <summary>All rows of a store as a frame, which is lent until the next call.</summary>
    public ReadOnlySpan<byte> Of(RowStore store) => Of(store.Show(), store.Count);

    /// <summary>Rows of flat vectors as a frame, which is lent until the next call.</summary>
    /// <param name="columns">The vectors.</param>
    /// <param name="rows">How many rows, from the first on.</param>
    public ReadOnlySpan<byte> Of(ReadOnlySpan<ColumnVector> columns, int rows)
    {
        var size = Frame.SizeOf(columns, rows);
        if (_bytes is null || _bytes.Length < size)
        {
            if (_bytes is not null) arena.Return(_bytes);
            _bytes = arena.Rent(size);
        }
        Frame.Write(columns, rows, _bytes.Pointer);
        return new ReadOnlySpan<byte>(_bytes.Pointer, size);
    }
}
