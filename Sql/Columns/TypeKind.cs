namespace Dataflow.Sql;

/// <summary>The families of SQL types.</summary>
public enum TypeKind : byte
{
    /// <summary>The type of a bare <c>NULL</c>; it becomes any other type.</summary>
    Null,

    /// <summary>true or false.</summary>
    Boolean,

    /// <summary>8-bit signed integer.</summary>
    TinyInt,

    /// <summary>16-bit signed integer.</summary>
    SmallInt,

    /// <summary>32-bit signed integer.</summary>
    Int,

    /// <summary>64-bit signed integer.</summary>
    BigInt,

    /// <summary>32-bit floating point (IEEE 754).</summary>
    Float,

    /// <summary>64-bit floating point (IEEE 754).</summary>
    Double,

    /// <summary>Exact number of up to 38 digits with a fixed scale.</summary>
    Decimal,

    /// <summary>UTF-8 text.</summary>
    String,

    /// <summary>Bytes.</summary>
    Binary,

    /// <summary>Day of the proleptic Gregorian calendar.</summary>
    Date,

    /// <summary>Instant, in microseconds; shown in the session's time zone.</summary>
    Timestamp,

    /// <summary>Date and time of day without a zone, in microseconds.</summary>
    TimestampNtz,

    /// <summary>Span of months.</summary>
    YearMonthInterval,

    /// <summary>Span of microseconds.</summary>
    DayTimeInterval,

    /// <summary>List of values of one type.</summary>
    Array,

    /// <summary>Keys with values.</summary>
    Map,

    /// <summary>Named fields.</summary>
    Struct,

    /// <summary>Dense or sparse vector of floating-point numbers: features of models.</summary>
    Vector,
}

/// <summary>How the values of a vector lie in memory.</summary>
public enum PhysicalType : byte
{
    /// <summary>One bit a row, least significant first.</summary>
    Bit,

    /// <summary>One byte a row.</summary>
    Int8,

    /// <summary>Two bytes a row.</summary>
    Int16,

    /// <summary>Four bytes a row.</summary>
    Int32,

    /// <summary>Eight bytes a row.</summary>
    Int64,

    /// <summary>Sixteen bytes a row.</summary>
    Int128,

    /// <summary>Four bytes a row.</summary>
    Float32,

    /// <summary>Eight bytes a row.</summary>
    Float64,

    /// <summary>A <see cref="Columns.StringView"/> a row: text, bytes, and vectors of numbers.</summary>
    View,

    /// <summary>rows + 1 offsets (32 bits) into a child vector: lists, maps (child is a struct of key and value).</summary>
    List,

    /// <summary>A child vector a field; no data of its own.</summary>
    Struct,
}
