using System.Text;
using Dataflow.Sql.Casts;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Days and months: what comes before and after, and how far apart.</summary>
internal static class DateFunctions
{
    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new RowFunction("date_add", "date_add(date, days)", "The date so many days later.", [DataType.Date, DataType.Int], DataType.Date,
            static row => row.Return(Checked(row, (long)row.Int(0) + row.Int(1)))) { Also = ["dateadd"], Fails = true });
        registry.Add(new RowFunction("date_sub", "date_sub(date, days)", "The date so many days earlier.", [DataType.Date, DataType.Int], DataType.Date,
            static row => row.Return(Checked(row, (long)row.Int(0) - row.Int(1)))) { Fails = true });
        registry.Add(new RowFunction("datediff", "datediff(end, start)", "How many days from start to end.", [DataType.Date, DataType.Date], DataType.Int,
            static row => row.Return(Checked(row, (long)row.Int(0) - row.Int(1)))) { Also = ["date_diff"], Fails = true });
        registry.Add(new RowFunction("add_months", "add_months(date, months)", "The date so many months later; the last of the month if it has no such day.",
            [DataType.Date, DataType.Int], DataType.Date, static row => row.Return(TimeArithmetic.AddMonths(row, row.Int(0), row.Int(1)))) { Fails = true });
        registry.Add(new RowFunction("last_day", "last_day(date)", "The last day of the date's month.", [DataType.Date], DataType.Date, static row =>
        {
            var (year, month, _) = CivilDate.Of(row.Int(0));
            row.Return(CivilDate.DaysOf(year, month, CivilDate.DaysIn(year, month)));
        }));
        registry.Add(new RowFunction("next_day", "next_day(date, weekday)", "The first day after the date that is such a weekday: MO, Mon, Monday.",
            [DataType.Date, DataType.String], DataType.Date, NextDay) { Fails = true });
        registry.Add(new RowFunction("months_between", "months_between(end, start[, rounds])",
            "How many months from start to end; a fraction is of 31 days, rounded to eight digits unless that is turned off.",
            [DataType.Timestamp, DataType.Timestamp, DataType.Boolean], DataType.Double, MonthsBetween) { Optional = 1 });
        registry.Add(new RowFunction("make_date", "make_date(year, month, day)", "The date of year, month and day.", [DataType.Int, DataType.Int, DataType.Int], DataType.Date, MakeDate) { Fails = true });
        registry.Add(new RowFunction("unix_date", "unix_date(date)", "How many days since 1970-01-01.", [DataType.Date], DataType.Int, static row => row.Return(row.Int(0))));
        registry.Add(new RowFunction("date_from_unix_date", "date_from_unix_date(days)", "The date so many days after 1970-01-01.", [DataType.Int], DataType.Date, static row => row.Return(row.Int(0))));
        registry.Add(new RowFunction("dayname", "dayname(date)", "The weekday: Mon.", [DataType.Date], DataType.String,
            static row => row.Return("SunMonTueWedThuFriSat".AsSpan(DateParts.DayOfWeek(row.Int(0)) * 3, 3).ToString())));
        registry.Add(new RowFunction("monthname", "monthname(date)", "The month: Jan.", [DataType.Date], DataType.String,
            static row => row.Return("JanFebMarAprMayJunJulAugSepOctNovDec".AsSpan((CivilDate.Of(row.Int(0)).Month - 1) * 3, 3).ToString())));
        registry.Add(new RowFunction("trunc", "trunc(date, unit)", "The first day of the date's year, quarter, month or week; null for other units.",
            [DataType.Date, DataType.String], DataType.Date, Trunc) { MakesNulls = true });
        registry.Add(new TruncateTimeFunction());
    }

    /// <summary>The first day of the unit that a day lies in; null if there is no such unit.</summary>
    public static int? Truncate(int days, string unit)
    {
        var (year, month, _) = CivilDate.Of(days);
        return unit.ToUpperInvariant() switch
        {
            "YEAR" or "YYYY" or "YY" => CivilDate.DaysOf(year, 1, 1),
            "QUARTER" => CivilDate.DaysOf(year, ((month - 1) / 3 * 3) + 1, 1),
            "MONTH" or "MON" or "MM" => CivilDate.DaysOf(year, month, 1),
            "WEEK" => days - ((DateParts.DayOfWeek(days) + 6) % 7),
            _ => null,
        };
    }

    private static int Checked(RowEvaluator row, long days) => days is < int.MinValue or > int.MaxValue
        ? throw row.Error("DATETIME_OVERFLOW", "The date that this operation gives is out of range. Use fewer days.")
        : (int)days;

    private static void NextDay(RowEvaluator row)
    {
        var name = Encoding.UTF8.GetString(row.Text(1)).Trim().ToUpperInvariant();
        var wanted = name switch
        {
            "SU" or "SUN" or "SUNDAY" => 0,
            "MO" or "MON" or "MONDAY" => 1,
            "TU" or "TUE" or "TUESDAY" => 2,
            "WE" or "WED" or "WEDNESDAY" => 3,
            "TH" or "THU" or "THURSDAY" => 4,
            "FR" or "FRI" or "FRIDAY" => 5,
            "SA" or "SAT" or "SATURDAY" => 6,
            _ => throw row.Error("ILLEGAL_DAY_OF_WEEK", $"'{name}' is no weekday. Write it as MO, MON or MONDAY."),
        };
        var days = row.Int(0);
        var ahead = (wanted - DateParts.DayOfWeek(days) + 7) % 7;
        row.Return(days + (ahead == 0 ? 7 : ahead));
    }

    private static void MonthsBetween(RowEvaluator row)
    {
        var (end, start) = (row.Zone.ToLocal(row.Long(0)), row.Zone.ToLocal(row.Long(1)));
        var (endDays, startDays) = ((int)TimeUnits.FloorDivide(end, TimeUnits.Day), (int)TimeUnits.FloorDivide(start, TimeUnits.Day));
        var (a, b) = (CivilDate.Of(endDays), CivilDate.Of(startDays));
        double months = ((a.Year - b.Year) * 12) + a.Month - b.Month;
        var bothLast = a.Day == CivilDate.DaysIn(a.Year, a.Month) && b.Day == CivilDate.DaysIn(b.Year, b.Month);
        if (a.Day != b.Day && !bothLast)
        {
            var seconds = ((a.Day - b.Day) * 86_400L) + ((end - (endDays * TimeUnits.Day)) / TimeUnits.Second) - ((start - (startDays * TimeUnits.Day)) / TimeUnits.Second);
            months += seconds / (31 * 86_400.0);
        }
        row.Return(row.Count > 2 && !row.Bool(2) ? months : Math.Round(months * 1e8, MidpointRounding.AwayFromZero) / 1e8);
    }

    private static void MakeDate(RowEvaluator row)
    {
        var (year, month, day) = (row.Int(0), row.Int(1), row.Int(2));
        if (month is < 1 or > 12 || day < 1 || day > CivilDate.DaysIn(year, month) || Math.Abs((long)year) > 290_000)
            throw row.Error("DATETIME_FIELD_OUT_OF_BOUNDS", $"There is no date of year {year}, month {month}, day {day}.");
        row.Return(CivilDate.DaysOf(year, month, day));
    }

    private static void Trunc(RowEvaluator row)
    {
        if (Truncate(row.Int(0), Encoding.UTF8.GetString(row.Text(1))) is { } first) row.Return(first);
        else row.ReturnNull();
    }
}

