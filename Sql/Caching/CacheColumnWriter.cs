using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;
using Dataflow.Storage;

namespace Dataflow.Sql.Caching;

/// <summary>Gathers a column of a block. Texts that come as codes stay codes as long as all batches share a dictionary.</summary>
internal sealed unsafe class CacheColumnWriter
{
    // A dictionary that most rows do not share is no gain.
    private const int LeastRowsPerValue = 2;

    private readonly Growing _values;
    private readonly Growing _bits;
    private readonly Growing? _heap;
    private readonly Growing? _entries;
    private ColumnDictionary? _dictionary;
    private int _entryCount;
    private bool _isLong;
    private int _nulls;

    public CacheColumnWriter(DataType type, TaskArena arena)
    {
        Type = type;
        _values = new Growing(arena);
        _bits = new Growing(arena);
        if (type.Physical != PhysicalType.View) return;
        _heap = new Growing(arena);
        _entries = new Growing(arena);
    }

    public DataType Type { get; }

    /// <summary>Bytes of texts so far.</summary>
    public int TextBytes => _heap?.Length ?? 0;

    private int Rows { get; set; }

    private bool HasCodes => _dictionary is not null;

    /// <summary>Whether rows can be added as they are: codes of the dictionary that the block has already, or no codes at all.</summary>
    public bool Fits(ColumnVector vector) => Rows == 0 || Type.Physical != PhysicalType.View || (vector.Form == VectorForm.Dictionary ? vector.Dictionary : null) == _dictionary;

    /// <summary>Adds rows.</summary>
    /// <param name="vector">The column.</param>
    /// <param name="rows">Which of its rows.</param>
    public void Add(ColumnVector vector, ReadOnlySpan<ushort> rows)
    {
        AddValidity(vector, rows);
        if (Type.Physical == PhysicalType.View)
        {
            AddText(vector, rows);
        }
        else if (Type.Physical == PhysicalType.Bit)
        {
            _values.Reserve(CacheBlock.ValueBytes(PhysicalType.Bit, Rows + rows.Length));
            var bits = (ulong*)_values.Pointer;
            for (var i = 0; i < rows.Length; i++) Put(bits, Rows + i, vector.Bit(rows[i]));
        }
        else
        {
            var width = Type.ByteWidth;
            _values.Reserve((Rows + rows.Length) * width);
            var to = _values.Pointer + (Rows * width);
            switch (width)
            {
                case 1: Gather(vector, rows, to); break;
                case 2: Gather(vector, rows, (short*)to); break;
                case 4: Gather(vector, rows, (int*)to); break;
                case 8: Gather(vector, rows, (long*)to); break;
                default: Gather(vector, rows, (Int128*)to); break;
            }
        }
        Rows += rows.Length;
    }

    /// <summary>Settles what the column becomes; called once, before it is asked for its size.</summary>
    public void Finish()
    {
        if (HasCodes && (long)_entryCount * LeastRowsPerValue > Rows) Decode();
    }

    /// <summary>Bytes that it takes in a block.</summary>
    public int Size
    {
        get
        {
            var size = _nulls > 0 ? CacheBlock.Aligned(CacheBlock.ValueBytes(PhysicalType.Bit, Rows)) : 0;
            size += CacheBlock.Aligned(HasCodes ? Rows * sizeof(uint) : CacheBlock.ValueBytes(Type.Physical, Rows));
            if (HasCodes) size = checked(size + CacheBlock.Aligned(_entryCount * sizeof(StringView)));
            return checked(size + CacheBlock.Aligned(TextBytes));
        }
    }

    /// <summary>Writes it into a block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="place">Where it begins.</param>
    /// <param name="entry">Receives where things are.</param>
    /// <param name="zones">Receive what is known, batch by batch.</param>
    public void Write(byte* block, int place, CacheColumn* entry, CacheZone* zones)
    {
        *entry = default;
        if (_nulls > 0)
        {
            entry->Validity = place;
            Copy(_bits.Pointer, CacheBlock.ValueBytes(PhysicalType.Bit, Rows));
        }
        entry->Values = place;
        Copy(_values.Pointer, HasCodes ? Rows * sizeof(uint) : CacheBlock.ValueBytes(Type.Physical, Rows));
        if (HasCodes)
        {
            entry->Dictionary = place;
            entry->DictionaryCount = _entryCount;
            Copy(_entries!.Pointer, _entryCount * sizeof(StringView));
        }
        entry->Heap = place;
        entry->IsInline = _isLong ? 0 : 1;
        if (TextBytes > 0) Copy(_heap!.Pointer, TextBytes);
        CacheZones.Fill(this, zones);

        void Copy(byte* from, int bytes)
        {
            Buffer.MemoryCopy(from, block + place, bytes, bytes);
            place += CacheBlock.Aligned(bytes);
        }
    }

    /// <summary>Forgets all rows; memory is kept.</summary>
    public void Clear()
    {
        Rows = 0;
        _nulls = 0;
        _values.Length = 0;
        _bits.Length = 0;
        _dictionary = null;
        _entryCount = 0;
        _isLong = false;
        if (_heap is not null) _heap.Length = 0;
    }

    internal int RowCount => Rows;

    internal byte* Values => _values.Pointer;

    internal ulong* Validity => _nulls > 0 ? (ulong*)_bits.Pointer : null;

