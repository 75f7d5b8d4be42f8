using System.Collections.Concurrent;
using System.Globalization;

namespace Dataflow.Sql.Kernels;

/// <summary>A time zone: what clocks show there at an instant, and when they showed it.</summary>
/// <remarks>A time that clocks skip is taken as if they had not been set forward yet; of one that they show twice, the first counts.</remarks>
internal sealed class Zone
{
    private const long Tick = 10;
    private static readonly ConcurrentDictionary<string, Zone?> Known = new(StringComparer.Ordinal);
    private readonly TimeZoneInfo? _info;
    private readonly long _offset;

    private Zone(TimeZoneInfo? info, long offset)
    {
        _info = info;
        _offset = offset;
    }

    /// <summary>Whether clocks show the same everywhere in time.</summary>
    public bool IsFixed => _info is null;

    /// <summary>A zone by its IANA name or offset.</summary>
    /// <returns>Null if there is none of that name.</returns>
    public static Zone? Find(string name) => Known.GetOrAdd(name, static name =>
    {
        if (name is "Z" or "z" or "UTC" or "GMT" or "UT") return new Zone(null, 0);
        foreach (var prefix in (ReadOnlySpan<string>)["UTC", "GMT", "UT"])
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal) && name.Length > prefix.Length && name[prefix.Length] is '+' or '-') return Offset(name.AsSpan(prefix.Length));
        }
        if (name.Length > 0 && name[0] is '+' or '-') return Offset(name);
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(name, out var info)) return null;
        return info.SupportsDaylightSavingTime || info.GetAdjustmentRules().Length > 0 ? new Zone(info, 0) : new Zone(null, info.BaseUtcOffset.Ticks / Tick);
    });

    /// <summary>The zone of a session.</summary>
    /// <exception cref="QueryException">There is no such zone.</exception>
    public static Zone Of(EvaluatorContext context) => Find(context.Session.TimeZone) ?? throw new QueryException("INVALID_TIMEZONE",
        $"There is no time zone '{context.Session.TimeZone}'. Give an IANA name such as 'Europe/Berlin', or an offset such as '+02:00'.");

    /// <summary>What clocks show, in microseconds since 1970-01-01 00:00.</summary>
    /// <param name="instant">Microseconds since 1970-01-01 00:00 UTC.</param>
    public long ToLocal(long instant) => _info is null ? instant + _offset : instant + (_info.GetUtcOffset(At(instant)).Ticks / Tick);

    /// <summary>When clocks show a time.</summary>
    /// <param name="local">Microseconds since 1970-01-01 00:00, as clocks show it.</param>
    public long ToInstant(long local)
    {
        if (_info is null) return local - _offset;
        var time = DateTime.SpecifyKind(At(local), DateTimeKind.Unspecified);
        // Twice shown: the larger offset is the earlier instant. Skipped: the offset before the gap.
        TimeSpan offset;
        if (_info.IsAmbiguousTime(time)) offset = _info.GetAmbiguousTimeOffsets(time).Max();
        else if (_info.IsInvalidTime(time)) offset = _info.GetUtcOffset(time.AddHours(-3));
        else offset = _info.GetUtcOffset(time);
        return local - (offset.Ticks / Tick);
    }

    // Zones are as they are in the first and the last year that the calendar of the platform has.
    private static DateTime At(long microseconds)
    {
        const long first = -62_135_596_800_000_000, last = 253_402_214_400_000_000;
        return new DateTime((Math.Clamp(microseconds, first + 86_400_000_000, last) - first) * Tick, DateTimeKind.Utc);
    }

    // +h, +hh, +hhmm, +h:mm, +hh:mm, +hh:mm:ss
    private static Zone? Offset(ReadOnlySpan<char> text)
    {
        var sign = text[0] == '-' ? -1 : 1;
        text = text[1..];
        Span<int> parts = [0, 0, 0];
        if (text.IndexOf(':') >= 0)
        {
            var at = 0;
            foreach (var range in text.Split(':'))
            {
                if (at == 3 || text[range].Length is 0 or > 2 || !int.TryParse(text[range], NumberStyles.None, CultureInfo.InvariantCulture, out parts[at++])) return null;
            }
        }
        else
        {
            if (text.Length is 0 or 3 or > 4 || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return null;
            (parts[0], parts[1]) = text.Length == 4 ? (number / 100, number % 100) : (number, 0);
        }
        if (parts[0] > 18 || parts[1] > 59 || parts[2] > 59) return null;
        return new Zone(null, sign * ((parts[0] * 3600L) + (parts[1] * 60) + parts[2]) * 1_000_000);
    }
}
