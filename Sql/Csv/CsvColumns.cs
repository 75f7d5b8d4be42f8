using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Csv;

/// <summary>Records that were found in a piece of a file, and what is wrong with them.</summary>
internal sealed unsafe class CsvBlock(CsvDialect dialect, CsvIndexer index, TextHeap heap)
{
    private readonly bool[] _isBad = new bool[index.MostRows];
    private bool? _isUtf8;

    public CsvIndexer Index => index;

    public TextHeap Heap => heap;

    public byte* Data { get; private set; }

    public int Rows { get; private set; }

    /// <summary>Fields of each record, where all have as many; else 0.</summary>
    public int Width { get; private set; }

    /// <summary>The first record that is wrong, and which column of it: -1 for the number of fields. A negative row if none is.</summary>
    public (int Row, int Column) FirstBad { get; private set; }

    /// <summary>The first record with a value that is not of its column's type, and which column. A negative row if there is none.</summary>
    public (int Row, int Column) FirstUnlike { get; private set; }

    /// <summary>Whether all that the records hold is UTF-8.</summary>
    public bool IsUtf8 => _isUtf8 ??= Rows == 0 || System.Text.Unicode.Utf8.IsValid(new ReadOnlySpan<byte>(Data + index.Record(0).Start, index.Next - index.Record(0).Start));

    public bool IsBad(int row) => _isBad[row];

    /// <summary>Takes what the indexer found.</summary>
    /// <param name="data">The bytes.</param>
    /// <param name="width">How many fields records should have.</param>
    public void Set(byte* data, int width)
    {
        Data = data;
        Rows = index.Rows;
        _isUtf8 = null;
        if (FirstBad.Row >= 0) _isBad.AsSpan().Clear();
        FirstBad = (-1, 0);
        FirstUnlike = (-1, 0);
        Width = width;
        heap.Clear();
        if (index.IsRegular(width)) return;
        Width = 0;
        for (var row = 0; row < Rows; row++)
        {
            if (index.FieldCount(row) != width) Bad(row, -1);
        }
    }

    public void Bad(int row, int column)
    {
        _isBad[row] = true;
        if (FirstBad.Row < 0 || row < FirstBad.Row) FirstBad = (row, column);
        if (column >= 0 && (FirstUnlike.Row < 0 || row < FirstUnlike.Row)) FirstUnlike = (row, column);
    }

    /// <summary>The text of a field.</summary>
    /// <returns>False if it is null.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryField(int row, int column, out byte* text, out int length)
    {
        ulong field;
        if (Width > 0)
        {
            field = index.Fields[(row * Width) + column];
        }
        else
        {
            text = null;
            length = 0;
            if (column >= index.FieldCount(row)) return false;
            field = index.Fields[index.FirstField(row) + column];
        }
        var start = CsvIndexer.StartOf(field);
        text = Data + start;
        length = CsvIndexer.EndOf(field) - start;
        if ((long)field < 0) return Unquoted(ref text, ref length);
        return length == 0 ? dialect.NullValue.Length > 0 : dialect.NullValue.Length == 0 || !new ReadOnlySpan<byte>(text, length).SequenceEqual(dialect.NullValue);
    }

    private bool Unquoted(ref byte* text, ref int length)
    {
        var quote = (byte)dialect.Quote;
        var escape = (byte)dialect.Escape;
        var inside = new ReadOnlySpan<byte>(text + 1, length - 1);
        if (inside.IndexOfAny(quote, escape) == inside.Length - 1 && inside.Length > 0 && inside[^1] == quote)
        {
            text++;
            length -= 2;
            return true;
        }
        var to = heap.Allocate(length);
        var (count, isOpen) = (0, true);
        for (var i = 0; i < inside.Length; i++)
        {
            var each = inside[i];
            var next = i + 1 < inside.Length ? inside[i + 1] : -1;
            if (isOpen && each == escape && (next == quote || (escape != quote && next == escape))) to[count++] = inside[++i];
            else if (isOpen && each == quote) isOpen = false;
            else to[count++] = each;
        }
        text = to;
        length = count;
        return true;
    }
}

