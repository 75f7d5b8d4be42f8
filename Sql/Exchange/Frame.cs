using System.Runtime.CompilerServices;
using Dataflow.Errors;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Rows;

namespace Dataflow.Sql.Exchange;

/// <summary>
/// Rows as bytes, by column: what exchanges hand over, in memory, in a file or over a wire. Columns of fixed width are read in place.
/// </summary>
/// <remarks>
/// Layout, little-endian, every part at a multiple of 16: rows and number of columns (4 bytes each); for each column its flags (4 bytes; 1: has nulls)
/// and the bytes of its text (4 bytes); then for each column the bits of rows that have values, if it has nulls; the values (bits, fixed width, or
/// 4-byte lengths); and the text.
/// </remarks>
internal static unsafe class Frame
{
    private const int HasNulls = 1;

    /// <summary>Bytes that a frame of a store takes.</summary>
    public static int SizeOf(RowStore store) => SizeOf(store.Show(), store.Count);

    /// <summary>Writes all rows of a store.</summary>
    /// <param name="store">The rows.</param>
    /// <param name="target">As many bytes as <see cref="SizeOf(RowStore)"/> says.</param>
    public static void Write(RowStore store, byte* target) => Write(store.Show(), store.Count, target);

    /// <summary>Bytes that a frame of flat vectors takes.</summary>
    public static int SizeOf(ReadOnlySpan<ColumnVector> columns, int rows)
    {
        var size = (long)Header(columns.Length);
        foreach (var column in columns)
        {
            if (column.Validity != null) size += Padded(BitBytes(rows));
            size += Padded(ValueBytes(column.Type.Physical, rows));
            if (column.Type.Physical == PhysicalType.View) size += Padded(TextBytes(column, rows));
        }
        return checked((int)size);
    }

    /// <summary>Writes rows of flat vectors.</summary>
    /// <param name="columns">The vectors; views of rows that are null are empty.</param>
    /// <param name="rows">How many rows, from the first on.</param>
    /// <param name="target">As many bytes as <see cref="SizeOf(ReadOnlySpan{ColumnVector}, int)"/> says.</param>
    public static void Write(ReadOnlySpan<ColumnVector> columns, int rows, byte* target)
    {
        var header = (int*)target;
        header[0] = rows;
        header[1] = columns.Length;
        var place = target + Header(columns.Length);
        for (var i = 0; i < columns.Length; i++)
        {
            var column = columns[i];
            var isText = column.Type.Physical == PhysicalType.View;
            var text = isText ? TextBytes(column, rows) : 0;
            header[2 + (2 * i)] = column.Validity != null ? HasNulls : 0;
            header[3 + (2 * i)] = text;
            if (column.Validity != null)
            {
                Unsafe.CopyBlockUnaligned(place, column.Validity, (uint)BitBytes(rows));
                place += Padded(BitBytes(rows));
            }
            var bytes = ValueBytes(column.Type.Physical, rows);
            if (isText)
            {
                var views = (StringView*)column.Data;
                var lengths = (int*)place;
                for (var row = 0; row < rows; row++) lengths[row] = views[row].Length;
                place += Padded(bytes);
                var to = place;
                for (var row = 0; row < rows; row++)
                {
                    Unsafe.CopyBlockUnaligned(to, StringView.PointerOf(views + row), (uint)views[row].Length);
                    to += views[row].Length;
                }
                place += Padded(text);
                continue;
            }
            Unsafe.CopyBlockUnaligned(place, column.Data, (uint)bytes);
            place += Padded(bytes);
        }
    }

    internal static int Header(int columns) => Padded(8 + (8 * columns));

    internal static int Padded(int bytes) => (bytes + 15) & ~15;

    internal static int BitBytes(int rows) => (rows + 63) / 64 * 8;

    internal static int ValueBytes(PhysicalType physical, int rows) => physical switch
    {
        PhysicalType.Bit => BitBytes(rows),
        PhysicalType.View => rows * sizeof(int),
        _ => rows * DataType.WidthOf(physical),
    };

    private static int TextBytes(ColumnVector column, int rows)
    {
        var views = (StringView*)column.Data;
        var bytes = 0L;
        for (var row = 0; row < rows; row++) bytes += views[row].Length;
        return checked((int)bytes);
    }
}

