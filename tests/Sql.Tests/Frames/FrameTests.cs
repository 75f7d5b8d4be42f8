using static Dataflow.Sql.Functions;

namespace Dataflow.Sql.Tests.Frames;

/// <summary>One context, with a small table of people and one of towns.</summary>
public sealed class PeopleContext : IDisposable
{
    public PeopleContext()
    {
        Context = DataflowContext.Local(threads: 2);
        People = Context.Sql("""
            SELECT * FROM VALUES (1, 'Ada', 'London', 36, 10.50), (2, 'Alan', 'London', 41, 20.25), (3, 'Grace', 'New York', 85, 30.00), (4, 'Linus', NULL, 20, NULL)
                AS t(id, name, town, age, paid)
            """);
        Towns = Context.Sql("SELECT * FROM VALUES ('London', 'UK'), ('Paris', 'FR') AS t(town, country)");
    }

    public DataflowContext Context { get; }

    public DataFrame People { get; }

    public DataFrame Towns { get; }

    public static string Text(DataFrame frame) => string.Join(' ', frame.Collect());

    public static string Sorted(DataFrame frame) => string.Join(' ', frame.Collect().Select(row => row.ToString()).Order(StringComparer.Ordinal));

    public static string Columns(DataFrame frame) => string.Join(", ", frame.Columns);

    public void Dispose() => Context.Dispose();
}

public sealed class FrameTests(PeopleContext rig) : IClassFixture<PeopleContext>
{
    private DataFrame People => rig.People;

    private DataFrame Towns => rig.Towns;

    [Fact]
    public void Columns_are_computed_and_named_as_spark_names_them()
    {
        var frame = People.Select(Col("id") + 1, Col("name").As("who"), Col("paid") * 2, Col("age").Cast("string"), !(Col("age") > 40), Col("town").IsNull());
        Assert.Equal("(id + 1), who, (paid * 2), CAST(age AS STRING), (NOT (age > 40)), (town IS NULL)", PeopleContext.Columns(frame));
        Assert.Equal("[2, Ada, 21.00, 36, true, false] [3, Alan, 40.50, 41, false, false] [4, Grace, 60.00, 85, false, false] [5, Linus, NULL, 20, true, true]", PeopleContext.Sorted(frame));
    }

    [Fact]
    public void Sql_text_can_stand_in_for_columns()
    {
        Assert.Equal("[6]", PeopleContext.Text(People.SelectExpr("id * 2 AS twice").Where("twice > 5 and twice < 7")));
        Assert.Equal("[Ada, 37]", PeopleContext.Text(People.Where("id = 1").Select(Col("name"), Expr("age + 1 AS next"))));
    }

    [Fact]
    public void A_wrong_name_is_an_error_of_the_verb_that_names_what_there_is()
    {
        var error = Assert.Throws<QueryException>(() => People.Where(Col("nmae") == "Ada"));
        Assert.Contains("Unknown column 'nmae'. In scope: id, name", error.Message, StringComparison.Ordinal);
        Assert.Contains("Did you mean 'name'?", error.Message, StringComparison.Ordinal);
        var text = Assert.Throws<QueryException>(() => People.Where("age > nmae"));
        Assert.Equal((1, 7), (text.Line, text.Column));
    }

    [Fact]
    public void Conditions_compose()
    {
        string Names(Column condition) => string.Join(' ', People.Where(condition).Select("name").Collect().Select(row => row[0]).Order());
        Assert.Equal("Ada Alan", Names(Col("town") == "London"));
        Assert.Equal("Grace", Names(Col("town") != "London"));
        Assert.Equal("Ada Linus", Names(Col("age").Between(20, 36)));
        Assert.Equal("Ada Grace", Names(Col("id").In(1, 3)));
        Assert.Equal("Ada Grace", Names(Col("id").In(new[] { 1, 3 })));
        Assert.Equal("Ada Alan", Names(Col("name").Like("A%")));
        Assert.Equal("Alan Grace", Names((Col("age") > 40) & (Col("paid").IsNotNull() | Col("town").IsNull())));
        Assert.Equal("Linus", Names(Col("town").EqualsNullSafe(null)));
    }

