using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Tests.Columns;

public class CivilDateTests
{
    [Fact]
    public void Days_and_dates_agree_with_DateOnly_over_four_centuries()
    {
        var epoch = new DateOnly(1970, 1, 1).DayNumber;
        for (var day = new DateOnly(1799, 12, 31); day < new DateOnly(2201, 1, 2); day = day.AddDays(1))
        {
            var number = day.DayNumber - epoch;
            Assert.Equal(number, CivilDate.DaysOf(day.Year, day.Month, day.Day));
            Assert.Equal((day.Year, day.Month, day.Day), CivilDate.Of(number));
        }
    }

    [Theory]
    [InlineData("2024-01-31", 1, "2024-02-29")]
    [InlineData("2024-01-31", -2, "2023-11-30")]
    [InlineData("1998-12-01", 3, "1999-03-01")]
    public void Months_are_added_to_the_last_day_there_is(string from, int months, string to)
    {
        var epoch = new DateOnly(1970, 1, 1).DayNumber;
        Assert.Equal(to, LiteralText.Date(CivilDate.AddMonths(DateOnly.Parse(from, System.Globalization.CultureInfo.InvariantCulture).DayNumber - epoch, months)));
    }

    [Theory]
    [InlineData(0, "1970-01-01 00:00:00")]
    [InlineData(-1, "1969-12-31 23:59:59.999999")]
    [InlineData(1_500_000, "1970-01-01 00:00:01.5")]
    public void Times_show_as_many_digits_as_they_have(long microseconds, string text) => Assert.Equal(text, LiteralText.Timestamp(microseconds));
}
