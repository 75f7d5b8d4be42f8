using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;
using Dataflow.Storage;

namespace Dataflow.Sql.Joins;

/// <summary>
/// The rows of a join's build side, where an exchange put them: chunks of at most <see cref="ColumnBatch.MaxRows"/> rows, each column of a chunk in one
/// piece. A row's number is that of its chunk and its place there.
/// </summary>
/// <remarks>Chunks are set by several threads, each its own; read by all when all are set.</remarks>
internal sealed unsafe class BuildRows
{
    /// <summary>Bits of a row number that say where in its chunk it is.</summary>
    public const int ChunkBits = 13;

    private readonly DataType[] _types;
    private readonly int[] _rows;

    // By column, then by chunk: where values and the bits of rows that have one lie.
    private readonly nint[][] _data;
    private readonly nint[][] _validity;
    private readonly bool[] _hasNulls;

    public BuildRows(IEnumerable<DataType> types, int chunks)
    {
        _types = [.. types];
        _rows = new int[chunks];
        _data = [.. _types.Select(_ => new nint[chunks])];
        _validity = [.. _types.Select(_ => new nint[chunks])];
        _hasNulls = new bool[_types.Length];
    }

    public int Chunks => _rows.Length;

    public int Columns => _types.Length;

    /// <summary>Row numbers are below this.</summary>
    public int Numbers => checked(_rows.Length << ChunkBits);

    /// <summary>Rows of all chunks.</summary>
    public long Count => _rows.Sum(rows => (long)rows);

    /// <summary>Whether there is a row of a number.</summary>
    public bool Has(int row) => (row & (ColumnBatch.MaxRows - 1)) < _rows[row >> ChunkBits];

    public DataType TypeOf(int column) => _types[column];

    public int RowsOf(int chunk) => _rows[chunk];

    /// <summary>Whether a column has nulls in some chunk.</summary>
    public bool HasNulls(int column) => _hasNulls[column];

    /// <summary>Where a column's values lie, by chunk.</summary>
    public nint[] DataOf(int column) => _data[column];

    /// <summary>Sets a chunk to flat vectors, whose memory stays where it is.</summary>
    public void Set(int chunk, ReadOnlySpan<ColumnVector> columns, int rows)
    {
        _rows[chunk] = rows;
        for (var i = 0; i < columns.Length; i++)
        {
            _data[i][chunk] = (nint)columns[i].Data;
            _validity[i][chunk] = (nint)columns[i].Validity;
            if (columns[i].Validity != null) _hasNulls[i] = true;
        }
    }

    /// <summary>Shows a column of a chunk.</summary>
    public void Show(int chunk, int column, ColumnVector vector)
    {
        vector.Form = VectorForm.Flat;
        vector.Length = _rows[chunk];
        vector.Data = (byte*)_data[column][chunk];
        vector.Validity = (ulong*)_validity[column][chunk];
        vector.Bounds = null;
    }

    /// <summary>Whether a row is null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsNull(int column, int row)
    {
        if (!_hasNulls[column]) return false;
        var validity = (ulong*)_validity[column][row >> ChunkBits];
        var place = row & (ColumnBatch.MaxRows - 1);
        return validity != null && (validity[place >> 6] >> (place & 63) & 1) == 0;
    }

    /// <summary>Copies rows of a column into a vector.</summary>
    /// <param name="column">The column.</param>
    /// <param name="rows">Row numbers; -1 gives null.</param>
    /// <param name="target">Filled and set. Text is pointed at, not copied.</param>
    /// <param name="mayMiss">Whether some numbers are -1, and their rows count.</param>
    public void Gather(int column, ReadOnlySpan<int> rows, FlatVector target, bool mayMiss)
    {
        fixed (nint* data = _data[column])
        {
            switch (_types[column].Physical)
            {
                case PhysicalType.Bit: GatherBits(data, rows, target); break;
                case PhysicalType.Int8: GatherFixed((byte**)data, rows, (byte*)target.Data); break;
                case PhysicalType.Int16: GatherFixed((short**)data, rows, (short*)target.Data); break;
                case PhysicalType.Int32 or PhysicalType.Float32: GatherFixed((int**)data, rows, (int*)target.Data); break;
                case PhysicalType.Int64 or PhysicalType.Float64: GatherFixed((long**)data, rows, (long*)target.Data); break;
                default: GatherFixed((Int128**)data, rows, (Int128*)target.Data); break;
            }
        }
        var hasNulls = false;
        if (mayMiss || _hasNulls[column])
        {
            for (var word = 0; word << 6 < rows.Length; word++)
            {
                var bits = 0UL;
                var first = word << 6;
                var count = Math.Min(64, rows.Length - first);
                for (var i = 0; i < count; i++)
                {
                    var row = rows[first + i];
                    if (row >= 0 && !IsNull(column, row)) bits |= 1UL << i;
                }
                target.Validity[word] = bits;
                hasNulls |= bits != (count == 64 ? ulong.MaxValue : (1UL << count) - 1);
            }
        }
        target.Set(rows.Length, hasNulls);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void GatherFixed<T>(T** chunks, ReadOnlySpan<int> rows, T* to) where T : unmanaged
    {
        for (var i = 0; i < rows.Length; i++)
        {
            var row = rows[i];
            to[i] = row < 0 ? default : chunks[row >> ChunkBits][row & (ColumnBatch.MaxRows - 1)];
        }
    }

    private static void GatherBits(nint* chunks, ReadOnlySpan<int> rows, FlatVector target)
    {
        var to = (ulong*)target.Data;
        for (var word = 0; word << 6 < rows.Length; word++)
        {
            var bits = 0UL;
            var count = Math.Min(64, rows.Length - (word << 6));
            for (var i = 0; i < count; i++)
            {
                var row = rows[(word << 6) + i];
                if (row < 0) continue;
                var place = row & (ColumnBatch.MaxRows - 1);
                bits |= (((ulong*)chunks[row >> ChunkBits])[place >> 6] >> (place & 63) & 1) << i;
            }
            to[word] = bits;
        }
    }
}
