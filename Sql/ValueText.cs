using System.Globalization;

namespace Dataflow.Sql;

/// <summary>Values of results as text, as Spark shows them.</summary>
internal static class ValueText
{
    public static string Of(object? value, DataType type) => value switch
    {
        null => "NULL",
        bool flag => flag ? "true" : "false",
        double number => Number(number),
        float number => Number(number),
        decimal number => number.ToString(CultureInfo.InvariantCulture),
        byte[] bytes => Convert.ToHexString(bytes),
        DateOnly day => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        DateTimeOffset time => Time(time.UtcDateTime),
        DateTime time => Time(time),
        int months when type.Kind == TypeKind.YearMonthInterval => $"{(months < 0 ? "-" : "")}{Math.Abs((long)months) / 12}-{Math.Abs((long)months) % 12}",
        TimeSpan span => span.ToString("c", CultureInfo.InvariantCulture),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static string Number(double value) => double.IsFinite(value)
        ? value == Math.Truncate(value) && Math.Abs(value) < 1e7 ? value.ToString("0.0", CultureInfo.InvariantCulture) : value.ToString("R", CultureInfo.InvariantCulture)
        : double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";

    private static string Number(float value) => float.IsFinite(value)
        ? value == MathF.Truncate(value) && MathF.Abs(value) < 1e7f ? value.ToString("0.0", CultureInfo.InvariantCulture) : value.ToString("R", CultureInfo.InvariantCulture)
        : Number((double)value);

    private static string Time(DateTime time)
    {
        var text = time.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture);
        return text.TrimEnd('0').TrimEnd('.');
    }
}