/// <summary>Reads one column of records into a vector.</summary>
/// <param name="column">Its position in the file.</param>
internal abstract unsafe class CsvColumn(int column)
{
    protected int Column => column;

    public abstract ColumnVector Vector { get; }

    /// <summary>Reads the column.</summary>
    /// <param name="block">The records.</param>
    /// <param name="wanted">A bit a record, set if it counts; null for all. Others become nothing in particular.</param>
    public abstract void Read(CsvBlock block, ulong* wanted);

    /// <summary>Whether a record counts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static bool Counts(ulong* wanted, int row) => wanted == null || Bits.Get(wanted, row);
}

/// <summary>A column of a fixed width.</summary>
internal sealed unsafe class CsvColumn<T, TParser>(TaskArena arena, DataType type, int column, TParser parser) : CsvColumn(column)
    where T : unmanaged
    where TParser : struct, IFieldParser<T>
{
    private readonly FlatVector _vector = new(arena, type);

    public override ColumnVector Vector => _vector.Vector;

    public override void Read(CsvBlock block, ulong* wanted)
    {
        var values = (T*)_vector.Data;
        var hasNulls = false;
        for (var row = 0; row < block.Rows; row++)
        {
            if (!Counts(wanted, row))
            {
                values[row] = default;
                continue;
            }
            if (block.TryField(row, Column, out var text, out var length))
            {
                if (parser.TryParse(text, length, out values[row])) continue;
                block.Bad(row, Column);
            }
            values[row] = default;
            if (!hasNulls) Bits.Fill(_vector.Validity, ColumnBatch.MaxRows);
            hasNulls = true;
            Bits.Clear(_vector.Validity, row);
        }
        _vector.Set(block.Rows, hasNulls);
    }
}

/// <summary>Text: views of the file's bytes.</summary>
internal sealed unsafe class CsvTextColumn(TaskArena arena, DataType type, int column) : CsvColumn(column)
{
    private readonly FlatVector _vector = new(arena, type);

    public override ColumnVector Vector => _vector.Vector;

    public override void Read(CsvBlock block, ulong* wanted)
    {
        var views = (StringView*)_vector.Data;
        var hasNulls = false;
        var isRight = _vector.Vector.Type.Kind == TypeKind.Binary || block.IsUtf8;
        for (var row = 0; row < block.Rows; row++)
        {
            if (!Counts(wanted, row))
            {
                views[row] = default;
                continue;
            }
            if (block.TryField(row, Column, out var text, out var length))
            {
                views[row] = isRight ? StringView.Of(text, length) : TextRepair.View(block.Heap, text, length);
                continue;
            }
            views[row] = default;
            if (!hasNulls) Bits.Fill(_vector.Validity, ColumnBatch.MaxRows);
            hasNulls = true;
            Bits.Clear(_vector.Validity, row);
        }
        _vector.Set(block.Rows, hasNulls);
    }
}

/// <summary>true and false.</summary>
internal sealed unsafe class CsvBooleanColumn(TaskArena arena, int column) : CsvColumn(column)
{
    private readonly FlatVector _vector = new(arena, DataType.Boolean);

    public override ColumnVector Vector => _vector.Vector;

    public static bool? Parse(ReadOnlySpan<byte> text) => text.Length switch
    {
        4 when System.Text.Ascii.EqualsIgnoreCase(text, "true"u8) => true,
        5 when System.Text.Ascii.EqualsIgnoreCase(text, "false"u8) => false,
        _ => null,
    };

    public override void Read(CsvBlock block, ulong* wanted)
    {
        var bits = (ulong*)_vector.Data;
        Bits.Fill(_vector.Validity, ColumnBatch.MaxRows);
        var hasNulls = false;
        for (var row = 0; row < block.Rows; row++)
        {
            bool? value = null;
            if (block.TryField(row, Column, out var text, out var length))
            {
                value = Parse(new ReadOnlySpan<byte>(text, length));
                if (value is null) block.Bad(row, Column);
            }
            if (value is true) Bits.Set(bits, row);
            else Bits.Clear(bits, row);
            if (value is not null) continue;
            hasNulls = true;
            Bits.Clear(_vector.Validity, row);
        }
        _vector.Set(block.Rows, hasNulls);
    }
}

