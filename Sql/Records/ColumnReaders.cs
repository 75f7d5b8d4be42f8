using System.Reflection;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Records;

/// <summary>How values of columns become values of .NET: a method for each pair of types that goes without loss.</summary>
internal static unsafe class ColumnReaders
{
    /// <summary>Whether a column of a type can go into a member of a type of .NET.</summary>
    public static bool Fits(DataType type, Type target) => Find(type, target) is not null;

    /// <summary>What reads a value that is not null; its result is converted to the target. Null if the types do not go together.</summary>
    public static MethodInfo? Find(DataType type, Type target)
    {
        var plain = Nullable.GetUnderlyingType(target) ?? target;
        if (plain == typeof(object)) return Method(nameof(Boxed));
        if (plain.IsEnum)
        {
            return type.Kind switch
            {
                TypeKind.String => Method(nameof(EnumOfText)).MakeGenericMethod(plain),
                _ when type.IsInteger => Find(type, Enum.GetUnderlyingType(plain)),
                _ => null,
            };
        }
        var name = (type.Kind, Type.GetTypeCode(plain)) switch
        {
            (TypeKind.Boolean, TypeCode.Boolean) => nameof(Boolean),
            (TypeKind.TinyInt, TypeCode.SByte or TypeCode.Int16 or TypeCode.Int32 or TypeCode.Int64 or TypeCode.Single or TypeCode.Double or TypeCode.Decimal) => nameof(TinyInt),
            (TypeKind.SmallInt, TypeCode.Int16 or TypeCode.Int32 or TypeCode.Int64 or TypeCode.Single or TypeCode.Double or TypeCode.Decimal) => nameof(SmallInt),
            (TypeKind.Int or TypeKind.YearMonthInterval, TypeCode.Int32 or TypeCode.Int64 or TypeCode.Double or TypeCode.Decimal) => nameof(Int),
            (TypeKind.BigInt, TypeCode.Int64 or TypeCode.Decimal) => nameof(BigInt),
            (TypeKind.Float, TypeCode.Single or TypeCode.Double) => nameof(Float),
            (TypeKind.Double, TypeCode.Double) => nameof(Double),
            (TypeKind.Decimal, TypeCode.Decimal) => type.Physical == PhysicalType.Int64 ? nameof(Decimal) : nameof(WideDecimal),
            (TypeKind.Decimal, TypeCode.Double) => type.Physical == PhysicalType.Int64 ? nameof(DoubleOfDecimal) : nameof(DoubleOfWideDecimal),
            (TypeKind.String, TypeCode.String) => nameof(Text),
            (TypeKind.String, TypeCode.Char) => nameof(Character),
            (TypeKind.Timestamp, TypeCode.DateTime) => nameof(UtcTime),
            (TypeKind.TimestampNtz, TypeCode.DateTime) => nameof(LocalTime),
            (TypeKind.Date, TypeCode.DateTime) => nameof(Midnight),
            _ => null,
        };
        name ??= type.Kind switch
        {
            TypeKind.Binary when plain == typeof(byte[]) => nameof(Bytes),
            TypeKind.Vector when plain == typeof(Vector) => nameof(VectorOf),
            TypeKind.Vector when plain == typeof(double[]) => nameof(Numbers),
            TypeKind.String when plain == typeof(Guid) => nameof(GuidOfText),
            TypeKind.Date when plain == typeof(DateOnly) => nameof(Day),
            TypeKind.Timestamp when plain == typeof(DateTimeOffset) => nameof(Moment),
            TypeKind.DayTimeInterval when plain == typeof(TimeSpan) => nameof(Span),
            TypeKind.Decimal when plain == typeof(SqlDecimal) => nameof(Exact),
            _ => null,
        };
        return name is null ? null : Method(name);
    }

    /// <summary>The type of .NET that a column fits best.</summary>
    public static string BestFor(DataType type) => type.Kind switch
    {
        TypeKind.Boolean => "bool",
        TypeKind.TinyInt => "sbyte",
        TypeKind.SmallInt => "short",
        TypeKind.Int or TypeKind.YearMonthInterval => "int",
        TypeKind.BigInt => "long",
        TypeKind.Float => "float",
        TypeKind.Double => "double",
        TypeKind.Decimal => "decimal",
        TypeKind.Binary => "byte[]",
        TypeKind.Vector => "Vector",
        TypeKind.Date => "DateOnly",
        TypeKind.Timestamp => "DateTimeOffset",
        TypeKind.TimestampNtz => "DateTime",
        TypeKind.DayTimeInterval => "TimeSpan",
        _ => "string",
    };

    /// <summary>The name of a type as programs write it.</summary>
    public static string NameOf(Type type) => Nullable.GetUnderlyingType(type) is { } plain
        ? NameOf(plain) + "?"
        : type.IsEnum ? type.Name : Type.GetTypeCode(type) switch
        {
            TypeCode.Boolean => "bool",
            TypeCode.SByte => "sbyte",
            TypeCode.Byte => "byte",
            TypeCode.Int16 => "short",
            TypeCode.Int32 => "int",
            TypeCode.Int64 => "long",
            TypeCode.Single => "float",
            TypeCode.Double => "double",
            TypeCode.Decimal => "decimal",
            TypeCode.String => "string",
            TypeCode.Char => "char",
            _ => type.Name,
        };

