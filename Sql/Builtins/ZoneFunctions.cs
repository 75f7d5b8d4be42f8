using System.Text;
using Dataflow.Sql.Casts;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Moments and intervals made of numbers, and moments in other time zones.</summary>
internal static class ZoneFunctions
{
    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new RowFunction("from_utc_timestamp", "from_utc_timestamp(timestamp, zone)", "The time that clocks of a zone show when those of UTC show the given one.",
            [DataType.Timestamp, DataType.String], DataType.Timestamp, static row => row.Return(Moved(row, 0, row.Zone, ZoneOf(row, 1), fromUtc: true))) { Fails = true });
        registry.Add(new RowFunction("to_utc_timestamp", "to_utc_timestamp(timestamp, zone)", "The time that clocks of UTC show when those of a zone show the given one.",
            [DataType.Timestamp, DataType.String], DataType.Timestamp, static row => row.Return(Moved(row, 0, row.Zone, ZoneOf(row, 1), fromUtc: false))) { Fails = true });
        registry.Add(new RowFunction("convert_timezone", "convert_timezone([from, ]to, timestamp_ntz)", "The time that clocks of one zone show when those of another show the given one.",
            [DataType.String, DataType.String, DataType.TimestampNtz], DataType.TimestampNtz, static row =>
                row.Return(ZoneOf(row, 1).ToLocal(ZoneOf(row, 0).ToInstant(row.Long(2))))) { Fails = true });
        registry.Add(new RowFunction("make_timestamp", "make_timestamp(year, month, day, hour, minute, second[, zone])", "The moment of these numbers; the second may have a fraction.",
            [DataType.Int, DataType.Int, DataType.Int, DataType.Int, DataType.Int, DataType.Double, DataType.String], DataType.Timestamp,
            static row => row.Return((row.Count > 6 ? ZoneOf(row, 6) : row.Zone).ToInstant(Local(row)))) { Optional = 1, Fails = true, Also = ["make_timestamp_ltz"] });
        registry.Add(new RowFunction("make_timestamp_ntz", "make_timestamp_ntz(year, month, day, hour, minute, second)", "The local time of these numbers; the second may have a fraction.",
            [DataType.Int, DataType.Int, DataType.Int, DataType.Int, DataType.Int, DataType.Double], DataType.TimestampNtz, static row => row.Return(Local(row))) { Fails = true });
        registry.Add(new RowFunction("make_ym_interval", "make_ym_interval([years[, months]])", "The interval of years and months.",
            [DataType.Int, DataType.Int], DataType.YearMonthInterval, static row =>
            {
                var months = (row.Count > 0 ? row.Int(0) * 12L : 0) + (row.Count > 1 ? row.Int(1) : 0);
                row.Return(months is < int.MinValue or > int.MaxValue ? throw TooLarge(row) : (int)months);
            }) { Optional = 2, Fails = true });
        registry.Add(new RowFunction("make_dt_interval", "make_dt_interval([days[, hours[, minutes[, seconds]]]])", "The interval of days, hours, minutes and seconds.",
            [DataType.Int, DataType.Int, DataType.Int, DataType.Double], DataType.DayTimeInterval, static row =>
            {
                Int128 micros = 0;
                if (row.Count > 0) micros += (Int128)row.Int(0) * TimeUnits.Day;
                if (row.Count > 1) micros += (Int128)row.Int(1) * 60 * 60 * TimeUnits.Second;
                if (row.Count > 2) micros += (Int128)row.Int(2) * 60 * TimeUnits.Second;
                if (row.Count > 3) micros += (Int128)Math.Round(row.Double(3) * TimeUnits.Second);
                row.Return(micros < long.MinValue || micros > long.MaxValue ? throw TooLarge(row) : (long)micros);
            }) { Optional = 4, Fails = true });
    }

    private static long Moved(RowEvaluator row, int argument, Zone session, Zone zone, bool fromUtc)
    {
        var local = session.ToLocal(row.Long(argument));
        // What UTC's clocks show, as the zone's clocks show it; or the other way round.
        return session.ToInstant(fromUtc ? zone.ToLocal(local) : zone.ToInstant(local));
    }

    private static Zone ZoneOf(RowEvaluator row, int argument)
    {
        var name = Encoding.UTF8.GetString(row.Text(argument));
        if (row.State is not Dictionary<string, Zone> known) row.State = known = [];
        if (known.TryGetValue(name, out var zone)) return zone;
        return known[name] = Zone.Find(name) ?? throw row.Error("INVALID_TIMEZONE", $"There is no time zone '{name}'. Use a name such as 'Europe/Berlin' or an offset such as '+02:00'.");
    }

    private static long Local(RowEvaluator row)
    {
        var (year, month, day, hour, minute, second) = (row.Int(0), row.Int(1), row.Int(2), row.Int(3), row.Int(4), row.Double(5));
        if (month is < 1 or > 12 || day < 1 || year is < 1 or > 9999 || day > CivilDate.DaysIn(year, month) || hour is < 0 or > 23 || minute is < 0 or > 59)
            throw row.Error("DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION", $"There is no time of year {year}, month {month}, day {day}, hour {hour}, minute {minute}.");
        if (!(second >= 0 && second <= 60) || (second > 60 - 1e-6 && second != 60))
            throw row.Error("INVALID_FRACTION_OF_SECOND", $"A second is from 0 to 60, not {second}. A whole 60 is the next minute.");
        return (CivilDate.DaysOf(year, month, day) * TimeUnits.Day) + (((hour * 60L) + minute) * 60 * TimeUnits.Second) + (long)Math.Round(second * TimeUnits.Second);
    }

    private static QueryException TooLarge(RowEvaluator row) => row.Error("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "The interval is too large.");
}