    [Fact]
    public void When_gives_the_value_of_the_first_condition_that_is_true()
    {
        var group = When(Col("age") < 30, "young").When(Col("age") < 60, "middle").Otherwise("old");
        Assert.Equal("[Ada, middle] [Alan, middle] [Grace, old] [Linus, young]", PeopleContext.Sorted(People.Select(Col("name"), group.As("group"))));
        Assert.Throws<InvalidOperationException>(() => group.Otherwise(1));
    }

    [Fact]
    public void Columns_are_added_replaced_renamed_and_dropped()
    {
        var frame = People.WithColumn("AGE", Col("age") + 1).WithColumn("next", Col("age") + 1).WithColumnRenamed("name", "who").Drop("paid", "town", "nothing");
        Assert.Equal("id, who, AGE, next", PeopleContext.Columns(frame));
        Assert.Equal("[1, Ada, 37, 38]", PeopleContext.Text(frame.Where(Col("id") == 1)));
        Assert.Equal("a, b", PeopleContext.Columns(People.Select("id", "name").ToDataFrame("a", "b")));
        Assert.Throws<QueryException>(() => People.ToDataFrame("a"));
    }

    [Fact]
    public void Groups_give_keys_and_aggregates()
    {
        var frame = People.GroupBy("town").Agg(Count().As("n"), Sum("paid").As("paid"), Max("age") - Min("age"));
        Assert.Equal("town, n, paid, (max(age) - min(age))", PeopleContext.Columns(frame));
        Assert.Equal("[London, 2, 30.75, 5] [NULL, 1, NULL, 0] [New York, 1, 30.00, 0]", PeopleContext.Sorted(frame));
        Assert.Equal("[London, 2] [NULL, 1] [New York, 1]", PeopleContext.Sorted(People.GroupBy("town").Count()));
        Assert.Equal("[10, 182]", PeopleContext.Text(People.Select("id", "age").GroupBy(Array.Empty<string>()).Sum()));
        Assert.Equal("[4, 2]", PeopleContext.Text(People.Agg(Count("*"), CountDistinct("town"))));
    }

    [Fact]
    public void Rollups_and_cubes_have_totals()
    {
        Assert.Equal("[London, 77] [NULL, 182] [NULL, 20] [New York, 85]", PeopleContext.Sorted(People.Rollup("town").Sum("age")));
        Assert.Equal(4 + 4 + 3 + 1, People.Cube("town", "id").Count().Count());
    }

    [Fact]
    public void Joins_on_names_have_the_column_once()
    {
        Assert.Equal("town, id, name, age, paid, country", PeopleContext.Columns(People.Join(Towns, "town")));
        Assert.Equal("[Ada, UK] [Alan, UK]", PeopleContext.Sorted(People.Join(Towns, "town").Select("name", "country")));
        Assert.Equal(5, People.Join(Towns, "town", "full_outer").Count());
        Assert.Equal("[Grace] [Linus]", PeopleContext.Sorted(People.Join(Towns, "town", "anti").Select("name")));
        Assert.Equal(8, People.CrossJoin(Towns).Count());
        Assert.Throws<ArgumentException>(() => People.Join(Towns, "town", "sideways"));
    }

