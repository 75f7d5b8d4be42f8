using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;
using Dataflow.Storage;

namespace Dataflow.Sql.Rows;

/// <summary>
/// One column of rows that an operator keeps: flat, growing, with the text it points at. Rows are added by batch and read by number.
/// </summary>
/// <remarks>Memory doubles as it grows; text is copied once.</remarks>
internal sealed unsafe class ColumnStore
{
    private const int FirstRows = 256;

    private readonly TaskArena _arena;
    private TextHeap? _heap;
    private NativeBuffer _data;
    private NativeBuffer? _validity;
    private int _capacity;

    public ColumnStore(TaskArena arena, DataType type)
    {
        _arena = arena;
        Type = type;
        if (type.Physical == PhysicalType.View) _heap = new TextHeap(arena);
        _capacity = FirstRows;
        _data = arena.Rent(BytesFor(_capacity));
    }

    public DataType Type { get; }

    public int Count { get; private set; }

    /// <summary>Bytes of text beside the views.</summary>
    public long TextBytes { get; private set; }

    /// <summary>The values; bits for booleans.</summary>
    public byte* Data => _data.Pointer;

    /// <summary>A bit a row, set if it has a value; null if all have.</summary>
    public ulong* Validity => _validity is null ? null : (ulong*)_validity.Pointer;

    /// <summary>Forgets all rows; memory is kept.</summary>
    public void Clear()
    {
        Count = 0;
        TextBytes = 0;
        _heap?.Clear();
        if (_validity is null) return;
        _arena.Return(_validity);
        _validity = null;
    }

    /// <summary>Forgets the first rows; those behind them move to the front.</summary>
    public void DropFirst(int rows)
    {
        var left = Count - rows;
        if (Type.Physical == PhysicalType.Bit) MoveBits((ulong*)_data.Pointer, rows, left);
        else Buffer.MemoryCopy(_data.Pointer + ((nint)rows * Type.ByteWidth), _data.Pointer, _data.Length, (long)left * Type.ByteWidth);
        if (_validity is not null) MoveBits(Validity, rows, left);
        Count = left;
        if (_heap is null) return;
        var old = _heap;
        _heap = new TextHeap(_arena);
        TextBytes = 0;
        CopyText((StringView*)_data.Pointer, left);
        old.Return();
    }

    /// <summary>Gives all memory back; nothing may be asked of it any more.</summary>
    public void Return()
    {
        _arena.Return(_data);
        if (_validity is not null) _arena.Return(_validity);
        _heap?.Return();
        Count = 0;
    }

    /// <summary>Adds rows of a vector.</summary>
    /// <param name="vector">The vector.</param>
    /// <param name="rows">Which of its rows.</param>
    public void Append(ColumnVector vector, ReadOnlySpan<ushort> rows)
    {
        Reserve(Count + rows.Length);
        switch (Type.Physical)
        {
            case PhysicalType.Bit: AppendBits(vector, rows); break;
            case PhysicalType.Int8: AppendFixed<byte>(vector, rows); break;
            case PhysicalType.Int16: AppendFixed<short>(vector, rows); break;
            case PhysicalType.Int32 or PhysicalType.Float32: AppendFixed<int>(vector, rows); break;
            case PhysicalType.Int64 or PhysicalType.Float64: AppendFixed<long>(vector, rows); break;
            case PhysicalType.Int128: AppendFixed<Int128>(vector, rows); break;
            case PhysicalType.View: AppendViews(vector, rows); break;
            default: throw new InvalidOperationException($"Columns of {Type} can't be kept yet: select their fields instead.");
        }
        AppendValidity(vector, rows);
        Count += rows.Length;
    }

    /// <summary>Shows rows as a vector, in place, until rows are added.</summary>
    /// <param name="start">First row; a multiple of 64.</param>
    /// <param name="count">How many.</param>
    /// <param name="vector">Set.</param>
    public void Show(int start, int count, ColumnVector vector)
    {
        vector.Form = VectorForm.Flat;
        vector.Length = count;
        vector.Data = _data.Pointer + (Type.Physical == PhysicalType.Bit ? start / 8 : (nint)start * Type.ByteWidth);
        vector.Validity = _validity is null ? null : Validity + (start / 64);
        vector.Bounds = null;
    }

    /// <summary>Copies rows into a vector.</summary>
    /// <param name="rows">Row numbers; -1 gives null.</param>
    /// <param name="target">Filled and set. Text is pointed at, not copied.</param>
    public ColumnVector Gather(ReadOnlySpan<int> rows, FlatVector target)
    {
        switch (Type.Physical)
        {
            case PhysicalType.Bit: GatherBits(rows, target); break;
            case PhysicalType.Int8: GatherFixed<byte>(rows, target); break;
            case PhysicalType.Int16: GatherFixed<short>(rows, target); break;
            case PhysicalType.Int32 or PhysicalType.Float32: GatherFixed<int>(rows, target); break;
            case PhysicalType.Int64 or PhysicalType.Float64: GatherFixed<long>(rows, target); break;
            default: GatherFixed<Int128>(rows, target); break;
        }
        var hasNulls = false;
        var validity = Validity;
        for (var word = 0; word << 6 < rows.Length; word++)
        {
            var bits = 0UL;
            var first = word << 6;
            var count = Math.Min(64, rows.Length - first);
            for (var i = 0; i < count; i++)
            {
                var row = rows[first + i];
                if (row >= 0 && (validity == null || (validity[row >> 6] >> (row & 63) & 1) != 0)) bits |= 1UL << i;
            }
            target.Validity[word] = bits;
            hasNulls |= bits != (count == 64 ? ulong.MaxValue : (1UL << count) - 1);
        }
        return target.Set(rows.Length, hasNulls);
    }