/// <summary>Reads frames as batches.</summary>
internal sealed unsafe class FrameReader
{
    private readonly DataType[] _types;
    private readonly StringView*[] _views;
    private readonly byte[]?[] _managed;
    private readonly ColumnBatch _batch;
    private readonly int _mostRows = ColumnBatch.MaxRows;
    private readonly Func<int, nint>? _viewsFor;

    /// <param name="arena">Where views go; null for the managed heap, outside tasks.</param>
    /// <param name="types">The types of the columns.</param>
    /// <param name="mostRows">Most rows of a frame.</param>
    public FrameReader(TaskArena? arena, IEnumerable<DataType> types, int mostRows = ColumnBatch.MaxRows) : this(types, null)
    {
        _mostRows = mostRows;
        var bytes = mostRows * 16;
        for (var i = 0; i < _types.Length; i++)
        {
            if (_types[i].Physical != PhysicalType.View) continue;
            if (arena is not null) _views[i] = (StringView*)arena.Rent(bytes).Pointer;
            else _views[i] = (StringView*)Unsafe.AsPointer(ref (_managed[i] = GC.AllocateUninitializedArray<byte>(bytes, pinned: true))[0]);
        }
    }

    private FrameReader(IEnumerable<DataType> types, Func<int, nint>? viewsFor)
    {
        _types = [.. types];
        _views = new StringView*[_types.Length];
        _managed = new byte[]?[_types.Length];
        _viewsFor = viewsFor;
        _batch = new ColumnBatch([.. _types.Select(type => new ColumnVector(type))]);
    }

    /// <summary>A reader whose frames stay: the views of each get memory of their own.</summary>
    /// <param name="types">The types of the columns.</param>
    /// <param name="viewsFor">Memory for as many views.</param>
    public static FrameReader Keeping(IEnumerable<DataType> types, Func<int, nint> viewsFor) => new(types, viewsFor);

    /// <summary>Shows a frame as a batch, which is lent as long as the bytes stay and until the next call.</summary>
    /// <exception cref="CorruptDataException">The bytes are no frame of these columns.</exception>
    public ColumnBatch Read(ReadOnlySpan<byte> frame)
    {
        fixed (byte* bytes = frame)
        {
            var header = (int*)bytes;
            if (frame.Length < Frame.Header(_types.Length) || header[1] != _types.Length || header[0] < 0 || header[0] > _mostRows) throw Corrupt("its header");
            var rows = header[0];
            var left = (long)frame.Length - Frame.Header(_types.Length);
            var place = bytes + Frame.Header(_types.Length);
            for (var i = 0; i < _types.Length; i++)
            {
                var hasNulls = header[2 + (2 * i)] != 0;
                var text = header[3 + (2 * i)];
                var size = (hasNulls ? Frame.Padded(Frame.BitBytes(rows)) : 0L) + Frame.Padded(Frame.ValueBytes(_types[i].Physical, rows)) + Frame.Padded(text);
                if (text < 0 || size > left) throw Corrupt($"column {i}");
                left -= size;
                place = Show(i, rows, hasNulls, text, place);
            }
            _batch.Set(rows);
            return _batch;
        }
    }

    private byte* Show(int column, int rows, bool hasNulls, int text, byte* place)
    {
        var vector = _batch.Columns[column];
        vector.Form = VectorForm.Flat;
        vector.Length = rows;
        vector.Validity = null;
        if (hasNulls)
        {
            vector.Validity = (ulong*)place;
            place += Frame.Padded(Frame.BitBytes(rows));
        }
        var values = place;
        place += Frame.Padded(Frame.ValueBytes(vector.Type.Physical, rows));
        if (vector.Type.Physical != PhysicalType.View)
        {
            vector.Data = values;
            return place;
        }
        var views = _viewsFor is null ? _views[column] : (StringView*)_viewsFor(rows);
        var lengths = (int*)values;
        var from = place;
        var end = place + text;
        for (var row = 0; row < rows; row++)
        {
            if (lengths[row] < 0 || lengths[row] > end - from) throw Corrupt($"the text of column {column}");
            views[row] = StringView.Of(from, lengths[row]);
            from += lengths[row];
        }
        vector.Data = (byte*)views;
        return place + Frame.Padded(text);
    }

    private static CorruptDataException Corrupt(string what) => new($"A frame of rows is damaged: {what} does not fit it.");
}
