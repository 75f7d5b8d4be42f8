using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Dataflow.Sql.Columns;

/// <summary>
/// A value of a column of vectors, in place. A kind byte, then: 64-bit numbers (<see cref="Doubles"/>); 32-bit numbers (<see cref="Singles"/>); or the size, positions
/// (32 bits) and 64-bit numbers (<see cref="Sparse"/>). Numbers are little-endian and not aligned.
/// </summary>
public readonly ref struct VectorView
{
    /// <summary>Dense, 64 bits a number.</summary>
    public const byte Doubles = 0;

    /// <summary>Dense, 32 bits a number.</summary>
    public const byte Singles = 1;

    /// <summary>Sparse, 64 bits a number.</summary>
    public const byte Sparse = 2;

    /// <summary>Looks at a value.</summary>
    /// <param name="bytes">What the column's <see cref="StringView"/> points at.</param>
    /// <exception cref="QueryException">The bytes are no vector.</exception>
    public VectorView(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0) throw Broken("it is empty");
        Kind = bytes[0];
        switch (Kind)
        {
            case Doubles when (bytes.Length - 1) % 8 == 0:
                ValueBytes = bytes[1..];
                Size = Stored = ValueBytes.Length / 8;
                break;
            case Singles when (bytes.Length - 1) % 4 == 0:
                ValueBytes = bytes[1..];
                Size = Stored = ValueBytes.Length / 4;
                break;
            case Sparse when bytes.Length >= 5 && (bytes.Length - 5) % 12 == 0:
                Size = BinaryPrimitives.ReadInt32LittleEndian(bytes[1..]);
                Stored = (bytes.Length - 5) / 12;
                IndexBytes = bytes.Slice(5, Stored * 4);
                ValueBytes = bytes[(5 + (Stored * 4))..];
                break;
            default:
                throw Broken($"kind {Kind} with {bytes.Length} bytes");
        }
    }

    /// <summary>How it is stored.</summary>
    public byte Kind { get; }

    /// <summary>Elements, zeros included.</summary>
    public int Size { get; }

    /// <summary>Elements that are stored.</summary>
    public int Stored { get; }

    /// <summary>The numbers.</summary>
    public ReadOnlySpan<byte> ValueBytes { get; }

    /// <summary>Positions of a sparse vector.</summary>
    public ReadOnlySpan<byte> IndexBytes { get; }

    /// <summary>Bytes of a value.</summary>
    /// <param name="kind">How it is stored.</param>
    /// <param name="stored">Elements that are stored.</param>
    public static int LengthOf(byte kind, int stored) => checked(kind switch { Doubles => 1 + (stored * 8), Singles => 1 + (stored * 4), _ => 5 + (stored * 12) });

    /// <summary>An element; 0 where none is stored. Costs a binary search in a sparse vector.</summary>
    /// <param name="index">From 0, less than <see cref="Size"/>.</param>
    public double this[int index]
    {
        get
        {
            if (Kind == Doubles) return BinaryPrimitives.ReadDoubleLittleEndian(ValueBytes[(index * 8)..]);
            if (Kind == Singles) return BinaryPrimitives.ReadSingleLittleEndian(ValueBytes[(index * 4)..]);
            int low = 0, high = Stored - 1;
            while (low <= high)
            {
                var middle = (low + high) >> 1;
                var found = BinaryPrimitives.ReadInt32LittleEndian(IndexBytes[(middle * 4)..]);
                if (found == index) return BinaryPrimitives.ReadDoubleLittleEndian(ValueBytes[(middle * 8)..]);
                if (found < index) low = middle + 1;
                else high = middle - 1;
            }
            return 0;
        }
    }

    /// <summary>A number that is stored.</summary>
    /// <param name="at">Which, from 0, less than <see cref="Stored"/>.</param>
    public double StoredAt(int at) => Kind == Singles ? BinaryPrimitives.ReadSingleLittleEndian(ValueBytes[(at * 4)..]) : BinaryPrimitives.ReadDoubleLittleEndian(ValueBytes[(at * 8)..]);

    /// <summary>The position of a number that is stored.</summary>
    /// <param name="at">Which, from 0, less than <see cref="Stored"/>.</param>
    public int PlaceAt(int at) => Kind == Sparse ? BinaryPrimitives.ReadInt32LittleEndian(IndexBytes[(at * 4)..]) : at;

    /// <summary>Writes all elements, zeros included.</summary>
    /// <param name="to">Exactly <see cref="Size"/> elements.</param>
    public void CopyTo(Span<double> to)
    {
        if (Kind == Doubles)
        {
            ValueBytes.CopyTo(MemoryMarshal.AsBytes(to));
            return;
        }
        if (Kind == Singles)
        {
            var from = MemoryMarshal.Cast<byte, float>(ValueBytes);
            var done = 0;
            for (; done + 8 <= to.Length; done += 8)
            {
                var (lower, upper) = Vector256.Widen(Vector256.LoadUnsafe(in from[done]));
                lower.StoreUnsafe(ref to[done]);
                upper.StoreUnsafe(ref to[done + 4]);
            }
            for (; done < to.Length; done++) to[done] = from[done];
            return;
        }
        to.Clear();
        for (var i = 0; i < Stored; i++) to[BinaryPrimitives.ReadInt32LittleEndian(IndexBytes[(i * 4)..])] = BinaryPrimitives.ReadDoubleLittleEndian(ValueBytes[(i * 8)..]);
    }

    /// <summary>Writes all elements, zeros included, rounded to 32 bits.</summary>
    /// <param name="to">Exactly <see cref="Size"/> elements.</param>
    public void CopyTo(Span<float> to)
    {
        if (Kind == Singles)
        {
            ValueBytes.CopyTo(MemoryMarshal.AsBytes(to));
            return;
        }
        if (Kind == Doubles)
        {
            for (var i = 0; i < to.Length; i++) to[i] = (float)BinaryPrimitives.ReadDoubleLittleEndian(ValueBytes[(i * 8)..]);
            return;
        }
        to.Clear();
        for (var i = 0; i < Stored; i++) to[BinaryPrimitives.ReadInt32LittleEndian(IndexBytes[(i * 4)..])] = (float)BinaryPrimitives.ReadDoubleLittleEndian(ValueBytes[(i * 8)..]);
    }

    private static QueryException Broken(string what) => new("MALFORMED_VECTOR", $"A value of a vector column is damaged: {what}. Please report it if no tool but Dataflow wrote it.");
}