    [Fact]
    public void Columns_of_frames_tell_the_sides_of_a_join_apart()
    {
        var joined = People.Join(Towns, People["town"] == Towns["town"], "left");
        Assert.Equal("[Ada, London] [Alan, London] [Grace, NULL] [Linus, NULL]", PeopleContext.Sorted(joined.Select(People["name"], Towns["town"])));
        Assert.Equal("id, name, town, age, paid, country", PeopleContext.Columns(joined.Drop(Towns["town"])));
        Assert.Throws<QueryException>(() => joined.Select("town"));
        Assert.Contains("not read here", Assert.Throws<QueryException>(() => Towns.Select(People["name"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_frame_may_be_joined_with_itself()
    {
        var pairs = People.As("a").Join(People.As("b"), (Col("a.town") == Col("b.town")) & (Col("a.id") < Col("b.id")));
        Assert.Equal("[Ada, Alan]", PeopleContext.Text(pairs.Select(Col("a.name"), Col("b.name"))));

        var old = People.Where(Col("age") > 40);
        var joined = People.Join(old, People["id"] < old["id"]);
        Assert.Equal("[Ada, Alan] [Ada, Grace] [Alan, Grace]", PeopleContext.Sorted(joined.Select(People["name"], old["name"])));
        Assert.Contains("As(\"a\")", Assert.Throws<QueryException>(() => People.Join(People, People["id"] == People["age"])).Message, StringComparison.Ordinal);
        Assert.Equal(4, People.Join(People, "id").Count());
    }

    [Fact]
    public void Rows_are_ordered_limited_and_skipped()
    {
        string Names(DataFrame frame) => string.Join(' ', frame.Select("name").Collect().Select(row => row[0]));
        Assert.Equal("Grace Alan Ada Linus", Names(People.OrderBy(Col("age").Desc())));
        Assert.Equal("Linus Ada Alan Grace", Names(People.OrderBy("paid")));
        Assert.Equal("Ada Alan Grace Linus", Names(People.OrderBy(Col("paid").AscNullsLast())));
        Assert.Equal("Alan Ada", Names(People.OrderBy(Col("age").Desc()).Offset(1).Limit(2)));
        Assert.Equal("Grace", People.OrderBy(Col("age").Desc()).First()["name"]);
        Assert.Contains("OrderBy", Assert.Throws<QueryException>(() => People.Select(Col("age").Desc())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sets_of_rows_are_joined_cut_and_subtracted()
    {
        var ids = People.Select("id");
        Assert.Equal("[1] [1] [2] [2] [3] [3] [4] [4]", PeopleContext.Sorted(ids.Union(ids)));
        Assert.Equal("[1] [2] [3] [4]", PeopleContext.Sorted(ids.Union(ids).Distinct()));
        Assert.Equal("[3] [4]", PeopleContext.Sorted(ids.Intersect(ids.Where(Col("id") > 2))));
        Assert.Equal("[1] [2]", PeopleContext.Sorted(ids.Except(ids.Where(Col("id") > 2))));
        var named = People.Select("name", "id").Where(Col("id") == 1);
        Assert.Equal("[1, Ada] [1, Ada]", PeopleContext.Sorted(People.Select("id", "name").Where(Col("id") == 1).UnionByName(named)));
        Assert.Equal("[1, NULL] [5, x]", PeopleContext.Sorted(ids.Where(Col("id") == 1).UnionByName(rig.Context.Sql("SELECT 'x' AS extra, 5 AS id"), allowMissing: true)));
        Assert.Throws<QueryException>(() => ids.UnionByName(named));
    }

    [Fact]
    public void Nulls_are_dropped_filled_and_values_replaced()
    {
        Assert.Equal(3, People.Na.Drop().Count());
        Assert.Equal(4, People.Na.Drop(onlyIfAll: true, ["town", "id"]).Count());
        Assert.Equal("[Linus, nowhere, NULL]", PeopleContext.Text(People.Na.Fill("nowhere").Where(Col("id") == 4).Select("name", "town", "paid")));
        Assert.Equal("[NULL, 7.00]", PeopleContext.Text(People.Na.Fill(7).Where(Col("id") == 4).Select("town", "paid")));
        var replaced = People.Na.Replace(new Dictionary<object, object?> { ["London"] = "Londres", ["Ada"] = null });
        Assert.Equal("[NULL, Londres]", PeopleContext.Text(replaced.Where(Col("id") == 1).Select("name", "town")));
        Assert.Throws<QueryException>(() => People.Na.Drop(columns: ["nothing"]));
    }

    [Fact]
    public void Text_beside_an_operator_is_a_value_and_not_part_of_a_name()
    {
        var one = People.Where(Col("id") == 1);
        Assert.Equal("[2, 0, 3, 3, 1]", PeopleContext.Text(one.Select(Col("id") + "1", "1" - Col("id"), "3" * Col("id"), Col("id") * "3", Col("id") % "7")));
    }

    [Fact]
    public void Aggregates_go_over_windows()
    {
        var window = Window.PartitionBy("town").OrderBy("id").RowsBetween(Window.UnboundedPreceding, Window.CurrentRow);
        Assert.Equal("[1, 36] [2, 77] [3, 85] [4, 20]", PeopleContext.Sorted(People.Select(Col("id"), Sum("age").Over(window).As("so far"))));
        Assert.Equal("[1, 182] [2, 182] [3, 182] [4, 182]", PeopleContext.Sorted(People.Select(Col("id")).WithColumn("all", Sum(Lit(1)).Over(Window.All)).Select(Col("id"), Col("all") + 178)));
        Assert.Throws<InvalidOperationException>(() => Col("age").Over(window));
    }

    [Fact]
    public void A_sample_is_the_same_for_the_same_seed()
    {
        var many = People.CrossJoin(People.Select(Col("id").As("b"))).CrossJoin(People.Select(Col("id").As("c"))).CrossJoin(People.Select(Col("id").As("d"))).Select("id", "b", "c", "d");
        var sample = many.Sample(0.5, seed: 3);
        Assert.Equal(PeopleContext.Sorted(sample), PeopleContext.Sorted(sample));
        Assert.InRange(sample.Count(), 80, 176);
        Assert.Equal(256, many.Sample(1).Count());
        Assert.Equal(0, many.Sample(0).Count());
        Assert.Throws<ArgumentOutOfRangeException>(() => many.Sample(1.5));
    }

    [Fact]
    public void A_frame_describes_itself()
    {
        var rows = People.Describe("age", "name").Collect().ToDictionary(row => (string)row["summary"]!);
        Assert.Equal("[count, 4, 4]", rows["count"].ToString());
        Assert.Equal("[mean, 45.5, NULL]", rows["mean"].ToString());
        Assert.Equal("[min, 20, Ada]", rows["min"].ToString());
        Assert.Equal("[max, 85, Linus]", rows["max"].ToString());
    }

    [Fact]
    public void A_table_is_shown_as_text()
    {
        Assert.Equal(
            """
            +----+-----+
            | id | na  |
            +----+-----+
            |  1 | Ada |
            +----+-----+
            only showing top 1 rows

            """, People.OrderBy("id").Select(Col("id"), Col("name").As("na")).ShowText(1), ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void Rows_come_one_by_one()
    {
        Assert.Equal(["Ada", "Alan", "Grace", "Linus"], People.OrderBy("id").Select("name").ToEnumerable().Select(row => (string)row[0]!));
        Assert.False(People.IsEmpty());
        Assert.True(People.Where(Col("id") > 10).IsEmpty());
    }

    [Fact]
    public async Task Rows_come_one_by_one_without_waiting()
    {
        List<string> names = [];
        await foreach (var name in People.OrderBy("id").Select("name").ToAsyncEnumerable<string>()) names.Add(name);
        Assert.Equal(["Ada", "Alan", "Grace", "Linus"], names);
    }

    [Fact]
    public void Errors_of_values_reach_the_reader_of_a_stream_as_they_are() =>
        Assert.Equal("DIVIDE_BY_ZERO", Assert.Throws<QueryException>(() => People.Select(Lit(1) / (Col("id") - 1)).ToEnumerable().Count()).ErrorClass);
}
