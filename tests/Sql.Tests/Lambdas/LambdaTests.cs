using Dataflow.Sql.Tests.Frames;
using static Dataflow.Sql.Functions;

namespace Dataflow.Sql.Tests.Lambdas;

public sealed class LambdaTests(PeopleContext rig) : IClassFixture<PeopleContext>
{
    private DataFrame People => rig.People;

    [Fact]
    public void A_lambda_is_called_by_its_name_in_sql()
    {
        rig.Context.RegisterFunction("half_up", (int x) => (x + 1) / 2);
        rig.Context.RegisterFunction("greet", (string name, int age) => $"{name} is {age}");
        People.CreateTempView("people_of_lambdas");
        Assert.Equal("[1, Ada is 36] [2, Alan is 41]", PeopleContext.Sorted(rig.Context.Sql("SELECT half_up(id * 2), GREET(name, age) FROM people_of_lambdas WHERE half_up(id) = 1")));
    }

    [Fact]
    public void A_null_is_null_unless_the_parameter_takes_it()
    {
        var strict = Udf((string town) => town.Length);
        var seeing = Udf((string? town) => town is null ? -1 : town.Length);
        var number = Udf((decimal? paid, int id) => paid is null ? id : (int)paid.Value);
        Assert.Equal("[1, 6, 6, 10] [2, 6, 6, 20] [3, 8, 8, 30] [4, NULL, -1, 4]", PeopleContext.Sorted(People.Select(Col("id"), strict(Col("town")), seeing(Col("town")), number(Col("paid"), Col("id")))));
    }

    [Fact]
    public void Results_may_be_null()
    {
        var odd = Udf((int id) => id % 2 == 1 ? id : (int?)null);
        var text = Udf((int id) => id > 2 ? null : new string('x', id * 10));
        Assert.Equal("[1, xxxxxxxxxx] [NULL, xxxxxxxxxxxxxxxxxxxx] [3, NULL] [NULL, NULL]", PeopleContext.Text(People.OrderBy("id").Select(odd(Col("id")), text(Col("id")))));
    }

    [Fact]
    public void All_types_go_in_and_out()
    {
        var frame = rig.Context.Sql("SELECT true AS a, 3L AS b, 2.5D AS c, CAST(1.25 AS DECIMAL(10, 2)) AS d, DATE '2024-01-31' AS e, TIMESTAMP '2024-01-31 10:00:00' AS f, X'01' AS g");
        var result = frame.Select(
            Udf((bool a) => !a)(Col("a")), Udf((long b) => b * b)(Col("b")), Udf((double c, float? f) => c / 2)(Col("c"), Lit(null)), Udf((decimal d) => d * 2)(Col("d")),
            Udf((DateOnly e) => e.AddMonths(1))(Col("e")), Udf((DateTimeOffset f) => f.AddHours(1))(Col("f")), Udf((byte[] g) => new byte[] { g[0], 2 })(Col("g")));
        Assert.Equal("[false, 9, 1.25, 2.500000000000000000, 2024-02-29, 2024-01-31 11:00:00, 0102]", PeopleContext.Text(result));
    }

    [Fact]
    public void Rows_that_were_filtered_out_are_not_seen()
    {
        var picky = Udf((int id) => id == 2 ? throw new InvalidOperationException("two!") : id);
        Assert.Equal("[1] [3] [4]", PeopleContext.Sorted(People.Where(Col("id") != 2).Select(picky(Col("id")))));
        var error = Assert.Throws<QueryException>(() => People.Select(picky(Col("id"))).Collect());
        Assert.Equal("FAILED_EXECUTE_UDF", error.ErrorClass);
        Assert.StartsWith("The function 'udf' threw InvalidOperationException: two! (at ", error.Message, StringComparison.Ordinal);

        // The program's own line, not the one of .NET below it.
        var parsed = Udf((string name) => int.Parse(name, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Contains($" (at {typeof(LambdaTests)}.", Assert.Throws<QueryException>(() => People.Select(parsed(Col("name"))).Collect()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Many_rows_are_right_with_and_without_nulls()
    {
        var numbers = Enumerable.Range(0, 50_000).Select(i => (A: (long)i, B: i % 3 == 0 ? null : (int?)i)).ToArray();
        var frame = rig.Context.FromRecords(numbers, partitions: 2);
        var sum = frame.Select(Udf((long a, int b) => a + b)(Col("Item1"), Col("Item2")).As("sum")).Agg(Sum("sum"), Count("sum")).Collect()[0];
        Assert.Equal((numbers.Sum(n => n.B is { } b ? n.A + b : 0), (long)numbers.Count(n => n.B is not null)), ((long)sum[0]!, (long)sum[1]!));
    }

    [Fact]
    public void Methods_and_delegates_of_all_kinds_are_called()
    {
        long factor = 3;
        Func<long, long> closed = new Scale(5).By;
        var numbers = rig.Context.Sql("SELECT id FROM range(1000)");
        Assert.Equal("[1498500]", PeopleContext.Text(numbers.Agg(Sum(Udf((long x) => x * factor)(Col("id"))))));
        Assert.Equal("[2497500]", PeopleContext.Text(numbers.Agg(Sum(Udf(closed)(Col("id"))))));
        Assert.Equal("[999000]", PeopleContext.Text(numbers.Agg(Sum(Udf<long, long>(Twice)(Col("id"))))));
    }

    [Fact]
    public void Texts_that_come_again_as_the_same_object_are_right()
    {
        var name = Udf((long x) => (x % 7) switch { 0 => "zero", 1 => "a text longer than twelve", 2 => "zwölf", 3 => "", 4 => "four", 5 => "a very long text indeed, ü", _ => null });
        var counts = rig.Context.Sql("SELECT id FROM range(20000)").Select(name(Col("id")).As("n")).GroupBy("n").Count().OrderBy("n");
        Assert.Equal(
            "[NULL, 2857] [, 2857] [a text longer than twelve, 2857] [a very long text indeed, ü, 2857] [four, 2857] [zero, 2858] [zwölf, 2857]".Split("] [").Order(),
            PeopleContext.Text(counts).Split("] [").Order());
    }

    private static long Twice(long x) => x * 2;

    private sealed class Scale(long by)
    {
        public long By(long x) => x * by;
    }

    [Fact]
    public void Wrong_types_are_errors_that_show_how_it_is_called()
    {
        var f = Udf((int x) => x, "halve");
        Assert.Contains("It is called as halve(x int)", Assert.Throws<QueryException>(() => People.Select(f(Col("name")))).Message, StringComparison.Ordinal);
        Assert.Throws<QueryException>(() => Udf((List<int> x) => 1));
        var calls = 0;
        Assert.Throws<ClosureException>(() => Udf((int x) => calls += x));
    }
}
