using System.Text;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Casts;

/// <summary>
/// Reads dates and timestamps from text as Spark does: <c>yyyy</c>, <c>yyyy-M</c>, <c>yyyy-M-d</c>, then, after a blank or T, <c>H:m[:s[.ffffff]]</c>
/// and a zone.
/// </summary>
public static class TimeText
{
    private const long Second = 1_000_000, Day = 86_400 * Second;

    /// <summary>Reads a date; a time behind it is passed over.</summary>
    /// <param name="text">UTF-8.</param>
    /// <param name="days">Days since 1970-01-01.</param>
    public static bool TryDate(ReadOnlySpan<byte> text, out int days)
    {
        text = TextNumbers.Trim(text);
        return TryDay(ref text, out days) && (text.Length == 0 || text[0] is (byte)' ' or (byte)'T');
    }

    /// <summary>Reads a timestamp.</summary>
    /// <param name="text">UTF-8.</param>
    /// <param name="zone">The zone that is named in the text; null if none is.</param>
    /// <param name="local">Microseconds since 1970-01-01 00:00 in that zone, or in whichever is meant.</param>
    public static bool TryTimestamp(ReadOnlySpan<byte> text, out long local, out string? zone)
    {
        (local, zone) = (0, null);
        text = TextNumbers.Trim(text);
        if (!TryDay(ref text, out var days)) return false;
        local = days * Day;
        if (text.Length == 0) return true;
        if (text[0] is not ((byte)' ' or (byte)'T')) return false;
        text = text[1..];
        if (text.Length == 0) return true;
        if (!TryNumber(ref text, 2, out var hour) || hour > 23 || !Skip(ref text, ':') || !TryNumber(ref text, 2, out var minute) || minute > 59) return false;
        var (second, micros) = (0, 0);
        if (Skip(ref text, ':'))
        {
            if (!TryNumber(ref text, 2, out second) || second > 59) return false;
            if (Skip(ref text, '.'))
            {
                var digits = 0;
                while (text.Length > 0 && text[0] is >= (byte)'0' and <= (byte)'9')
                {
                    // Digits past the sixth are dropped.
                    if (digits++ < 6) micros = (micros * 10) + text[0] - '0';
                    text = text[1..];
                }
                for (; digits < 6; digits++) micros *= 10;
            }
        }
        local += (((((hour * 60L) + minute) * 60) + second) * Second) + micros;
        text = TextNumbers.Trim(text);
        if (text.Length == 0) return true;
        zone = Encoding.UTF8.GetString(text);
        return Zone.Find(zone) is not null;
    }

    private static bool TryDay(ref ReadOnlySpan<byte> text, out int days)
    {
        days = 0;
        var sign = 1;
        if (text.Length > 0 && text[0] is (byte)'-' or (byte)'+')
        {
            sign = text[0] == '-' ? -1 : 1;
            text = text[1..];
        }
        var before = text.Length;
        if (!TryNumber(ref text, 7, out var year) || before - text.Length < 4) return false;
        var (month, day) = (1, 1);
        if (Skip(ref text, '-'))
        {
            if (!TryNumber(ref text, 2, out month)) return false;
            if (Skip(ref text, '-') && !TryNumber(ref text, 2, out day)) return false;
        }
        year *= sign;
        if (month is < 1 or > 12 || day < 1 || day > CivilDate.DaysIn(year, month) || year is > 294_247 or < -290_308) return false;
        days = CivilDate.DaysOf(year, month, day);
        return true;
    }

    private static bool TryNumber(ref ReadOnlySpan<byte> text, int most, out int value)
    {
        value = 0;
        var length = 0;
        while (length < text.Length && length < most && text[length] is >= (byte)'0' and <= (byte)'9') value = (value * 10) + text[length++] - '0';
        text = text[length..];
        return length > 0;
    }

    private static bool Skip(ref ReadOnlySpan<byte> text, char what)
    {
        if (text.Length == 0 || text[0] != what) return false;
        text = text[1..];
        return true;
    }
}