    internal bool IsCoded => HasCodes;

    /// <summary>The bytes of a view of this column, in the values or in the dictionary.</summary>
    internal ReadOnlySpan<byte> TextOf(StringView* view) =>
        view->Length <= StringView.MaxInline ? new ReadOnlySpan<byte>((byte*)view + 4, view->Length) : new ReadOnlySpan<byte>(_heap!.Pointer + (nint)view->Pointer, view->Length);

    internal StringView* Entries => (StringView*)_entries!.Pointer;

    internal int EntryCount => _entryCount;

    private void AddValidity(ColumnVector vector, ReadOnlySpan<ushort> rows)
    {
        // Bits begin with the first null.
        if (_nulls == 0 && vector.Validity == null) return;
        _bits.Reserve(CacheBlock.ValueBytes(PhysicalType.Bit, Rows + rows.Length));
        var bits = (ulong*)_bits.Pointer;
        if (_nulls == 0) Bits.Fill(bits, Rows);
        for (var i = 0; i < rows.Length; i++)
        {
            var isNull = vector.IsNull(rows[i]);
            if (isNull) _nulls++;
            Put(bits, Rows + i, !isNull);
        }
    }

    private void AddText(ColumnVector vector, ReadOnlySpan<ushort> rows)
    {
        if (!Fits(vector)) Decode();
        if (vector.Form == VectorForm.Dictionary && (Rows == 0 || HasCodes))
        {
            if (_dictionary is null) Take(vector.Dictionary!);
            _values.Reserve((Rows + rows.Length) * sizeof(uint));
            Gather(vector.Codes, rows, (uint*)_values.Pointer + Rows);
            return;
        }
        _values.Reserve((Rows + rows.Length) * sizeof(StringView));
        var views = (StringView*)_values.Pointer + Rows;
        for (var i = 0; i < rows.Length; i++) views[i] = vector.IsNull(rows[i]) ? default : Kept((StringView*)vector.ValueAt(rows[i]));
    }

    private void Take(ColumnDictionary dictionary)
    {
        _dictionary = dictionary;
        _entryCount = dictionary.Count;
        _entries!.Length = 0;
        _entries.Reserve(_entryCount * sizeof(StringView));
        var values = (StringView*)dictionary.Values.Data;
        for (var i = 0; i < _entryCount; i++) Entries[i] = Kept(values + i);
    }

    // Codes become views; the bytes are there already.
    private void Decode()
    {
        if (!HasCodes) return;
        var codes = (uint*)_values.Pointer;
        _values.Reserve(Rows * sizeof(StringView));
        codes = (uint*)_values.Pointer;
        var views = (StringView*)_values.Pointer;
        for (var row = Rows - 1; row >= 0; row--) views[row] = Entries[codes[row]];
        _dictionary = null;
    }

    private StringView Kept(StringView* view)
    {
        var length = view->Length;
        if (length <= StringView.MaxInline) return *view;
        _isLong = true;
        var at = _heap!.Length;
        _heap.Reserve(checked(at + length));
        Buffer.MemoryCopy(view->Pointer, _heap.Pointer + at, length, length);
        var kept = *view;
        kept.Pointer = (byte*)at;
        return kept;
    }

    private static void Gather<T>(ColumnVector vector, ReadOnlySpan<ushort> rows, T* to) where T : unmanaged
    {
        switch (vector.Form)
        {
            case VectorForm.Flat:
                Gather((T*)vector.Data, rows, to);
                break;
            case VectorForm.Constant:
                new Span<T>(to, rows.Length).Fill(vector.IsNullConstant ? default : *(T*)vector.Data);
                break;
            default:
                var values = (T*)vector.Dictionary!.Values.Data;
                for (var i = 0; i < rows.Length; i++) to[i] = values[vector.Codes[rows[i]]];
                break;
        }
    }

    private static void Gather<T>(T* from, ReadOnlySpan<ushort> rows, T* to) where T : unmanaged
    {
        if (rows.Length > 0 && rows[^1] - rows[0] == rows.Length - 1)
        {
            new ReadOnlySpan<T>(from + rows[0], rows.Length).CopyTo(new Span<T>(to, rows.Length));
            return;
        }
        for (var i = 0; i < rows.Length; i++) to[i] = from[rows[i]];
    }

    private static void Put(ulong* bits, int row, bool value)
    {
        var bit = 1UL << (row & 63);
        if (value) bits[row >> 6] |= bit;
        else bits[row >> 6] &= ~bit;
    }

    /// <summary>Bytes in one piece that grows.</summary>
    private sealed class Growing(TaskArena arena)
    {
        private NativeBuffer? _buffer;

        public byte* Pointer => _buffer is null ? null : _buffer.Pointer;

        public int Length { get; set; }

        public void Reserve(int bytes)
        {
            if (_buffer is null || bytes > _buffer.Length)
            {
                var larger = arena.Rent(Math.Max(bytes, (int)Math.Min(Array.MaxLength, 2L * (_buffer?.Length ?? (32 << 10)))));
                if (_buffer is not null)
                {
                    Buffer.MemoryCopy(_buffer.Pointer, larger.Pointer, larger.Length, Length);
                    arena.Return(_buffer);
                }
                _buffer = larger;
            }
            Length = Math.Max(Length, bytes);
        }
    }
}
