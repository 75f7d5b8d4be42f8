using System.Numerics;
using System.Runtime.CompilerServices;

namespace Dataflow.Sql.Columns;

/// <summary>How a vector says what its rows hold.</summary>
public enum VectorForm : byte
{
    /// <summary>A value a row.</summary>
    Flat,

    /// <summary>One value, or null, for all rows.</summary>
    Constant,

    /// <summary>A code a row, which names a value of a dictionary.</summary>
    Dictionary,
}

/// <summary>
/// A column of a batch: pointers into memory that somebody else owns, valid as long as the batch is lent. Values are aligned to 64 bytes if they
/// were written by operators, and at least 64 bytes after them may be read.
/// </summary>
/// <remarks>
/// Rows that are null hold arbitrary values, but views of them are readable (empty), and codes of them name a value of the dictionary. Rows that the
/// batch's mask leaves out hold arbitrary values of the same kind. Bits past the last row are arbitrary. The same object may be given for batch
/// after batch with other pointers.
/// </remarks>
public sealed unsafe class ColumnVector
{
    private readonly int _width;

    /// <summary>An empty vector of a type.</summary>
    public ColumnVector(DataType type) => (Type, _width) = (type, type.ByteWidth);

    /// <summary>Its type.</summary>
    public DataType Type { get; }

    /// <summary>What the pointers mean.</summary>
    public VectorForm Form { get; set; }

    /// <summary>Rows.</summary>
    public int Length { get; set; }

    /// <summary>Flat: the values (<see cref="PhysicalType.Bit"/>: words of bits). Constant: one value, as often as a vector register holds it is not
    /// promised. Dictionary: unused.</summary>
    public byte* Data { get; set; }

    /// <summary>A bit a row, set if the row has a value; null if all rows have. A constant has one bit: its first.</summary>
    public ulong* Validity { get; set; }

    /// <summary>Dictionary: a code a row.</summary>
    public uint* Codes { get; set; }

    /// <summary>Dictionary: what codes name.</summary>
    public ColumnDictionary? Dictionary { get; set; }

    /// <summary>Lists: rows + 1 offsets into the child.</summary>
    public int* Offsets { get; set; }

    /// <summary>Lists, structs and fixed lists: the vectors below.</summary>
    public ColumnVector[] Children { get; set; } = [];

    /// <summary>What is known of the smallest and the largest value; null if nothing is. Integers, decimals (unscaled), dates and timestamps only.</summary>
    public ValueBounds? Bounds { get; set; }

    /// <summary>Whether no row is null.</summary>
    public bool HasNoNulls => Validity == null;

    /// <summary>Whether it is a constant that is null.</summary>
    public bool IsNullConstant => Form == VectorForm.Constant && Validity != null && (*Validity & 1) == 0;

    /// <summary>Whether a row is null. For edges, not for loops.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsNull(int row)
    {
        if (Validity == null) return false;
        if (Form == VectorForm.Constant) row = 0;
        return (Validity[row >> 6] >> (row & 63) & 1) == 0;
    }

    /// <summary>The value of a row of a fixed-width type, through dictionary and constant. For edges, not for loops.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T>(int row) where T : unmanaged => Form == VectorForm.Flat ? ((T*)Data)[row] : *(T*)ValueAt(row);

    /// <summary>Where the value of a row lies, through dictionary and constant; not for bits.</summary>
    public byte* ValueAt(int row) => Form switch
    {
        VectorForm.Flat => Data + ((nint)row * _width),
        VectorForm.Constant => Data,
        _ => Dictionary!.Values.Data + ((nint)Codes[row] * _width),
    };

    /// <summary>The bit of a row of a boolean column. For edges, not for loops.</summary>
    public bool Bit(int row)
    {
        if (Form == VectorForm.Dictionary) return Dictionary!.Values.Bit((int)Codes[row]);
        if (Form == VectorForm.Constant) row = 0;
        return (((ulong*)Data)[row >> 6] >> (row & 63) & 1) != 0;
    }

    /// <summary>Makes it the same as another vector of its type: pointers are copied, not what they point at.</summary>
    public void Share(ColumnVector other)
    {
        Form = other.Form;
        Length = other.Length;
        Data = other.Data;
        Validity = other.Validity;
        Codes = other.Codes;
        Dictionary = other.Dictionary;
        Offsets = other.Offsets;
        Children = other.Children;
        Bounds = other.Bounds;
    }
}

/// <summary>The values that codes name. Values are never null, and there is at least one.</summary>
/// <remarks>What was worked out for a dictionary (a filter of its values, hashes) is kept by who did, under this object, which is the same for
/// all batches that share the values.</remarks>
/// <param name="values">A flat vector.</param>
public sealed class ColumnDictionary(ColumnVector values)
{
    /// <summary>The values, flat.</summary>
    public ColumnVector Values { get; } = values;

    /// <summary>How many there are.</summary>
    public int Count => Values.Length;
}

/// <summary>The smallest and the largest value a column may hold, both possible but not certain to occur.</summary>
/// <param name="Min">No value is smaller.</param>
/// <param name="Max">No value is larger.</param>
public sealed record ValueBounds(Int128 Min, Int128 Max)
{
    /// <summary>Largest magnitude.</summary>
    public Int128 Magnitude => Int128.Max(Max < 0 ? -Max : Max, Min < 0 ? -Min : Min);
}
