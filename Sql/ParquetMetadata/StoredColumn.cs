namespace Dataflow.Sql.ParquetMetadata;

/// <summary>How a stored value becomes one of ours.</summary>
internal enum ValueForm : byte
{
    /// <summary>It is one: the bytes are the same.</summary>
    Same,

    /// <summary>The low byte of four.</summary>
    Int32ToInt8,

    /// <summary>The low two bytes of four.</summary>
    Int32ToInt16,

    /// <summary>32 bits with a sign become 64.</summary>
    Int32ToInt64,

    /// <summary>32 bits without a sign become 64.</summary>
    UInt32ToInt64,

    /// <summary>64 bits with a sign become 128.</summary>
    Int64ToInt128,

    /// <summary>64 bits without a sign become 128.</summary>
    UInt64ToInt128,

    /// <summary>Milliseconds become microseconds.</summary>
    MillisToMicros,

    /// <summary>Nanoseconds become microseconds, rounded down.</summary>
    NanosToMicros,

    /// <summary>Nanoseconds of a day and a Julian day become microseconds.</summary>
    Int96ToMicros,

    /// <summary>16-bit floating point becomes 32.</summary>
    HalfToFloat,

    /// <summary>32-bit floating point becomes 64.</summary>
    FloatToDouble,

    /// <summary>A big-endian number of fixed length becomes 64 bits.</summary>
    FixedToInt64,

    /// <summary>A big-endian number of fixed length becomes 128 bits.</summary>
    FixedToInt128,

    /// <summary>Big-endian numbers of any length become 64 bits.</summary>
    BytesToInt64,

    /// <summary>Big-endian numbers of any length become 128 bits.</summary>
    BytesToInt128,

    /// <summary>Bytes of fixed length become views.</summary>
    FixedToView,
}

/// <summary>A column of a file that can be read: one leaf directly below the root.</summary>
/// <param name="Leaf">Which of the leaves.</param>
/// <param name="Stored">How values are stored.</param>
/// <param name="Length">Bytes of a value of fixed length.</param>
/// <param name="IsOptional">Whether there are definition levels.</param>
/// <param name="Type">What values are for us.</param>
/// <param name="Form">How they become that.</param>
internal sealed record StoredColumn(int Leaf, StoredKind Stored, int Length, bool IsOptional, DataType Type, ValueForm Form)
{
    /// <summary>Bytes of a stored value; 16 for bytes of any length, which are read as views; 0 for bits.</summary>
    public int StoredWidth => Stored switch
    {
        StoredKind.Boolean => 0,
        StoredKind.Int32 or StoredKind.Float => 4,
        StoredKind.Int64 or StoredKind.Double => 8,
        StoredKind.Int96 => 12,
        StoredKind.FixedBytes => Length,
        _ => 16,
    };

    /// <summary>The same column read as a wider type, as other files of the table have it; null if that can't be done without loss.</summary>
    public StoredColumn? As(DataType wanted)
    {
        if (wanted == Type) return this;
        ValueForm? form = (Type.Kind, wanted.Kind, Form) switch
        {
            (TypeKind.TinyInt or TypeKind.SmallInt or TypeKind.Int, TypeKind.SmallInt, ValueForm.Int32ToInt8) => ValueForm.Int32ToInt16,
            (TypeKind.TinyInt or TypeKind.SmallInt, TypeKind.Int, ValueForm.Int32ToInt8 or ValueForm.Int32ToInt16) => ValueForm.Same,
            (TypeKind.TinyInt or TypeKind.SmallInt or TypeKind.Int, TypeKind.BigInt, ValueForm.Int32ToInt8 or ValueForm.Int32ToInt16 or ValueForm.Same) => ValueForm.Int32ToInt64,
            (TypeKind.Float, TypeKind.Double, ValueForm.Same) => ValueForm.FloatToDouble,
            (TypeKind.Decimal, TypeKind.Decimal, _) => WiderDecimal((DecimalType)Type, (DecimalType)wanted),
            _ => null,
        };
        return form is { } found ? this with { Type = wanted, Form = found } : null;
    }

    private ValueForm? WiderDecimal(DecimalType mine, DecimalType wanted)
    {
        if (mine.Scale != wanted.Scale || mine.Precision > wanted.Precision) return null;
        if (mine.Physical == wanted.Physical) return Form;
        return Form switch
        {
            ValueForm.Same => ValueForm.Int64ToInt128,
            ValueForm.FixedToInt64 => ValueForm.FixedToInt128,
            ValueForm.BytesToInt64 => ValueForm.BytesToInt128,
            _ => null,
        };
    }
}

/// <summary>A field of a file: what it is called, what type it has, and how it is read, or why it can't be.</summary>
/// <param name="Field">Name and type.</param>
/// <param name="Column">How it is read; null if it can't be.</param>
/// <param name="Problem">Why not.</param>
internal sealed record FileField(Field Field, StoredColumn? Column, string? Problem = null);
