namespace Dataflow.Sql.Tests.Analysis;

public class SelectTests
{
    [Theory]
    [InlineData("select a, b + 1 from t", "a int, (b + 1) bigint")]
    [InlineData("select count(*), sum(a) from t", "count(1) bigint, sum(a) bigint")]
    [InlineData("select A as x, s from t where a > 3 and s = 'y' order by b desc limit 3", "x int, s string")]
    [InlineData("select s, sum(d * 2) as total from t group by s having total > 3 order by total", "s string, total decimal(22,2)")]
    [InlineData("select * from t join u on t.a = u.a where v < 3", "a int, b bigint, c double, d decimal(10,2), s string, e date, w timestamp, x boolean, a int, k string, v int")]
    [InlineData("select a + 1 as b2, b2 * 2 as c2 from t", "b2 int, c2 int")]
    [InlineData("values (1, 'a'), (2.5, null)", "col1 decimal(11,1), col2 string")]
    public void A_query_has_the_columns_that_it_says(string sql, string columns) =>
        Assert.Equal(columns, string.Join(", ", Tables.Plan(sql).Output.Select(column => $"{column.Name} {column.Type}")));
}
