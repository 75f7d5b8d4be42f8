using System.Globalization;
using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Analysis;

/// <summary>Dates and times as text, as Spark's casts read them: <c>2024-1-31</c>, <c>2024-01-31T10:30:00.5+02:00</c>, <c>2024</c>.</summary>
internal static class TemporalText
{
    /// <summary>Microseconds of a day.</summary>
    public const long MicrosPerDay = 86_400_000_000;

    /// <summary>Days since 1970-01-01; null if it is not a date. What follows a T or a space is left out.</summary>
    public static int? TryDate(string text)
    {
        var rest = text.AsSpan().Trim();
        if (!TryDay(ref rest, out var days)) return null;
        return rest.Length == 0 || rest[0] is 'T' or ' ' ? days : null;
    }

    /// <summary>Microseconds since 1970-01-01: of UTC, or of whatever zone; null if it is not a time stamp.</summary>
    /// <param name="text">The text.</param>
    /// <param name="zoneName">The zone where the text has none.</param>
    /// <param name="isLocal">Whether date and time are taken as they stand, whatever zone the text has.</param>
    public static long? TryTimestamp(string text, string zoneName, bool isLocal)
    {
        var rest = text.AsSpan().Trim();
        if (!TryDay(ref rest, out var days)) return null;
        var micros = days * MicrosPerDay;
        if (rest.Length > 0)
        {
            if (rest[0] is not ('T' or ' ')) return null;
            rest = rest[1..];
            if (!TryTime(ref rest, out var time)) return null;
            micros += time;
        }
        rest = rest.Trim();
        if (isLocal) return rest.Length == 0 || TryZone(rest.ToString()) is not null ? micros : null;
        return TryZone(rest.Length == 0 ? zoneName : rest.ToString()) is { } zone ? ToUtc(micros, zone) : null;
    }

    /// <summary>A zone by IANA name or offset: <c>Europe/Berlin</c>, <c>UTC</c>, <c>Z</c>, <c>+02:00</c>; null if there is none.</summary>
    public static TimeZoneInfo? TryZone(string name)
    {
        name = name.Trim();
        if (name.Equals("Z", StringComparison.OrdinalIgnoreCase) || name.Equals("UTC", StringComparison.OrdinalIgnoreCase)) return TimeZoneInfo.Utc;
        var offset = name;
        foreach (var prefix in (ReadOnlySpan<string>)["UTC", "GMT", "UT"])
        {
            if (offset.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && offset.Length > prefix.Length)
            {
                offset = offset[prefix.Length..];
                break;
            }
        }
        if (offset.Length > 1 && offset[0] is '+' or '-')
        {
            var parts = offset[1..].Split(':');
            if (parts.Length is < 1 or > 3 || !parts.All(part => part.Length is 1 or 2 && part.All(char.IsAsciiDigit))) return null;
            var numbers = parts.Select(part => int.Parse(part, CultureInfo.InvariantCulture)).Concat([0, 0]).ToArray();
            var span = new TimeSpan(numbers[0], numbers[1], 0);
            if (numbers[0] > 18 || numbers[1] > 59 || numbers[2] != 0 || span > TimeSpan.FromHours(14)) return null;
            if (offset[0] == '-') span = -span;
            return TimeZoneInfo.CreateCustomTimeZone(name, span, name, name);
        }
        return TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone : null;
    }

    /// <summary>The UTC instant of a date and time in a zone. Times that a clock skips count by the offset before; of two equal ones it is the first.</summary>
    public static long ToUtc(long localMicros, TimeZoneInfo zone)
    {
        var ticks = (Int128)localMicros * TimeSpan.TicksPerMicrosecond + DateTime.UnixEpoch.Ticks;
        if (ticks < DateTime.MinValue.Ticks || ticks > DateTime.MaxValue.Ticks) return localMicros - (zone.BaseUtcOffset.Ticks / TimeSpan.TicksPerMicrosecond);
        var local = new DateTime((long)ticks, DateTimeKind.Unspecified);
        var offset = zone.IsInvalidTime(local) ? zone.GetUtcOffset(local.AddHours(-3)) : zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return localMicros - (offset.Ticks / TimeSpan.TicksPerMicrosecond);
    }

    private static bool TryDay(ref ReadOnlySpan<char> rest, out int days)
    {
        days = 0;
        var isNegative = false;
        if (rest.Length > 0 && rest[0] is '+' or '-')
        {
            isNegative = rest[0] == '-';
            rest = rest[1..];
        }
        if (!TryDigits(ref rest, 4, 6, out var year)) return false;
        int month = 1, day = 1;
        if (rest.Length > 0 && rest[0] == '-')
        {
            rest = rest[1..];
            if (!TryDigits(ref rest, 1, 2, out month)) return false;
            if (rest.Length > 0 && rest[0] == '-')
            {
                rest = rest[1..];
                if (!TryDigits(ref rest, 1, 2, out day)) return false;
            }
        }
        if (isNegative) year = -year;
        if (month is < 1 or > 12 || day < 1 || day > CivilDate.DaysIn(year, month)) return false;
        days = CivilDate.DaysOf(year, month, day);
        return true;
    }

    private static bool TryTime(ref ReadOnlySpan<char> rest, out long micros)
    {
        micros = 0;
        if (!TryDigits(ref rest, 1, 2, out var hour) || hour > 23) return false;
        int minute = 0, second = 0;
        var fraction = 0L;
        if (rest.Length > 0 && rest[0] == ':')
        {
            rest = rest[1..];
            if (!TryDigits(ref rest, 1, 2, out minute) || minute > 59) return false;
            if (rest.Length > 0 && rest[0] == ':')
            {
                rest = rest[1..];
                if (!TryDigits(ref rest, 1, 2, out second) || second > 59) return false;
                if (rest.Length > 0 && rest[0] == '.')
                {
                    rest = rest[1..];
                    var digits = 0;
                    for (; digits < rest.Length && char.IsAsciiDigit(rest[digits]); digits++)
                    {
                        if (digits < 6) fraction = (fraction * 10) + (rest[digits] - '0');
                    }
                    for (var i = digits; i < 6; i++) fraction *= 10;
                    rest = rest[digits..];
                }
            }
        }
        micros = ((((hour * 60L) + minute) * 60) + second) * 1_000_000 + fraction;
        return true;
    }

    private static bool TryDigits(ref ReadOnlySpan<char> rest, int least, int most, out int value)
    {
        value = 0;
        var count = 0;
        for (; count < rest.Length && count < most && char.IsAsciiDigit(rest[count]); count++) value = (value * 10) + (rest[count] - '0');
        rest = rest[count..];
        return count >= least;
    }
}
