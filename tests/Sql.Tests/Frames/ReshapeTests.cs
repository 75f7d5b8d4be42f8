using static Dataflow.Sql.Functions;

namespace Dataflow.Sql.Tests.Frames;

public sealed class ReshapeTests(PeopleContext rig) : IClassFixture<PeopleContext>
{
    private DataFrame Sales => rig.Context.Sql("SELECT * FROM VALUES (2012, 'dotNET', 10), (2012, 'Java', 20), (2012, 'dotNET', 5), (2013, 'dotNET', 48), (2013, NULL, 1) AS t(year, course, earnings)");

    [Fact]
    public void A_pivot_makes_columns_of_values_that_are_named()
    {
        var frame = Sales.GroupBy("year").Pivot("course", "dotNET", "Java").Sum("earnings").OrderBy("year");
        Assert.Equal("year, dotNET, Java", PeopleContext.Columns(frame));
        Assert.Equal("[2012, 15, 20] [2013, 48, NULL]", PeopleContext.Text(frame));
    }

    [Fact]
    public void A_pivot_finds_values_and_gives_a_column_for_each_aggregate()
    {
        var frame = Sales.Where(Col("course").IsNotNull()).GroupBy("year").Pivot("course").Agg(Sum("earnings").As("sum"), Count().As("n")).OrderBy("year");
        Assert.Equal("year, Java_sum, Java_n, dotNET_sum, dotNET_n", PeopleContext.Columns(frame));
        Assert.Equal("[2012, 20, 1, 15, 2] [2013, NULL, NULL, 48, 1]", PeopleContext.Text(frame));
        Assert.Equal("year, null, Java, dotNET", PeopleContext.Columns(Sales.GroupBy("year").Pivot("course").Sum("earnings")));
        Assert.Equal("UNSUPPORTED_FEATURE.REPEATED_PIVOT", Assert.Throws<QueryException>(() => Sales.GroupBy("year").Pivot("course", 1).Pivot("course", 2)).ErrorClass);
        Assert.Equal("UNSUPPORTED_FEATURE.REPEATED_PIVOT", Assert.Throws<QueryException>(() => Sales.Rollup("year").Pivot("course", 1)).ErrorClass);
    }

    [Fact]
    public void An_unpivot_makes_rows_of_columns_and_keeps_nulls()
    {
        var frame = rig.People.Where(Col("id") > 2).Unpivot(["id"], ["name", "town"], "what", "text").OrderBy("id", "what");
        Assert.Equal("id, what, text", PeopleContext.Columns(frame));
        Assert.Equal("[3, name, Grace] [3, town, New York] [4, name, Linus] [4, town, NULL]", PeopleContext.Text(frame));
        Assert.Equal(8, rig.People.Select("id", "age", "paid").Unpivot(["id"], []).Count());
        Assert.Equal("UNPIVOT_VALUE_DATA_TYPE_MISMATCH", Assert.Throws<QueryException>(() => rig.Context.Sql("SELECT 1 a, DATE '2020-01-01' b").Unpivot([], [])).ErrorClass);
    }

    [Fact]
    public void A_random_split_gives_each_row_to_one_part()
    {
        var numbers = rig.Context.Sql("SELECT id FROM range(0, 10000, 1)");
        var parts = numbers.RandomSplit([1, 2, 1], seed: 7);
        var counts = parts.Select(part => part.Count()).ToArray();
        Assert.Equal(10_000, counts.Sum());
        Assert.InRange(counts[1], 4_600, 5_400);
        Assert.Equal(10_000, parts[0].Union(parts[1]).Union(parts[2]).Distinct().Count());
        Assert.Throws<ArgumentException>(() => numbers.RandomSplit([0, 0]));
    }

    [Fact]
    public void A_summary_has_the_figures_that_are_asked_for()
    {
        var rows = rig.People.Select("age", "name").Summary().Collect().ToDictionary(row => (string)row["summary"]!);
        Assert.Equal(["count", "mean", "stddev", "min", "25%", "50%", "75%", "max"], rows.Keys);
        Assert.Equal("[25%, 20, NULL]", rows["25%"].ToString());
        Assert.Equal("[50%, 36, NULL]", rows["50%"].ToString());
        Assert.Equal("[count_distinct, 4, 4] [10%, 20, NULL]", PeopleContext.Text(rig.People.Select("age", "name").Summary("count_distinct", "10%")));
        Assert.Throws<ArgumentException>(() => rig.People.Summary("kurtosis?"));
    }

    [Fact]
    public void Figures_of_columns_are_those_of_their_functions()
    {
        Assert.Equal(1.0, rig.Context.Sql("SELECT id a, id * 2 b FROM range(10)").Stat.Corr("a", "b")!.Value, 12);
        Assert.Equal(2.5, rig.Context.Sql("SELECT id a, id b FROM range(5)").Stat.Cov("a", "b")!.Value, 12);
        Assert.Equal([20.0, 36, 85], rig.People.Stat.ApproxQuantile("age", 0, 0.5, 1));
        Assert.Empty(rig.People.Where("false").Stat.ApproxQuantile("age", 0.5));
        var table = Sales.Stat.Crosstab("year", "course").OrderBy("year_course");
        Assert.Equal("year_course, null, Java, dotNET", PeopleContext.Columns(table));
        Assert.Equal("[2012, 0, 1, 2] [2013, 1, 0, 1]", PeopleContext.Text(table));
    }

    [Fact]
    public void Rows_with_too_few_values_are_dropped()
    {
        Assert.Equal(3, rig.People.Na.Drop(4).Count());
        Assert.Equal(4, rig.People.Na.Drop(3).Count());
        Assert.Equal("[1]", PeopleContext.Text(rig.People.WithColumnsRenamed(new Dictionary<string, string> { ["id"] = "key", ["none"] = "x" }).Where("key = 1").Select("key")));
    }

    [Fact]
    public void Time_stamps_are_shown_in_the_zone_of_the_session()
    {
        using var context = DataflowContext.Local(threads: 1);
        context.Sql("SET TIME ZONE 'Asia/Tokyo'");
        var frame = context.Sql("SELECT TIMESTAMP '2024-01-31 10:00:00Z' AS at, TIMESTAMP_NTZ '2024-01-31 10:00:00' AS local, DATE '2024-01-31' AS day");
        Assert.Contains("| 2024-01-31 19:00:00 | 2024-01-31 10:00:00 | 2024-01-31 |", frame.ShowText(), StringComparison.Ordinal);
    }
}
