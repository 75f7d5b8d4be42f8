using System.Runtime.InteropServices;
using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.TreeBins;

namespace Dataflow.MLlib.TreeFitting;

/// <summary>Columns of a block in a temporary file, one behind the other.</summary>
internal sealed unsafe class MappedColumns : IColumns, IDisposable
{
    private readonly MappedMemory _memory;
    private readonly long[] _starts;
    private readonly bool[] _isSingle;

    /// <summary>Moves columns to a file.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="columns">Arrays of float or double.</param>
    /// <param name="rows">How many elements of each count.</param>
    public MappedColumns(string folder, IReadOnlyList<Array> columns, int rows)
    {
        Rows = rows;
        _starts = new long[columns.Count];
        _isSingle = new bool[columns.Count];
        long bytes = 0;
        for (var i = 0; i < _starts.Length; i++)
        {
            _starts[i] = bytes;
            _isSingle[i] = columns[i] is float[];
            bytes += ((long)rows * (_isSingle[i] ? 4 : 8) + 63) & ~63L;
        }
        _memory = new MappedMemory(folder, Math.Max(64, bytes));
        for (var i = 0; i < _starts.Length; i++)
        {
            var source = columns[i] is float[] singles ? MemoryMarshal.AsBytes(singles.AsSpan(0, rows)) : MemoryMarshal.AsBytes(((double[])columns[i]).AsSpan(0, rows));
            source.CopyTo(new Span<byte>(_memory.Pointer + _starts[i], source.Length));
        }
    }

    /// <summary>Elements of each column.</summary>
    public int Rows { get; }

    /// <summary>Whether a column is of 32 bits.</summary>
    public bool IsSingle(int column) => _isSingle[column];

    /// <summary>A column of 32 bits.</summary>
    public ReadOnlySpan<float> Singles(int column) => new(_memory.Pointer + _starts[column], Rows);

    /// <summary>A column of 64 bits.</summary>
    public ReadOnlySpan<double> Doubles(int column) => new(_memory.Pointer + _starts[column], Rows);

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}
