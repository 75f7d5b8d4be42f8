using System.Buffers.Binary;
using System.Numerics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.MLlib.Data;

/// <summary>Reads the features of batches as rows x features, row by row, in 32 or 64 bits. What is null is NaN. One a task.</summary>
/// <remarks>Vectors of one column must have one size: that of the first row which has one, or the one expected.</remarks>
/// <param name="columns">Which columns are features; in the batches they come first, in order.</param>
/// <param name="user">Who reads, for errors.</param>
internal sealed unsafe class FeatureReader(FeatureColumns columns, string user)
{
    private readonly int[] _widths = [.. columns.IsVector.Select(isVector => isVector ? -1 : 1)];
    private readonly ColumnVector[] _given = new ColumnVector[columns.Count];
    private ushort[] _rows = [];

    /// <summary>How many features there are; -1 as long as a vector column has had nulls only.</summary>
    public int Width => _widths.Contains(-1) ? -1 : _widths.Sum();

    /// <summary>Elements of each column; 1 for numbers, -1 where not known yet.</summary>
    public ReadOnlySpan<int> Widths => _widths;

    /// <summary>Looks at a batch: its rows that count can be read then.</summary>
    /// <param name="batch">The batch.</param>
    /// <returns>How many rows count.</returns>
    public int Begin(ColumnBatch batch)
    {
        for (var i = 0; i < _given.Length; i++) _given[i] = batch.Columns[i];
        return Begin(batch.Selection);
    }

    /// <summary>Looks at vectors that were computed, one a column.</summary>
    /// <param name="vectors">The feature columns.</param>
    /// <param name="selection">The rows that count.</param>
    public int Begin(ReadOnlySpan<ColumnVector> vectors, ReadOnlySpan<ushort> selection)
    {
        vectors[.._given.Length].CopyTo(_given);
        return Begin(selection);
    }

    /// <summary>Reads some of the rows that count.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="first">The first, counted among those that count.</param>
    /// <param name="count">How many.</param>
    /// <param name="to">rows x <paramref name="stride"/>.</param>
    /// <param name="stride">Elements from row to row; at least <see cref="Width"/>, which must be known.</param>
    public void Read<T>(int first, int count, T* to, int stride) where T : unmanaged, INumberBase<T>
    {
        var at = 0;
        for (var i = 0; i < _given.Length; at += _widths[i++]) ReadColumn(i, first, count, to + at, stride);
    }

    private void ReadColumn<T>(int index, int first, int count, T* to, int stride) where T : unmanaged, INumberBase<T>
    {
        var column = _given[index];
        if (columns.IsVector[index]) ReadVectors(index, first, count, to, stride);
        else if (column.Type.Kind == TypeKind.Float) ReadNumbers<float, T>(column, first, count, to, stride);
        else ReadNumbers<double, T>(column, first, count, to, stride);
    }

    /// <summary>How many numbers sparse rows would hold: those that sparse vectors store, and all of other columns.</summary>
    /// <param name="first">The first row, counted among those that count.</param>
    /// <param name="count">How many rows.</param>
    public long StoredCount(int first, int count)
    {
        long stored = 0;
        for (var i = 0; i < _given.Length; i++)
        {
            if (!columns.IsVector[i])
            {
                stored += count;
                continue;
            }
            for (var j = first; j < first + count; j++) stored += IsSparse(i, _rows[j], out var vector) ? vector.Stored : _widths[i];
        }
        return stored;
    }

    /// <summary>Reads some of the rows that count, without zeros. What is null is NaN.</summary>
    /// <param name="first">The first, counted among those that count.</param>
    /// <param name="count">How many.</param>
    public SparseRows ReadSparse(int first, int count)
    {
        var most = StoredCount(first, count);
        var starts = new int[count + 1];
        var indices = new List<int>((int)most);
        var values = new List<double>((int)most);
        var row = new double[Width];
        for (var i = 0; i < count; i++)
        {
            var at = 0;
            for (var c = 0; c < _given.Length; at += _widths[c++])
            {
                if (columns.IsVector[c] && IsSparse(c, _rows[first + i], out var stored))
                {
                    var positions = stored.IndexBytes;
                    var numbers = stored.ValueBytes;
                    for (var j = 0; j < stored.Stored; j++)
                    {
                        var value = BinaryPrimitives.ReadDoubleLittleEndian(numbers[(8 * j)..]);
                        var position = BinaryPrimitives.ReadInt32LittleEndian(positions[(4 * j)..]);
                        if ((uint)position >= (uint)stored.Size)
                            throw new QueryException("MALFORMED_VECTOR",
                                $"Column '{columns.Names[c]}' holds a vector of {stored.Size} elements with a position {position}, which is damaged.");
                        if (value == 0) continue;
                        indices.Add(at + position);
                        values.Add(value);
                    }
                    continue;
                }
                fixed (double* to = row) ReadColumn(c, first + i, 1, to, row.Length);
                for (var j = 0; j < _widths[c]; j++)
                {
                    if (row[j] == 0) continue;
                    indices.Add(at + j);
                    values.Add(row[j]);
                }
            }
            starts[i + 1] = indices.Count;
        }
        return new SparseRows(starts, [.. indices], [.. values]);
    }

