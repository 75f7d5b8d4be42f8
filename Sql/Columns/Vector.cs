using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Dataflow.Sql;

/// <summary>
/// Floating-point numbers of one row: features of models, probabilities, embeddings. Dense in 64 or 32 bits, or sparse: only numbers that are not zero, with
/// their positions. Immutable.
/// </summary>
/// <remarks>The value of a column of type <see cref="DataType.Vector"/>. Memory: 8 (4) bytes an element, or 12 bytes an element that is not zero.</remarks>
public sealed class Vector : IEquatable<Vector>
{
    private readonly double[]? _doubles;
    private readonly float[]? _singles;
    private readonly int[]? _indices;

    private Vector(int size, double[]? doubles, float[]? singles, int[]? indices)
    {
        Size = size;
        _doubles = doubles;
        _singles = singles;
        _indices = indices;
    }

    /// <summary>How many elements there are, zeros included.</summary>
    public int Size { get; }

    /// <summary>Whether only elements that are not zero are stored.</summary>
    public bool IsSparse => _indices is not null;

    /// <summary>Whether elements are stored in 32 bits.</summary>
    public bool IsSingle => _singles is not null;

    /// <summary>How many elements are stored.</summary>
    public int StoredCount => _doubles?.Length ?? _singles!.Length;

    /// <summary>Positions of the elements that are stored, ascending; empty for a dense vector.</summary>
    public ReadOnlySpan<int> Indices => _indices;

    /// <summary>An element. Costs a binary search in a sparse vector.</summary>
    /// <param name="index">From 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such element.</exception>
    public double this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Size);
            if (_indices is not null)
            {
                var at = Array.BinarySearch(_indices, index);
                return at < 0 ? 0 : _doubles![at];
            }
            return _doubles is not null ? _doubles[index] : _singles![index];
        }
    }

    /// <summary>A vector of 64-bit numbers.</summary>
    /// <param name="values">The elements; copied.</param>
    public static Vector Dense(params ReadOnlySpan<double> values) => new(values.Length, values.ToArray(), null, null);

    /// <summary>A vector of 32-bit numbers: half the memory, enough for embeddings and images.</summary>
    /// <param name="values">The elements; copied.</param>
    public static Vector Dense(ReadOnlySpan<float> values) => new(values.Length, null, values.ToArray(), null);

    /// <summary>A vector of mostly zeros.</summary>
    /// <param name="size">How many elements there are, zeros included.</param>
    /// <param name="indices">Positions of elements that are stored, strictly ascending; copied.</param>
    /// <param name="values">Their values; copied.</param>
    /// <exception cref="ArgumentException">Lengths differ, or positions do not ascend or lie outside.</exception>
    public static Vector Sparse(int size, ReadOnlySpan<int> indices, ReadOnlySpan<double> values)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        if (indices.Length != values.Length) throw new ArgumentException($"There are {indices.Length} positions and {values.Length} values. Give one value for each position.", nameof(values));
        for (var i = 0; i < indices.Length; i++)
        {
            if (indices[i] < 0 || indices[i] >= size) throw new ArgumentException($"Position {indices[i]} lies outside of a vector of {size} elements.", nameof(indices));
            if (i > 0 && indices[i] <= indices[i - 1]) throw new ArgumentException($"Position {indices[i]} follows {indices[i - 1]}. Give positions in ascending order, each once.", nameof(indices));
        }
        return new Vector(size, values.ToArray(), null, indices.ToArray());
    }

    /// <summary>All elements, zeros included, in an array of the caller's own.</summary>
    public double[] ToArray()
    {
        var all = new double[Size];
        CopyTo(all);
        return all;
    }

    /// <summary>Writes all elements, zeros included.</summary>
    /// <param name="destination">At least <see cref="Size"/> elements.</param>
    /// <exception cref="ArgumentException">It is too short.</exception>
    public void CopyTo(Span<double> destination)
    {
        if (destination.Length < Size) throw new ArgumentException($"The vector has {Size} elements, and there is room for {destination.Length}.", nameof(destination));
        if (_indices is not null)
        {
            destination[..Size].Clear();
            for (var i = 0; i < _indices.Length; i++) destination[_indices[i]] = _doubles![i];
        }
        else if (_doubles is not null) _doubles.CopyTo(destination);
        else for (var i = 0; i < _singles!.Length; i++) destination[i] = _singles[i];
    }

    /// <summary>Whether both have the same elements, however they are stored. NaN equals NaN.</summary>
    public bool Equals(Vector? other)
    {
        if (other is null || other.Size != Size) return false;
        if (ReferenceEquals(this, other)) return true;
        for (var i = 0; i < Size; i++)
        {
            if (!this[i].Equals(other[i])) return false;
        }
        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Vector);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Size);
        for (var i = 0; i < Math.Min(Size, 16); i++) hash.Add(this[i]);
        return hash.ToHashCode();
    }

    /// <summary>As <c>[1.5,0,2]</c>, or <c>(3,[0,2],[1.5,2])</c> if it is sparse.</summary>
    public override string ToString()
    {
        var values = string.Join(',', _doubles is not null
            ? _doubles.Select(value => value.ToString("R", CultureInfo.InvariantCulture))
            : _singles!.Select(value => value.ToString("R", CultureInfo.InvariantCulture)));
        return _indices is null ? $"[{values}]" : $"({Size},[{string.Join(',', _indices)}],[{values}])";
    }

    /// <summary>Bytes of it in a column (<see cref="Columns.VectorView"/>).</summary>
    internal int EncodedLength => Columns.VectorView.LengthOf(_indices is not null ? Columns.VectorView.Sparse : _doubles is not null ? Columns.VectorView.Doubles : Columns.VectorView.Singles, StoredCount);

    /// <summary>Writes it as a column holds it.</summary>
    internal void Encode(Span<byte> to)
    {
        if (_indices is not null)
        {
            to[0] = Columns.VectorView.Sparse;
            BinaryPrimitives.WriteInt32LittleEndian(to[1..], Size);
            MemoryMarshal.AsBytes<int>(_indices).CopyTo(to[5..]);
            MemoryMarshal.AsBytes<double>(_doubles!).CopyTo(to[(5 + (_indices.Length * 4))..]);
        }
        else if (_doubles is not null)
        {
            to[0] = Columns.VectorView.Doubles;
            MemoryMarshal.AsBytes<double>(_doubles).CopyTo(to[1..]);
        }
        else
        {
            to[0] = Columns.VectorView.Singles;
            MemoryMarshal.AsBytes<float>(_singles!).CopyTo(to[1..]);
        }
    }

    /// <summary>The value of a row of a column.</summary>
    internal static Vector Decode(ReadOnlySpan<byte> bytes)
    {
        var view = new Columns.VectorView(bytes);
        return view.Kind switch
        {
            Columns.VectorView.Doubles => new Vector(view.Size, MemoryMarshal.Cast<byte, double>(view.ValueBytes).ToArray(), null, null),
            Columns.VectorView.Singles => new Vector(view.Size, null, MemoryMarshal.Cast<byte, float>(view.ValueBytes).ToArray(), null),
            _ => new Vector(view.Size, MemoryMarshal.Cast<byte, double>(view.ValueBytes).ToArray(), null, MemoryMarshal.Cast<byte, int>(view.IndexBytes).ToArray()),
        };
    }
}