    /// <summary>The error of a null that has no place.</summary>
    public static T NoNull<T>(string column, string type, string member) => throw new QueryException(
        "NULL_VALUE", $"Column '{column}' ({type}) is NULL in a row, but {member} is {NameOf(typeof(T))}, which can't be. Make it {NameOf(typeof(T))}?, or use coalesce in the query.");

    public static bool Boolean(ColumnVector vector, int row) => vector.Bit(row);

    public static sbyte TinyInt(ColumnVector vector, int row) => vector.Value<sbyte>(row);

    public static short SmallInt(ColumnVector vector, int row) => vector.Value<short>(row);

    public static int Int(ColumnVector vector, int row) => vector.Value<int>(row);

    public static long BigInt(ColumnVector vector, int row) => vector.Value<long>(row);

    public static float Float(ColumnVector vector, int row) => vector.Value<float>(row);

    public static double Double(ColumnVector vector, int row) => vector.Value<double>(row);

    public static decimal Decimal(ColumnVector vector, int row)
    {
        var value = vector.Value<long>(row);
        var magnitude = (ulong)Math.Abs(value);
        return new decimal((int)(uint)magnitude, (int)(uint)(magnitude >> 32), 0, value < 0, (byte)((DecimalType)vector.Type).Scale);
    }

    public static decimal WideDecimal(ColumnVector vector, int row) => SqlDecimal.ValueOf(vector.Value<Int128>(row), ((DecimalType)vector.Type).Scale) is decimal value
        ? value
        : throw new QueryException(
            "NUMERIC_VALUE_OUT_OF_RANGE", $"{Exact(vector, row)} has more digits than a decimal of .NET. Take it as {nameof(SqlDecimal)}, or cast the column to decimal(28, ...).");

    public static SqlDecimal Exact(ColumnVector vector, int row) =>
        new(vector.Type.Physical == PhysicalType.Int64 ? vector.Value<long>(row) : vector.Value<Int128>(row), ((DecimalType)vector.Type).Scale);

    public static double DoubleOfDecimal(ColumnVector vector, int row) => (double)Decimal(vector, row);

    public static double DoubleOfWideDecimal(ColumnVector vector, int row) => double.Parse(Exact(vector, row).ToString(), System.Globalization.CultureInfo.InvariantCulture);

    public static string Text(ColumnVector vector, int row) => StringView.TextOf((StringView*)vector.ValueAt(row));

    public static char Character(ColumnVector vector, int row) => Text(vector, row) is [var only]
        ? only
        : throw new QueryException("CAST_INVALID_INPUT", $"The text '{Text(vector, row)}' is not one character. Take it as a string.");

    public static byte[] Bytes(ColumnVector vector, int row) => StringView.BytesOf((StringView*)vector.ValueAt(row)).ToArray();

    public static Vector VectorOf(ColumnVector vector, int row) => Vector.Decode(StringView.BytesOf((StringView*)vector.ValueAt(row)));

    public static double[] Numbers(ColumnVector vector, int row) => VectorOf(vector, row).ToArray();

    public static Guid GuidOfText(ColumnVector vector, int row) => Guid.TryParse(Text(vector, row), out var id)
        ? id
        : throw new QueryException("CAST_INVALID_INPUT", $"The text '{Text(vector, row)}' is no Guid.");

    public static T EnumOfText<T>(ColumnVector vector, int row) where T : struct, Enum => Enum.TryParse<T>(Text(vector, row), ignoreCase: true, out var value)
        ? value
        : throw new QueryException("CAST_INVALID_INPUT", $"The text '{Text(vector, row)}' is none of {typeof(T).Name}: {string.Join(", ", Enum.GetNames<T>())}.");

    public static DateOnly Day(ColumnVector vector, int row) => ClrTimes.Day(vector.Value<int>(row));

    public static DateTime Midnight(ColumnVector vector, int row) => Day(vector, row).ToDateTime(default);

    public static DateTimeOffset Moment(ColumnVector vector, int row) => new(ClrTimes.Time(vector.Value<long>(row)));

    public static DateTime UtcTime(ColumnVector vector, int row) => ClrTimes.Time(vector.Value<long>(row));

    public static DateTime LocalTime(ColumnVector vector, int row) => DateTime.SpecifyKind(UtcTime(vector, row), DateTimeKind.Unspecified);

    public static TimeSpan Span(ColumnVector vector, int row) => ClrTimes.Span(vector.Value<long>(row));

    public static object Boxed(ColumnVector vector, int row) => Row.ValueOf(vector, row)!;

    private static MethodInfo Method(string name) => typeof(ColumnReaders).GetMethod(name, BindingFlags.Public | BindingFlags.Static)!;
}
