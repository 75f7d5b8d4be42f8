using System.Globalization;

namespace Dataflow.Sql.Expressions;

/// <summary>Values as text: of literals in plans, and of results.</summary>
public static class LiteralText
{
    /// <summary>A literal as SQL writes it.</summary>
    public static string Of(Literal literal) => literal.Value switch
    {
        null => "NULL",
        string text => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'",
        byte[] bytes => $"X'{Convert.ToHexString(bytes)}'",
        bool value => value ? "true" : "false",
        var value => literal.Type.Kind switch
        {
            TypeKind.Date => $"DATE '{Date((int)value)}'",
            TypeKind.Timestamp => $"TIMESTAMP '{Timestamp((long)value)}Z'",
            TypeKind.TimestampNtz => $"TIMESTAMP_NTZ '{Timestamp((long)value)}'",
            TypeKind.YearMonthInterval => $"INTERVAL '{(int)value}' MONTH",
            TypeKind.DayTimeInterval when (long)value % 86_400_000_000 == 0 => $"INTERVAL '{(long)value / 86_400_000_000}' DAY",
            TypeKind.DayTimeInterval => $"INTERVAL '{(long)value / 1_000_000}.{Math.Abs((long)value % 1_000_000):D6}' SECOND",
            TypeKind.Decimal => Decimal((Int128)value, ((DecimalType)literal.Type).Scale),
            TypeKind.Double => ((double)value).ToString("R", CultureInfo.InvariantCulture) + "D",
            TypeKind.Float => ((float)value).ToString("R", CultureInfo.InvariantCulture) + "F",
            TypeKind.BigInt => $"{value}L",
            _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
        },
    };

    /// <summary>A decimal with its point: <c>-12.30</c>.</summary>
    /// <param name="unscaled">The value without its point.</param>
    /// <param name="scale">Digits behind the point.</param>
    public static string Decimal(Int128 unscaled, int scale)
    {
        var digits = unscaled.ToString(CultureInfo.InvariantCulture);
        if (scale == 0) return digits;
        var isNegative = digits[0] == '-';
        var text = (isNegative ? digits[1..] : digits).PadLeft(scale + 1, '0');
        return $"{(isNegative ? "-" : "")}{text[..^scale]}.{text[^scale..]}";
    }

    /// <summary>A day as <c>yyyy-MM-dd</c>; years outside 1 to 9999 with their sign.</summary>
    /// <param name="days">Days since 1970-01-01.</param>
    public static string Date(int days)
    {
        var (year, month, day) = CivilDate.Of(days);
        return year is >= 0 and <= 9999 ? $"{year:D4}-{month:D2}-{day:D2}" : $"{(year < 0 ? "-" : "+")}{Math.Abs(year):D4}-{month:D2}-{day:D2}";
    }

    /// <summary>Date and time as <c>yyyy-MM-dd HH:mm:ss</c>, with as many digits of a fraction as there are.</summary>
    /// <param name="microseconds">Since 1970-01-01 00:00.</param>
    public static string Timestamp(long microseconds)
    {
        const long day = 86_400_000_000;
        var days = (int)Math.DivRem(microseconds, day, out var rest);
        if (rest < 0)
        {
            rest += day;
            days--;
        }
        var seconds = rest / 1_000_000;
        var fraction = rest % 1_000_000;
        var text = $"{Date(days)} {seconds / 3600:D2}:{seconds / 60 % 60:D2}:{seconds % 60:D2}";
        return fraction == 0 ? text : $"{text}.{fraction.ToString("D6", CultureInfo.InvariantCulture).TrimEnd('0')}";
    }
}