    /// <summary>Whether a row is null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsNull(int row) => _validity is not null && (Validity[row >> 6] >> (row & 63) & 1) == 0;

    private int BytesFor(int rows) => Type.Physical == PhysicalType.Bit ? (rows + 63) / 64 * 8 : checked(rows * Type.ByteWidth);

    /// <summary>Takes memory for so many rows at once.</summary>
    public void Reserve(int rows)
    {
        if (rows <= _capacity) return;
        var capacity = Math.Max(rows, checked(_capacity * 2));
        _data = Regrow(_data, BytesFor(capacity), BytesFor(Count));
        if (_validity is not null) _validity = Regrow(_validity, (capacity + 63) / 64 * 8, (Count + 63) / 64 * 8);
        _capacity = capacity;
    }

    private NativeBuffer Regrow(NativeBuffer old, int bytes, int used)
    {
        var grown = _arena.Rent(bytes);
        Buffer.MemoryCopy(old.Pointer, grown.Pointer, grown.Length, used);
        _arena.Return(old);
        return grown;
    }

    private void AppendFixed<T>(ColumnVector vector, ReadOnlySpan<ushort> rows) where T : unmanaged
    {
        var target = (T*)_data.Pointer + Count;
        switch (vector.Form)
        {
            case VectorForm.Constant: new Span<T>(target, rows.Length).Fill(*(T*)vector.Data); break;
            case VectorForm.Dictionary:
                var values = (T*)vector.Dictionary!.Values.Data;
                var codes = vector.Codes;
                for (var i = 0; i < rows.Length; i++) target[i] = values[codes[rows[i]]];
                break;
            default:
                var source = (T*)vector.Data;
                if (rows.Length == vector.Length) new ReadOnlySpan<T>(source, rows.Length).CopyTo(new Span<T>(target, rows.Length));
                else for (var i = 0; i < rows.Length; i++) target[i] = source[rows[i]];
                break;
        }
    }

    private void AppendViews(ColumnVector vector, ReadOnlySpan<ushort> rows)
    {
        AppendFixed<Int128>(vector, rows);
        var target = (StringView*)_data.Pointer + Count;
        if (vector.Validity != null)
        {
            for (var i = 0; i < rows.Length; i++)
            {
                if (vector.IsNull(rows[i])) target[i] = default;
            }
        }
        CopyText(target, rows.Length);
    }

    private void CopyText(StringView* views, int count)
    {
        for (var i = 0; i < count; i++)
        {
            if (views[i].IsInline) continue;
            var copy = _heap!.Allocate(views[i].Length);
            Unsafe.CopyBlockUnaligned(copy, views[i].Pointer, (uint)views[i].Length);
            TextBytes += views[i].Length;
            views[i].Pointer = copy;
        }
    }

    private static void MoveBits(ulong* words, int from, int count)
    {
        for (var i = 0; i < count; i++) SetBit(words, i, (words[(from + i) >> 6] >> ((from + i) & 63) & 1) != 0);
    }

    private void AppendBits(ColumnVector vector, ReadOnlySpan<ushort> rows)
    {
        var target = (ulong*)_data.Pointer;
        for (var i = 0; i < rows.Length; i++)
        {
            SetBit(target, Count + i, vector.Bit(rows[i]));
        }
    }

    private void AppendValidity(ColumnVector vector, ReadOnlySpan<ushort> rows)
    {
        if (_validity is null)
        {
            if (vector.Validity == null) return;
            _validity = _arena.Rent((_capacity + 63) / 64 * 8);
            new Span<byte>(_validity.Pointer, _validity.Length).Fill(0xFF);
        }
        var bits = Validity;
        for (var i = 0; i < rows.Length; i++) SetBit(bits, Count + i, vector.Validity == null || !vector.IsNull(rows[i]));
    }

    private void GatherFixed<T>(ReadOnlySpan<int> rows, FlatVector target) where T : unmanaged
    {
        var source = (T*)_data.Pointer;
        var to = (T*)target.Data;
        for (var i = 0; i < rows.Length; i++) to[i] = rows[i] < 0 ? default : source[rows[i]];
    }

    private void GatherBits(ReadOnlySpan<int> rows, FlatVector target)
    {
        var source = (ulong*)_data.Pointer;
        var to = (ulong*)target.Data;
        for (var i = 0; i < rows.Length; i++) SetBit(to, i, rows[i] >= 0 && (source[rows[i] >> 6] >> (rows[i] & 63) & 1) != 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SetBit(ulong* words, int index, bool value)
    {
        var bit = 1UL << (index & 63);
        if (value) words[index >> 6] |= bit;
        else words[index >> 6] &= ~bit;
    }
}
