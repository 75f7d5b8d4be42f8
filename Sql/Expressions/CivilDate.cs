namespace Dataflow.Sql.Expressions;

/// <summary>Days of the proleptic Gregorian calendar and their numbers since 1970-01-01. (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".)</summary>
public static class CivilDate
{
    /// <summary>The number of a day.</summary>
    /// <param name="year">The year; 0 is the one before 1.</param>
    /// <param name="month">1 to 12.</param>
    /// <param name="day">1 to the month's last.</param>
    public static int DaysOf(int year, int month, int day)
    {
        // Years begin in March, so that the leap day is the last of a year; eras have 400 years.
        var y = month <= 2 ? year - 1 : year;
        var era = (y >= 0 ? y : y - 399) / 400;
        var yearOfEra = y - (era * 400);
        var dayOfYear = (((153 * (month + (month > 2 ? -3 : 9))) + 2) / 5) + day - 1;
        var dayOfEra = (yearOfEra * 365) + (yearOfEra / 4) - (yearOfEra / 100) + dayOfYear;
        return (era * 146097) + dayOfEra - 719468;
    }

    /// <summary>The day of a number.</summary>
    public static (int Year, int Month, int Day) Of(int days)
    {
        var z = days + 719468L;
        var era = (z >= 0 ? z : z - 146096) / 146097;
        var dayOfEra = (int)(z - (era * 146097));
        var yearOfEra = (dayOfEra - (dayOfEra / 1460) + (dayOfEra / 36524) - (dayOfEra / 146096)) / 365;
        var dayOfYear = dayOfEra - ((365 * yearOfEra) + (yearOfEra / 4) - (yearOfEra / 100));
        var month = ((5 * dayOfYear) + 2) / 153;
        var day = dayOfYear - (((153 * month) + 2) / 5) + 1;
        var number = month < 10 ? month + 3 : month - 9;
        return ((int)(yearOfEra + (era * 400)) + (number <= 2 ? 1 : 0), number, day);
    }

    /// <summary>Days of a month.</summary>
    public static int DaysIn(int year, int month) => month switch
    {
        2 => year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28,
        4 or 6 or 9 or 11 => 30,
        _ => 31,
    };

    /// <summary>A day some months later; the last of the month if there is no such day.</summary>
    public static int AddMonths(int days, int months)
    {
        var (year, month, day) = Of(days);
        var all = (year * 12L) + month - 1 + months;
        var newYear = (int)Math.DivRem(all, 12, out var rest);
        if (rest < 0)
        {
            rest += 12;
            newYear--;
        }
        var newMonth = (int)rest + 1;
        return DaysOf(newYear, newMonth, Math.Min(day, DaysIn(newYear, newMonth)));
    }
}
