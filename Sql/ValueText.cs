using System.Globalization;
using Dataflow.Sql.Casts;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Records;

namespace Dataflow.Sql;

/// <summary>Values of results as text, as Spark shows them.</summary>
internal static class ValueText
{
    public static string Of(object? value, DataType type, Zone? zone = null) => value switch
    {
        null => "NULL",
        bool flag => flag ? "true" : "false",
        double number => NumberText.Of(number),
        float number => NumberText.Of(number),
        decimal number => number.ToString(CultureInfo.InvariantCulture),
        byte[] bytes => Convert.ToHexString(bytes),
        DateOnly day => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        DateTimeOffset time => Time(zone is null ? time.UtcDateTime : ClrTimes.Time(zone.ToLocal((time.UtcTicks - DateTime.UnixEpoch.Ticks) / 10))),
        DateTime time => Time(time),
        int months when type.Kind == TypeKind.YearMonthInterval => $"{(months < 0 ? "-" : "")}{Math.Abs((long)months) / 12}-{Math.Abs((long)months) % 12}",
        TimeSpan span => $"{(span < TimeSpan.Zero ? "-" : "")}{span:%d} {span:hh\\:mm\\:ss\\.ffffff}000",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static string Time(DateTime time)
    {
        var text = time.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture);
        return text.TrimEnd('0').TrimEnd('.');
    }
}
