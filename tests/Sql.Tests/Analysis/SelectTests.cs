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
    [InlineData("values (1, 'a') as n (k, v) order by k limit 1", "k int, v string")]
    [InlineData("values 1, 2 n (k) union all values (3L)", "k bigint")]
    [InlineData("values (1, 2 as two), (3, 4)", "col1 int, col2 int")]
    [InlineData("values 1, (2) + 3, (select 4), ((select 5)), (6)", "col1 int")]
    [InlineData("values ((select 4), 5), ((6), 7)", "col1 int, col2 int")]
    [InlineData("select 9.e+1, .5, 5., 1E309, 1e400 * 0, -.10D", "90.0 double, 0.5 decimal(1,1), 5 decimal(1,0), Infinity double, (Infinity * 0) double, -0.1 double")]
    [InlineData("values (1, 'a'), (2.5, null)", "col1 decimal(11,1), col2 string")]
    public void A_query_has_the_columns_that_it_says(string sql, string columns) =>
        Assert.Equal(columns, string.Join(", ", Tables.Plan(sql).Output.Select(column => $"{column.Name} {column.Type}")));

    [Theory]
    [InlineData("- - 3", "(- -3)")]
    [InlineData("-(a + 1) - +a", "((- (a + 1)) - (+ a))")]
    [InlineData("5 div 2", "(5 div 2)")]
    [InlineData("x and not x or a <> 1", "((x AND (NOT x)) OR (NOT (a = 1)))")]
    [InlineData("if(x, 1, 2)", "(IF(x, 1, 2))")]
    [InlineData("Sum(Distinct A)", "sum(DISTINCT A)")]
    [InlineData("'it''s'", "it's")]
    [InlineData("1.50", "1.50")]
    [InlineData("1e10", "1.0E10")]
    [InlineData("NULL", "NULL")]
    [InlineData("cast(s as decimal(5,1))", "CAST(s AS DECIMAL(5,1))")]
    [InlineData("date('2024-01-31')", "CAST(2024-01-31 AS DATE)")]
    [InlineData("s::int + 1", "(CAST(s AS INT) + 1)")]
    [InlineData("interval 23 days 4 hours", "INTERVAL '23 04' DAY TO HOUR")]
    [InlineData("interval '1-1' year to month", "INTERVAL '1-1' YEAR TO MONTH")]
    [InlineData("interval '1 2:3:4.001' day to second", "INTERVAL '1 02:03:04.001' DAY TO SECOND")]
    [InlineData("interval '-90' day", "INTERVAL '-90' DAY")]
    [InlineData("current_date", "current_date()")]
    [InlineData("count(*) filter (where x)", "count(1) FILTER (WHERE x)")]
    [InlineData("sum(a) over w", "sum(a) OVER (PARTITION BY s ORDER BY b ASC NULLS FIRST RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)")]
    [InlineData("sum(a) over (w rows 1 preceding)", "sum(a) OVER (PARTITION BY s ORDER BY b ASC NULLS FIRST ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)")]
    [InlineData("case a when 1 then 'x' else s end", "CASE WHEN (a = 1) THEN x ELSE s END")]
    public void A_column_without_alias_is_called_as_in_Spark(string expression, string name) =>
        Assert.Equal(name, Tables.Plan($"select {expression} from t window w as (partition by s order by b)").Output[0].Name);

    [Theory]
    [InlineData("select max(v) as b from (values (1, 2), (2, 1)) as n (v, all) group by all order by b", "Aggregate [all")]
    [InlineData("select max(v) from (values (1, 2), (2, 1)) as n (v, all) group by all order by all", "Sort [all")]
    [InlineData("select v, max(k) from (values (1, 2)) as n (v, k) group by all order by all", "Sort [v")]
    [InlineData("select a, grouping__id from t group by cube (a) having grouping__id > 0", "Filter (grouping_id")]
    [InlineData("select a + b, b as k, sum(a) from t group by a + b, k grouping sets (k)", "Expand 1 times")]
    public void Columns_come_before_words_of_the_language(string sql, string part) => Assert.Contains(part, Tables.Plan(sql).ToString());

    [Fact]
    public void Aliases_that_double_from_entry_to_entry_end_in_an_error()
    {
        Assert.Equal(9, Tables.Plan(Doubling(8)).Output.Count);
        var error = Tables.Error(Doubling(40));
        Assert.Equal("EXPRESSION_TOO_LARGE", error.ErrorClass);
        Assert.Contains("more than 10000 parts", error.Message, StringComparison.Ordinal);

        static string Doubling(int levels) => "select a as x0, " + string.Join(", ", Enumerable.Range(1, levels).Select(i => $"x{i - 1} + x{i - 1} as x{i}")) + " from t";
    }
}