    private bool IsSparse(int column, ushort row, out VectorView vector)
    {
        vector = default;
        if (_given[column].IsNull(row)) return false;
        vector = new VectorView(StringView.BytesOf((StringView*)_given[column].ValueAt(row)));
        return vector.Kind == VectorView.Sparse && vector.Size == _widths[column];
    }

    /// <summary>Reads a column of doubles behind the features: labels, weights. What is null is NaN.</summary>
    /// <param name="batch">The batch that was begun.</param>
    /// <param name="other">Which, from 0.</param>
    /// <param name="first">The first row, counted among those that count.</param>
    /// <param name="to">Where to.</param>
    public void ReadOther(ColumnBatch batch, int other, int first, Span<double> to)
    {
        fixed (double* target = to) ReadNumbers<double, double>(batch.Columns[columns.Count + other], first, to.Length, target, 1);
    }

    private int Begin(ReadOnlySpan<ushort> selection)
    {
        if (_rows.Length < selection.Length) _rows = new ushort[ColumnBatch.MaxRows];
        selection.CopyTo(_rows);
        for (var i = 0; i < _given.Length; i++)
        {
            if (_widths[i] >= 0) continue;
            for (var j = 0; j < selection.Length; j++)
            {
                if (_given[i].IsNull(selection[j])) continue;
                _widths[i] = new VectorView(StringView.BytesOf((StringView*)_given[i].ValueAt(selection[j]))).Size;
                break;
            }
        }
        return selection.Length;
    }

    private void ReadNumbers<S, T>(ColumnVector column, int first, int count, T* to, int stride) where S : unmanaged, INumberBase<S> where T : unmanaged, INumberBase<T>
    {
        var missing = T.CreateTruncating(double.NaN);
        if (column.Form == VectorForm.Flat && column.Validity == null)
        {
            var data = (S*)column.Data;
            for (var i = 0; i < count; i++) to[(nint)i * stride] = T.CreateTruncating(data[_rows[first + i]]);
            return;
        }
        for (var i = 0; i < count; i++)
        {
            var row = _rows[first + i];
            to[(nint)i * stride] = column.IsNull(row) ? missing : T.CreateTruncating(column.Value<S>(row));
        }
    }

    /// <summary>Reads one vector column of some of the rows that count.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="index">Which column.</param>
    /// <param name="first">The first row, counted among those that count.</param>
    /// <param name="count">How many.</param>
    /// <param name="to">rows x <paramref name="stride"/>.</param>
    /// <param name="stride">Elements from row to row.</param>
    public void ReadVectors<T>(int index, int first, int count, T* to, int stride) where T : unmanaged
    {
        var column = _given[index];
        var width = _widths[index];
        for (var i = 0; i < count; i++, to += stride)
        {
            var row = _rows[first + i];
            if (column.IsNull(row))
            {
                if (typeof(T) == typeof(double)) new Span<double>(to, width).Fill(double.NaN);
                else new Span<float>(to, width).Fill(float.NaN);
                continue;
            }
            var vector = new VectorView(StringView.BytesOf((StringView*)column.ValueAt(row)));
            if (vector.Size != width)
            {
                throw new QueryException("VECTOR_SIZE_MISMATCH",
                    $"Column '{columns.Names[index]}' holds a vector of {vector.Size} elements, and {user} reads vectors of {width}. All rows of a feature column must have one size.");
            }
            if (typeof(T) == typeof(double)) vector.CopyTo(new Span<double>(to, width));
            else vector.CopyTo(new Span<float>(to, width));
        }
    }
}
