namespace Dataflow.Sql.Tests.Sources;

public sealed class RangeTests
{
    [Theory]
    [InlineData("select * from range(5)", "[0] [1] [2] [3] [4]")]
    [InlineData("select id * 2 as twice from range(2, 5) as r", "[4] [6] [8]")]
    [InlineData("select k from range(10, 0, -4) as r (k)", "[10] [6] [2]")]
    [InlineData("select * from range(3, 3)", "")]
    [InlineData("select count(*) from range(5, 3)", "[0]")]
    [InlineData("select count(*), sum(id), min(id), max(id) from range(0, 1000000, 3, 7)", "[333334, 166666833333, 0, 999999]")]
    [InlineData("select count(*) from range(200000) a join range(100000, 300000) b on a.id = b.id", "[100000]")]
    [InlineData("select id from range(9223372036854775805, 9223372036854775807)", "[9223372036854775805] [9223372036854775806]")]
    public void Ranges_hold_the_numbers_that_they_say(string sql, string rows)
    {
        using var context = DataflowContext.Local(threads: 2);
        Assert.Equal(rows, string.Join(' ', context.Sql(sql).Collect()));
    }

    [Theory]
    [InlineData("select * from range()")]
    [InlineData("select * from range(1, 2, 0)")]
    [InlineData("select * from range('a')")]
    [InlineData("select * from ranged(1)")]
    public void Other_arguments_are_an_error(string sql)
    {
        using var context = DataflowContext.Local(threads: 1);
        Assert.Equal("UNRESOLVABLE_TABLE_VALUED_FUNCTION", Assert.Throws<QueryException>(() => context.Sql(sql)).ErrorClass);
    }
}
