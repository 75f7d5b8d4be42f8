using System.Globalization;
using System.Text;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Casts;

/// <summary>Casts to text, to and from booleans, and the bytes of text.</summary>
internal static class OtherCasts
{
    /// <summary>A value as text, as Spark shows it.</summary>
    public static Evaluator? ToText(CastSite site)
    {
        if (site.From.Kind == TypeKind.Binary) return new SameBytesEvaluator(site.Argument, site.To);
        var zone = site.From.Kind == TypeKind.Timestamp ? Zone.Of(site.Context) : null;
        var scale = site.From is DecimalType type ? type.Scale : 0;
        RowKernel? kernel = (site.From.Kind, site.From.Physical) switch
        {
            (TypeKind.Boolean, _) => static row => row.Return(row.Bool(0) ? "true"u8 : "false"u8),
            (TypeKind.TinyInt, _) => static row => Format(row, row.Value<sbyte>(0)),
            (TypeKind.SmallInt, _) => static row => Format(row, row.Value<short>(0)),
            (TypeKind.Int, _) => static row => Format(row, row.Int(0)),
            (TypeKind.BigInt, _) => static row => Format(row, row.Long(0)),
            (TypeKind.Float, _) => static row => row.Return(NumberText.Of(row.Value<float>(0))),
            (TypeKind.Double, _) => static row => row.Return(NumberText.Of(row.Double(0))),
            (TypeKind.Decimal, PhysicalType.Int64) => row => row.Return(LiteralText.Decimal(row.Long(0), scale)),
            (TypeKind.Decimal, _) => row => row.Return(LiteralText.Decimal(row.Value<Int128>(0), scale)),
            (TypeKind.Date, _) => static row => row.Return(LiteralText.Date(row.Int(0))),
            (TypeKind.Timestamp, _) => row => row.Return(LiteralText.Timestamp(zone!.ToLocal(row.Long(0)))),
            (TypeKind.TimestampNtz, _) => static row => row.Return(LiteralText.Timestamp(row.Long(0))),
            (TypeKind.YearMonthInterval, _) => static row => row.Return(IntervalText.YearMonth(row.Int(0))),
            (TypeKind.DayTimeInterval, _) => static row => row.Return(IntervalText.DayTime(row.Long(0))),
            _ => null,
        };
        return kernel is null ? null : site.Rows(kernel);
    }

    public static Evaluator? FromBoolean(CastSite site)
    {
        RowKernel? kernel = site.To.Kind switch
        {
            TypeKind.TinyInt => static row => row.Return((sbyte)(row.Bool(0) ? 1 : 0)),
            TypeKind.SmallInt => static row => row.Return((short)(row.Bool(0) ? 1 : 0)),
            TypeKind.Int => static row => row.Return(row.Bool(0) ? 1 : 0),
            TypeKind.BigInt => static row => row.Return(row.Bool(0) ? 1L : 0L),
            TypeKind.Float => static row => row.Return(row.Bool(0) ? 1f : 0f),
            TypeKind.Double => static row => row.Return(row.Bool(0) ? 1.0 : 0.0),
            _ => null,
        };
        if (site.To is not DecimalType type) return kernel is null ? null : site.Rows(kernel);
        if (type.Precision == type.Scale) return null;
        var one = PowersOfTen.Of(type.Scale);
        return site.Rows(type.Physical == PhysicalType.Int64 ? row => row.Return(row.Bool(0) ? (long)one : 0L) : row => row.Return(row.Bool(0) ? one : (Int128)0));
    }

    public static Evaluator? ToBoolean(CastSite site)
    {
        var isTry = site.IsTry;
        return (site.From.Kind, site.From.Physical) switch
        {
            (TypeKind.TinyInt, _) => site.Rows(static row => row.Return(row.Value<sbyte>(0) != 0)),
            (TypeKind.SmallInt, _) => site.Rows(static row => row.Return(row.Value<short>(0) != 0)),
            (TypeKind.Int, _) => site.Rows(static row => row.Return(row.Int(0) != 0)),
            (TypeKind.BigInt, _) => site.Rows(static row => row.Return(row.Long(0) != 0)),
            (TypeKind.Float, _) => site.Rows(static row => row.Return(row.Value<float>(0) != 0)),
            (TypeKind.Double, _) => site.Rows(static row => row.Return(row.Double(0) != 0)),
            (TypeKind.Decimal, PhysicalType.Int64) => site.Rows(static row => row.Return(row.Long(0) != 0)),
            (TypeKind.Decimal, _) => site.Rows(static row => row.Return(row.Value<Int128>(0) != 0)),
            (TypeKind.String, _) => site.Rows(row => FromText(row, isTry)),
            _ => null,
        };
    }

    private static void FromText(RowEvaluator row, bool isTry)
    {
        var text = TextNumbers.Trim(row.Text(0));
        if (Is(text, "true"u8) || Is(text, "t"u8) || Is(text, "yes"u8) || Is(text, "y"u8) || Is(text, "1"u8)) row.Return(true);
        else if (Is(text, "false"u8) || Is(text, "f"u8) || Is(text, "no"u8) || Is(text, "n"u8) || Is(text, "0"u8)) row.Return(false);
        else if (isTry) row.ReturnNull();
        else throw row.Error("CAST_INVALID_INPUT", $"The value '{Encoding.UTF8.GetString(text)}' of type string can't be cast to boolean. Use try_cast for a null instead.");
    }

    private static bool Is(ReadOnlySpan<byte> text, ReadOnlySpan<byte> word) => Ascii.EqualsIgnoreCase(text, word);

    private static void Format<T>(RowEvaluator row, T value) where T : IUtf8SpanFormattable
    {
        value.TryFormat(row.Room(24), out var length, default, CultureInfo.InvariantCulture);
        row.ReturnWritten(length);
    }
}

/// <summary>Intervals as Spark shows them.</summary>
internal static class IntervalText
{
    public static string YearMonth(int months) =>
        $"INTERVAL '{(months < 0 ? "-" : "")}{Math.Abs((long)months) / 12}-{Math.Abs((long)months) % 12}' YEAR TO MONTH";

    public static string DayTime(long microseconds)
    {
        var size = Int128.Abs(microseconds);
        var seconds = (long)(size / TimeUnits.Second);
        var fraction = (long)(size % TimeUnits.Second);
        var tail = fraction == 0 ? "" : "." + fraction.ToString("D6", CultureInfo.InvariantCulture).TrimEnd('0');
        return $"INTERVAL '{(microseconds < 0 ? "-" : "")}{seconds / 86_400} {seconds / 3600 % 24:D2}:{seconds / 60 % 60:D2}:{seconds % 60:D2}{tail}' DAY TO SECOND";
    }
}