/// <summary>Records that are wrong, as they stand; null for others.</summary>
internal sealed unsafe class CsvCorruptColumn(TaskArena arena) : CsvColumn(-1)
{
    private readonly FlatVector _vector = new(arena, DataType.String);

    public override ColumnVector Vector => _vector.Vector;

    public override void Read(CsvBlock block, ulong* wanted)
    {
        var views = (StringView*)_vector.Data;
        Bits.Zero(_vector.Validity, ColumnBatch.MaxRows);
        for (var row = 0; row < block.Rows; row++)
        {
            views[row] = default;
            if (!block.IsBad(row)) continue;
            var (start, length) = block.Index.Record(row);
            views[row] = TextRepair.View(block.Heap, block.Data + start, length);
            Bits.Set(_vector.Validity, row);
        }
        _vector.Set(block.Rows, true);
    }
}

/// <summary>Chooses what reads a column.</summary>
internal static class CsvColumns
{
    /// <summary>What reads a column of a type.</summary>
    /// <exception cref="QueryException">Text can't become such values.</exception>
    public static CsvColumn Of(DataType type, int column, TaskArena arena, CsvFormats formats, string name) => type.Kind switch
    {
        TypeKind.Boolean => new CsvBooleanColumn(arena, column),
        TypeKind.TinyInt => new CsvColumn<sbyte, IntegerParser<sbyte>>(arena, type, column, default),
        TypeKind.SmallInt => new CsvColumn<short, IntegerParser<short>>(arena, type, column, default),
        TypeKind.Int => new CsvColumn<int, IntegerParser<int>>(arena, type, column, default),
        TypeKind.BigInt => new CsvColumn<long, IntegerParser<long>>(arena, type, column, default),
        TypeKind.Float => new CsvColumn<float, FloatParser<float>>(arena, type, column, default),
        TypeKind.Double => new CsvColumn<double, FloatParser<double>>(arena, type, column, default),
        TypeKind.Decimal when type.Physical == PhysicalType.Int64 => new CsvColumn<long, DecimalParser<long>>(arena, type, column, new((DecimalType)type)),
        TypeKind.Decimal => new CsvColumn<Int128, DecimalParser<Int128>>(arena, type, column, new((DecimalType)type)),
        TypeKind.Date when formats.Date is { } format => new CsvColumn<int, FormattedDateParser>(arena, type, column, new(format)),
        TypeKind.Date => new CsvColumn<int, DateParser>(arena, type, column, default),
        TypeKind.Timestamp or TypeKind.TimestampNtz when formats.Timestamp is { } format =>
            new CsvColumn<long, FormattedTimestampParser>(arena, type, column, new(format, type.Kind == TypeKind.Timestamp ? formats.FindZone() : null)),
        TypeKind.Timestamp or TypeKind.TimestampNtz => new CsvColumn<long, TimestampParser>(arena, type, column, new(type.Kind == TypeKind.Timestamp ? formats.FindZone() : null)),
        TypeKind.String or TypeKind.Binary => new CsvTextColumn(arena, type, column),
        _ => throw new QueryException("UNSUPPORTED_DATATYPE", $"Column '{name}' of a CSV file can't be {type}. Read it as string and take it apart in the query."),
    };
}

/// <summary>How times are written.</summary>
/// <param name="Date">.NET's format of dates; null for the usual one.</param>
/// <param name="Timestamp">.NET's format of timestamps; null for the usual one.</param>
/// <param name="Zone">The zone of timestamps that name none.</param>
internal sealed record CsvFormats(string? Date, string? Timestamp, string Zone)
{
    public Zone FindZone() => Kernels.Zone.Find(Zone) ?? throw new QueryException("INVALID_TIMEZONE", $"There is no time zone '{Zone}'.");
}
