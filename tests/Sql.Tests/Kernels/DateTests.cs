using Dataflow.Sql.Expressions;
using static Dataflow.Sql.Tests.Kernels.KernelRig;

namespace Dataflow.Sql.Tests.Kernels;

public sealed class DateTests
{
    [Fact]
    public void Parts_of_dates_agree_with_the_calendar_of_the_platform()
    {
        using var rig = new KernelRig();
        var random = new Random(1);
        var days = Enumerable.Range(0, 500).Select(_ => random.Next(-200_000, 200_000)).ToArray();
        var date = rig.Column("d", DataType.Date, [.. days.Select(day => (object?)day)]);
        Check("year", each => each.Year);
        Check("quarter", each => ((each.Month - 1) / 3) + 1);
        Check("month", each => each.Month);
        Check("day", each => each.Day);
        Check("dayofweek", each => (int)each.DayOfWeek + 1);
        Check("weekday", each => ((int)each.DayOfWeek + 6) % 7);
        Check("dayofyear", each => each.DayOfYear);
        Check("weekofyear", each => System.Globalization.ISOWeek.GetWeekOfYear(each));
        Assert.Equal(rig.Evaluate(Call("year", date)), rig.Evaluate(Call("date_part", Text("YEAR"), date)));

        void Check(string name, Func<DateTime, int> expected) =>
            Assert.Equal(days.Select(day => (object?)expected(DateTime.UnixEpoch.AddDays(day))), rig.Evaluate(Call(name, date)));
    }

    [Fact]
    public void Intervals_are_added_to_dates_and_timestamps()
    {
        using var rig = new KernelRig();
        var date = rig.Column("d", DataType.Date, CivilDate.DaysOf(1998, 12, 1), CivilDate.DaysOf(2024, 1, 31), null);
        var ninetyDays = Value(90 * 86_400_000_000L, DataType.DayTimeInterval);
        var month = Value(1, DataType.YearMonthInterval);
        Assert.Equal([CivilDate.DaysOf(1998, 9, 2), CivilDate.DaysOf(2023, 11, 2), null], rig.Evaluate(Call("-", date, ninetyDays)));
        Assert.Equal(DataType.Date, Call("-", date, ninetyDays).Type);
        Assert.Equal([CivilDate.DaysOf(1999, 1, 1), CivilDate.DaysOf(2024, 2, 29), null], rig.Evaluate(Call("+", date, month)));
        Assert.Equal([CivilDate.DaysOf(1999, 1, 1), CivilDate.DaysOf(2024, 2, 29), null], rig.Evaluate(Call("add_interval", date, month)));
        Assert.Equal([CivilDate.DaysOf(1998, 12, 3), CivilDate.DaysOf(2024, 2, 2), null], rig.Evaluate(Call("+", Int(2), date)));
        Assert.Equal([0L, 9192L * 86_400_000_000, null], rig.Evaluate(Call("-", date, Value(CivilDate.DaysOf(1998, 12, 1), DataType.Date))));
        var hour = Value(3_600_000_000L, DataType.DayTimeInterval);
        Assert.Equal(DataType.Timestamp, Call("+", date, hour).Type);
        Assert.Equal(["1998-12-01 02:00:00", "2024-01-31 02:00:00", null], rig.Evaluate(new Cast(Call("+", date, Call("*", Int(2), hour)), DataType.String)));
    }

    [Fact]
    public void A_part_of_text_is_counted_in_characters()
    {
        using var rig = new KernelRig();
        var text = rig.Column("t", DataType.String, "25-989-741-2988", "aéb漢字de", null);
        Assert.Equal(["25", "aé", null], rig.Evaluate(Call("substring", text, Int(1), Int(2))));
        Assert.Equal(["2988", "漢字de", null], rig.Evaluate(Call("substring", text, Int(-4))));
        Assert.Equal(["25", "aé", null], rig.Evaluate(Call("left", text, Int(2))));
        Assert.Equal(["88", "de", null], rig.Evaluate(Call("right", text, Int(2))));
        Assert.Equal(["989", "", null], rig.Evaluate(Call("split_part", text, Text("-"), Int(2))));
        Assert.Equal(["25-989", "aéb漢字de", null], rig.Evaluate(Call("substring_index", text, Text("-"), Int(2))));
        Assert.Equal(["741-2988", "aéb漢字de", null], rig.Evaluate(Call("substring_index", text, Text("-"), Int(-2))));
    }
}
