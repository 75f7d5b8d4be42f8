using Dataflow.Sql.Tests.Frames;

namespace Dataflow.Sql.Tests.Records;

public sealed class FarTimesTests(PeopleContext rig) : IClassFixture<PeopleContext>
{
    [Theory]
    [InlineData("date '0001-01-01' - 1", "0000-12-31")]
    [InlineData("date '10000-01-01'", "+10000-01-01")]
    [InlineData("timestamp '9999-12-31 23:59:59.999999' + interval '1' second", "+10000-01-01 00:00:00.999999")]
    [InlineData("timestamp '294247-01-10 04:00:54.775807'", "+294247-01-10 04:00:54.775807")]
    [InlineData("timestamp_ntz '0001-01-01 00:00:00' - interval '1' second", "0000-12-31 23:59:59")]
    [InlineData("interval '100000000' day", "microseconds")]
    public void Times_that_objects_can_not_hold_are_named_errors(string expression, string shown)
    {
        var frame = rig.Context.Sql("SELECT " + expression + " AS t");
        foreach (var look in (Action[])[() => frame.Collect(), () => frame.ShowText(), () => frame.Collect<Held>()])
        {
            var error = Assert.Throws<QueryException>(look);
            Assert.Equal("DATETIME_OVERFLOW", error.ErrorClass);
            Assert.Contains(shown, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_first_and_the_last_time_of_the_calendar_are_values()
    {
        var row = rig.Context.Sql("SELECT date '0001-01-01', date '9999-12-31', timestamp_ntz '0001-01-01 00:00:00', timestamp_ntz '9999-12-31 23:59:59.999999'").Collect()[0];
        Assert.Equal("[0001-01-01, 9999-12-31, 0001-01-01 00:00:00, 9999-12-31 23:59:59.999999]", row.ToString());
    }

    [Theory]
    [InlineData("lpad('a', 2147483647, 'b')")]
    [InlineData("rpad('a', 2147483647, 'bcd')")]
    [InlineData("space(2147483647)")]
    [InlineData("repeat('ab', 2147483647)")]
    public void Texts_of_more_than_a_gigabyte_are_named_errors(string expression)
    {
        var error = Assert.Throws<QueryException>(() => rig.Context.Sql("SELECT length(" + expression + ")").Collect());
        Assert.Equal("INVALID_PARAMETER_VALUE", error.ErrorClass);
        Assert.Contains("(1 GB)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Large_texts_of_literals_are_left_to_tasks()
    {
        var frame = rig.Context.Sql("SELECT length(repeat('abcdefghij', 300000)) AS n, length(repeat('ab', 3)) AS small");
        Assert.Contains("repeat", frame.ExplainText(), StringComparison.Ordinal);
        Assert.Equal("[3000000, 6]", frame.Collect()[0].ToString());
    }

    [Fact]
    public void Large_texts_of_literals_are_refused_by_the_budget()
    {
        var options = DataflowOptions.Default with { Threads = 1, Progress = false, EngineMemoryBytes = 64L << 20, MemoryWait = TimeSpan.FromSeconds(1) };
        using var context = DataflowContext.Local(options);
        var error = Assert.ThrowsAny<Exception>(() => context.Sql("SELECT length(repeat('abcdefghij', 100000000)) AS n").Collect());
        Assert.Contains(nameof(MemoryExhaustedException), error.ToString(), StringComparison.Ordinal);
    }

    private sealed record Held(object T);
}
