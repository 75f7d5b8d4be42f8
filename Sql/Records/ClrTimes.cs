using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Records;

/// <summary>Days and times of queries as objects of .NET, whose calendar has the years 1 to 9999; columns hold hundreds of thousands of years.</summary>
internal static class ClrTimes
{
    private const int DaysToEpoch = 719_162;
    private const long First = -62_135_596_800_000_000, Last = 253_402_300_799_999_999;
    private const long MostSpan = long.MaxValue / TimeSpan.TicksPerMicrosecond;

    /// <summary>A day.</summary>
    /// <param name="days">Days since 1970-01-01.</param>
    /// <exception cref="QueryException">The calendar does not have it.</exception>
    public static DateOnly Day(int days)
    {
        if (days < -DaysToEpoch || days > DateOnly.MaxValue.DayNumber - DaysToEpoch) throw Outside("date", LiteralText.Date(days), "DateOnly", "between 0001-01-01 and 9999-12-31");
        return DateOnly.FromDayNumber(days + DaysToEpoch);
    }

    /// <summary>A time, as UTC.</summary>
    /// <param name="microseconds">Microseconds since 1970-01-01 00:00.</param>
    /// <exception cref="QueryException">The calendar does not have it.</exception>
    public static DateTime Time(long microseconds)
    {
        if (microseconds is < First or > Last)
            throw Outside("timestamp", LiteralText.Timestamp(microseconds), "DateTime", "between 0001-01-01 00:00:00 and 9999-12-31 23:59:59.999999 UTC");
        return DateTime.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
    }

    /// <summary>A stretch of time.</summary>
    /// <param name="microseconds">Its length.</param>
    /// <exception cref="QueryException">It is longer than a <see cref="TimeSpan"/> can be.</exception>
    public static TimeSpan Span(long microseconds)
    {
        if (microseconds is < -MostSpan or > MostSpan) throw Outside("interval", $"of {microseconds} microseconds", "TimeSpan", "of 10,675,199 days at the most");
        return TimeSpan.FromTicks(microseconds * TimeSpan.TicksPerMicrosecond);
    }

    private static QueryException Outside(string type, string value, string clrType, string range) => new("DATETIME_OVERFLOW",
        $"The {type} {value} can't become a {clrType}, which is {range}. Cast it to string to see it, or leave such rows out.");
}
