using System.Globalization;
using Dataflow.Sql.Casts;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Records;

namespace Dataflow.Sql.Writing;

/// <summary>How values stand in files of text. Numbers are written so that reading them gives the same again.</summary>
/// <param name="dateFormat">.NET's format of dates; null for <c>yyyy-MM-dd</c>.</param>
/// <param name="timestampFormat">.NET's format of timestamps; null for ISO 8601, in UTC where it is an instant.</param>
internal sealed unsafe class FieldText(string? dateFormat, string? timestampFormat)
{
    /// <summary>Refuses a type that has no text; vectors are lists of numbers where the format has lists.</summary>
    public static void Check(Schema schema, string format, bool hasLists = false)
    {
        foreach (var field in schema)
        {
            if (field.Type.Kind > TypeKind.DayTimeInterval && !(hasLists && field.Type.Kind == TypeKind.Vector))
                throw new QueryException("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", $"Column '{field.Name}' is {field.Type}, which {format} files have no form for. Cast it to string, or leave it out.");
        }
    }

    /// <summary>Writes a value that is not null, and neither text nor bytes.</summary>
    public void Add(ColumnVector vector, int row, Utf8Output output)
    {
        switch (vector.Type.Kind)
        {
            case TypeKind.Boolean:
                output.Add(vector.Bit(row) ? "true"u8 : "false"u8);
                break;
            case TypeKind.TinyInt:
                output.Add(vector.Value<sbyte>(row));
                break;
            case TypeKind.SmallInt:
                output.Add(vector.Value<short>(row));
                break;
            case TypeKind.Int or TypeKind.YearMonthInterval:
                output.Add(vector.Value<int>(row));
                break;
            case TypeKind.BigInt or TypeKind.DayTimeInterval:
                output.Add(vector.Value<long>(row));
                break;
            case TypeKind.Float:
                output.Add(NumberText.Of(vector.Value<float>(row)));
                break;
            case TypeKind.Double:
                output.Add(NumberText.Of(vector.Value<double>(row)));
                break;
            case TypeKind.Decimal:
                var unscaled = vector.Type.Physical == PhysicalType.Int64 ? vector.Value<long>(row) : vector.Value<Int128>(row);
                output.Add(LiteralText.Decimal(unscaled, ((DecimalType)vector.Type).Scale));
                break;
            case TypeKind.Date when dateFormat is null:
                output.Add(LiteralText.Date(vector.Value<int>(row)));
                break;
            case TypeKind.Date:
                output.Add(ClrTimes.Day(vector.Value<int>(row)).ToString(dateFormat, CultureInfo.InvariantCulture));
                break;
            default:
                var time = ClrTimes.Time(vector.Value<long>(row));
                var isInstant = vector.Type.Kind == TypeKind.Timestamp;
                output.Add(time.ToString(timestampFormat ?? (isInstant ? "yyyy-MM-ddTHH:mm:ss.FFFFFF'Z'" : "yyyy-MM-ddTHH:mm:ss.FFFFFF"), CultureInfo.InvariantCulture));
                break;
        }
    }
}
