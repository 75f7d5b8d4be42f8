namespace Dataflow.Sql.Records;

/// <summary>Which SQL types stand for types of .NET: records of the program, and parameters and results of its functions.</summary>
internal static class ClrTypes
{
    /// <summary>The SQL type of a type, or null if it has none.</summary>
    /// <remarks>A <see cref="decimal"/> is a decimal(38,18), as in Spark; a <see cref="DateTime"/> is what a clock shows, without a zone; a
    /// <see cref="DateTimeOffset"/> is an instant.</remarks>
    public static DataType? Find(Type type)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        if (plain.IsEnum) return DataType.String;
        return Type.GetTypeCode(plain) switch
        {
            TypeCode.Boolean => DataType.Boolean,
            TypeCode.SByte => DataType.TinyInt,
            TypeCode.Byte or TypeCode.Int16 => DataType.SmallInt,
            TypeCode.UInt16 or TypeCode.Int32 => DataType.Int,
            TypeCode.UInt32 or TypeCode.Int64 => DataType.BigInt,
            TypeCode.UInt64 => DataType.Decimal(20, 0),
            TypeCode.Single => DataType.Float,
            TypeCode.Double => DataType.Double,
            TypeCode.Decimal => DataType.Decimal(38, 18),
            TypeCode.String or TypeCode.Char => DataType.String,
            TypeCode.DateTime => DataType.TimestampNtz,
            _ when plain == typeof(byte[]) => DataType.Binary,
            _ when plain == typeof(Vector) => DataType.Vector,
            _ when plain == typeof(Guid) => DataType.String,
            _ when plain == typeof(DateOnly) => DataType.Date,
            _ when plain == typeof(DateTimeOffset) => DataType.Timestamp,
            _ when plain == typeof(TimeSpan) => DataType.DayTimeInterval,
            _ => null,
        };
    }

    /// <summary>Whether values of a type may be null.</summary>
    public static bool IsNullable(Type type) => !type.IsValueType || Nullable.GetUnderlyingType(type) is not null;
}
