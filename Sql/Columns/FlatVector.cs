using Dataflow.Storage;

namespace Dataflow.Sql.Columns;

/// <summary>A flat vector with memory of its own for <see cref="ColumnBatch.MaxRows"/> rows: what operators write into, batch after batch.</summary>
/// <remarks>For text it holds the views; bytes that no input lends come from a <see cref="TextHeap"/>.</remarks>
public sealed unsafe class FlatVector
{
    private readonly NativeBuffer _data;
    private readonly NativeBuffer _bits;

    /// <summary>A vector in an arena.</summary>
    /// <param name="arena">Whose memory it takes.</param>
    /// <param name="type">A type without child vectors.</param>
    public FlatVector(TaskArena arena, DataType type)
    {
        Vector = new ColumnVector(type);
        _data = arena.Rent(type.Physical == PhysicalType.Bit ? ColumnBatch.MaxRows / 8 : ColumnBatch.MaxRows * type.ByteWidth);
        _bits = arena.Rent(ColumnBatch.MaxRows / 8);
    }

    /// <summary>The vector, as it was last set.</summary>
    public ColumnVector Vector { get; }

    /// <summary>Where values are written.</summary>
    public byte* Data => _data.Pointer;

    /// <summary>Where the bits of rows that have values are written.</summary>
    public ulong* Validity => (ulong*)_bits.Pointer;

    /// <summary>Gives its memory back before the arena ends.</summary>
    /// <param name="arena">Where it came from.</param>
    public void Return(TaskArena arena)
    {
        arena.Return(_data);
        arena.Return(_bits);
    }

    /// <summary>Says how many rows were written.</summary>
    /// <param name="rows">Rows.</param>
    /// <param name="hasNulls">Whether <see cref="Validity"/> was written and says something.</param>
    /// <param name="bounds">What is known of the values.</param>
    public ColumnVector Set(int rows, bool hasNulls, ValueBounds? bounds = null)
    {
        Vector.Form = VectorForm.Flat;
        Vector.Length = rows;
        Vector.Data = _data.Pointer;
        Vector.Validity = hasNulls ? Validity : null;
        Vector.Bounds = bounds;
        return Vector;
    }
}

/// <summary>Bytes that views point at, for as long as a batch is lent: filled row by row, emptied before the next batch.</summary>
/// <param name="arena">Whose memory it takes.</param>
public sealed unsafe class TextHeap(TaskArena arena)
{
    private const int FirstBytes = 4 << 10;
    private const int ChunkBytes = 64 << 10;

    private readonly List<NativeBuffer> _chunks = [];
    private int _chunk = -1;
    private int _used;

    /// <summary>Forgets what was written; memory is kept, but for chunks that were made for long texts.</summary>
    public void Clear()
    {
        for (var i = _chunks.Count - 1; i >= 0; i--)
        {
            if (_chunks[i].Length <= ChunkBytes + TaskArena.Slack) continue;
            arena.Return(_chunks[i]);
            _chunks.RemoveAt(i);
        }
        _chunk = -1;
    }

    /// <summary>Gives all memory back.</summary>
    public void Return()
    {
        foreach (var chunk in _chunks) arena.Return(chunk);
        _chunks.Clear();
        _chunk = -1;
    }

    /// <summary>Room for bytes that stays where it is.</summary>
    /// <param name="length">How many.</param>
    public byte* Allocate(int length)
    {
        if (_chunk >= 0 && (long)_used + length <= _chunks[_chunk].Length - TaskArena.Slack)
        {
            var here = _chunks[_chunk].Pointer + _used;
            _used += length;
            return here;
        }
        if (_chunk + 1 == _chunks.Count || _chunks[_chunk + 1].Length - TaskArena.Slack < length) _chunks.Insert(_chunk + 1, arena.Rent(Math.Max(length, SizeOf(_chunks.Count))));
        _chunk++;
        _used = length;
        return _chunks[_chunk].Pointer;
    }

    // Many heaps hold little: the first chunks are small.
    private static int SizeOf(int chunk) => chunk >= 4 ? ChunkBytes : FirstBytes << chunk;

    /// <summary>A view of a copy of bytes.</summary>
    public StringView Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= StringView.MaxInline)
        {
            fixed (byte* source = bytes) return StringView.Of(source, bytes.Length);
        }
        var copy = Allocate(bytes.Length);
        bytes.CopyTo(new Span<byte>(copy, bytes.Length));
        return StringView.Of(copy, bytes.Length);
    }
}