/// <summary><c>date_trunc</c>.</summary>
internal sealed class TruncateTimeFunction() : ScalarFunction("date_trunc")
{
    public override string Usage => "date_trunc(unit, timestamp)";

    public override string Summary => "The beginning of the timestamp's year, quarter, month, week, day, hour, minute, second, millisecond or microsecond; null for other units.";

    public override bool IsNullable(ValueList<Expression> arguments) => true;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 2 || !ImplicitCasts.Allows(arguments[0].Type, DataType.String)) return null;
        var type = arguments[1].Type;
        if (type.Kind == TypeKind.TimestampNtz) return new Signature([DataType.String, type], type);
        return ImplicitCasts.Allows(type, DataType.Timestamp) ? new Signature([DataType.String, DataType.Timestamp], DataType.Timestamp) : null;
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        var zone = call.Type.Kind == TypeKind.Timestamp ? Zone.Of(context) : Zone.Find("UTC")!;
        return new RowEvaluator(row =>
        {
            var unit = Encoding.UTF8.GetString(row.Text(0)).ToUpperInvariant();
            var size = unit switch
            {
                "MICROSECOND" => 1,
                "MILLISECOND" => 1000,
                "SECOND" => TimeUnits.Second,
                "MINUTE" => 60 * TimeUnits.Second,
                "HOUR" => 3600 * TimeUnits.Second,
                "DAY" or "DD" => TimeUnits.Day,
                _ => 0,
            };
            var local = zone.ToLocal(row.Long(1));
            if (size > 0) row.Return(size < TimeUnits.Second ? TimeUnits.FloorDivide(row.Long(1), size) * size : zone.ToInstant(TimeUnits.FloorDivide(local, size) * size));
            else if (DateFunctions.Truncate((int)TimeUnits.FloorDivide(local, TimeUnits.Day), unit) is { } days) row.Return(zone.ToInstant(days * TimeUnits.Day));
            else row.ReturnNull();
        }, call.Type, arguments, context, call.Position.Start);
    }
}
