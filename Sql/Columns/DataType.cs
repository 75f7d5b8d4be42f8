namespace Dataflow.Sql;

/// <summary>A SQL type. Equal types are equal objects by value.</summary>
public abstract record DataType
{
    private protected DataType(TypeKind kind, PhysicalType physical)
    {
        Kind = kind;
        Physical = physical;
    }

    /// <summary>Its family.</summary>
    public TypeKind Kind { get; }

    /// <summary>How its values lie in memory.</summary>
    public PhysicalType Physical { get; }

    /// <summary>Its name in SQL, such as <c>decimal(12,2)</c>.</summary>
    public abstract string SqlName { get; }

    /// <summary>The type of a bare NULL. Stored as booleans that are all null.</summary>
    public static DataType Null { get; } = new SimpleType(TypeKind.Null, PhysicalType.Bit, "void");

    /// <summary>true or false.</summary>
    public static DataType Boolean { get; } = new SimpleType(TypeKind.Boolean, PhysicalType.Bit, "boolean");

    /// <summary>8-bit signed integer.</summary>
    public static DataType TinyInt { get; } = new SimpleType(TypeKind.TinyInt, PhysicalType.Int8, "tinyint");

    /// <summary>16-bit signed integer.</summary>
    public static DataType SmallInt { get; } = new SimpleType(TypeKind.SmallInt, PhysicalType.Int16, "smallint");

    /// <summary>32-bit signed integer.</summary>
    public static DataType Int { get; } = new SimpleType(TypeKind.Int, PhysicalType.Int32, "int");

    /// <summary>64-bit signed integer.</summary>
    public static DataType BigInt { get; } = new SimpleType(TypeKind.BigInt, PhysicalType.Int64, "bigint");

    /// <summary>32-bit floating point.</summary>
    public static DataType Float { get; } = new SimpleType(TypeKind.Float, PhysicalType.Float32, "float");

    /// <summary>64-bit floating point.</summary>
    public static DataType Double { get; } = new SimpleType(TypeKind.Double, PhysicalType.Float64, "double");

    /// <summary>UTF-8 text.</summary>
    public static DataType String { get; } = new SimpleType(TypeKind.String, PhysicalType.View, "string");

    /// <summary>Bytes.</summary>
    public static DataType Binary { get; } = new SimpleType(TypeKind.Binary, PhysicalType.View, "binary");

    /// <summary>Days since 1970-01-01.</summary>
    public static DataType Date { get; } = new SimpleType(TypeKind.Date, PhysicalType.Int32, "date");

    /// <summary>Microseconds since 1970-01-01 00:00 UTC.</summary>
    public static DataType Timestamp { get; } = new SimpleType(TypeKind.Timestamp, PhysicalType.Int64, "timestamp");

    /// <summary>Microseconds since 1970-01-01 00:00 of whatever zone.</summary>
    public static DataType TimestampNtz { get; } = new SimpleType(TypeKind.TimestampNtz, PhysicalType.Int64, "timestamp_ntz");

    /// <summary>Months.</summary>
    public static DataType YearMonthInterval { get; } = new SimpleType(TypeKind.YearMonthInterval, PhysicalType.Int32, "interval year to month");

    /// <summary>Microseconds.</summary>
    public static DataType DayTimeInterval { get; } = new SimpleType(TypeKind.DayTimeInterval, PhysicalType.Int64, "interval day to second");

    /// <summary>Floating-point numbers, dense or sparse: features of models. Vectors of one column may have different sizes.</summary>
    public static DataType Vector { get; } = new SimpleType(TypeKind.Vector, PhysicalType.View, "vector");

    /// <summary>An exact number.</summary>
    /// <param name="precision">Digits in all, 1 to 38.</param>
    /// <param name="scale">Digits behind the point, 0 to <paramref name="precision"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">Out of these ranges.</exception>
    public static DecimalType Decimal(int precision, int scale) => new(precision, scale);

    /// <summary>Whether it is one of the integer types.</summary>
    public bool IsInteger => Kind is >= TypeKind.TinyInt and <= TypeKind.BigInt;

    /// <summary>Whether it is a number.</summary>
    public bool IsNumber => Kind is >= TypeKind.TinyInt and <= TypeKind.Decimal;

    /// <summary>Bytes of a value in a flat vector; 0 for bits and for types with child vectors.</summary>
    public int ByteWidth => WidthOf(Physical);

    /// <summary>Bytes of a value in a flat vector; 0 for bits and for types with child vectors.</summary>
    public static int WidthOf(PhysicalType physical) => physical switch
    {
        PhysicalType.Int8 => 1,
        PhysicalType.Int16 => 2,
        PhysicalType.Int32 or PhysicalType.Float32 => 4,
        PhysicalType.Int64 or PhysicalType.Float64 => 8,
        PhysicalType.Int128 or PhysicalType.View => 16,
        _ => 0,
    };

    /// <summary>Its name in SQL.</summary>
    public sealed override string ToString() => SqlName;
}

/// <summary>A type without parameters.</summary>
public sealed record SimpleType : DataType
{
    internal SimpleType(TypeKind kind, PhysicalType physical, string name) : base(kind, physical) => SqlName = name;

    /// <inheritdoc/>
    public override string SqlName { get; }
}

/// <summary>An exact number: an integer times a power of ten. Up to 18 digits it lies in 64 bits, beyond in 128.</summary>
public sealed record DecimalType : DataType
{
    /// <summary>Most digits there are.</summary>
    public const int MaxPrecision = 38;

    /// <summary>Most digits that lie in 64 bits.</summary>
    public const int MaxNarrowPrecision = 18;

    internal DecimalType(int precision, int scale)
        : base(TypeKind.Decimal, precision <= MaxNarrowPrecision ? PhysicalType.Int64 : PhysicalType.Int128)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(precision, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(precision, MaxPrecision);
        ArgumentOutOfRangeException.ThrowIfNegative(scale);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(scale, precision);
        Precision = precision;
        Scale = scale;
    }

    /// <summary>Digits in all.</summary>
    public int Precision { get; }

    /// <summary>Digits behind the point.</summary>
    public int Scale { get; }

    /// <inheritdoc/>
    public override string SqlName => $"decimal({Precision},{Scale})";
}

/// <summary>A list.</summary>
/// <param name="Element">The type of its elements.</param>
/// <param name="ContainsNull">Whether elements may be null.</param>
public sealed record ArrayType(DataType Element, bool ContainsNull = true) : DataType(TypeKind.Array, PhysicalType.List)
{
    /// <inheritdoc/>
    public override string SqlName => $"array<{Element}>";
}

/// <summary>Keys, which are never null, with values.</summary>
/// <param name="Key">The type of keys.</param>
/// <param name="Value">The type of values.</param>
/// <param name="ContainsNull">Whether values may be null.</param>
public sealed record MapType(DataType Key, DataType Value, bool ContainsNull = true) : DataType(TypeKind.Map, PhysicalType.List)
{
    /// <inheritdoc/>
    public override string SqlName => $"map<{Key},{Value}>";
}

/// <summary>Named fields.</summary>
/// <param name="Fields">The fields in order.</param>
public sealed record StructType(ValueList<Field> Fields) : DataType(TypeKind.Struct, PhysicalType.Struct)
{
    /// <inheritdoc/>
    public override string SqlName => $"struct<{string.Join(",", Fields.Select(each => $"{each.Name}:{each.Type}"))}>";
}
