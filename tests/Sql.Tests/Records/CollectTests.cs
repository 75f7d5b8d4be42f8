using Dataflow.Sql.Tests.Frames;
using static Dataflow.Sql.Functions;

namespace Dataflow.Sql.Tests.Records;

public sealed class CollectTests(PeopleContext rig) : IClassFixture<PeopleContext>
{
    private DataFrame Ada => rig.People.Where(Col("id") == 1);

    private enum Town
    {
        London,
    }

    [Fact]
    public void Columns_go_to_the_parameters_of_a_record_by_name()
    {
        Assert.Equal([new Person("Ada", 36, 10.50m)], Ada.Collect<Person>());
        Assert.Equal([new Person("Linus", 20, null)], rig.People.Where(Col("id") == 4).Collect<Person>());
    }

    [Fact]
    public void Columns_go_to_properties_that_can_be_set()
    {
        var person = Assert.Single(Ada.Collect<Settable>());
        Assert.Equal((1L, "Ada", Town.London, "unset"), (person.Id, person.Name, person.Town, person.Other));
    }

    [Fact]
    public void Tuples_and_plain_values_are_made_too()
    {
        Assert.Equal([("Ada", 36)], Ada.Select("name", "age").Collect<(string, int)>());
        Assert.Equal([36L], Ada.Select("age").Collect<long>());
        Assert.Equal([null], rig.People.Where(Col("id") == 4).Select("paid").Collect<decimal?>());
        Assert.Throws<QueryException>(() => Ada.Collect<(string, int)>());
    }

    [Fact]
    public void All_types_have_a_place()
    {
        var frame = rig.Context.Sql("""
            SELECT true AS a, CAST(1 AS TINYINT) AS b, CAST(2 AS SMALLINT) AS c, 3 AS d, 4L AS e, CAST(1.5 AS FLOAT) AS f, 2.5D AS g, CAST(-12.345 AS DECIMAL(38, 3)) AS h,
                   'text' AS i, X'0102' AS j, DATE '2024-02-29' AS k, TIMESTAMP '2024-02-29 01:02:03.5' AS l, TIMESTAMP_NTZ '2024-02-29 01:02:03' AS m, CAST(NULL AS INT) AS n
            """);
        var all = Assert.Single(frame.Collect<Everything>());
        Assert.Equal((true, (sbyte)1, (short)2, 3, 4L, 1.5f, 2.5, -12.345m), (all.A, all.B, all.C, all.D, all.E, all.F, all.G, all.H));
        Assert.Equal(("text", "0102", new DateOnly(2024, 2, 29)), (all.I, Convert.ToHexString(all.J), all.K));
        Assert.Equal((new DateTimeOffset(2024, 2, 29, 1, 2, 3, 500, TimeSpan.Zero), new DateTime(2024, 2, 29, 1, 2, 3), (int?)null), (all.L, all.M, all.N));
    }

    [Fact]
    public void A_column_that_does_not_fit_is_named_with_its_member()
    {
        var error = Assert.Throws<QueryException>(() => Ada.Collect<Narrow>());
        Assert.Equal("Column 'age' is int, which has no place in Narrow.Age of type short. Use int, or cast the column.", error.Message);
        var missing = Assert.Throws<QueryException>(() => Ada.Collect<Misspelled>());
        Assert.Contains("Misspelled needs 'Agee', but the rows have no such column.", missing.Message, StringComparison.Ordinal);
        Assert.Contains("Did you mean 'age'?", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_is_not_made_of_another_type_or_of_several_columns()
    {
        var other = Assert.Throws<QueryException>(() => Ada.Select("age").Collect<string>());
        Assert.Equal("Column 'age' is int, which can't become string. Use int, or cast the column.", other.Message);
        var narrow = Assert.Throws<QueryException>(() => Ada.Select("age").Collect<short?>());
        Assert.Equal("Column 'age' is int, which can't become short?. Use int, or cast the column.", narrow.Message);
        var several = Assert.Throws<QueryException>(() => Ada.Select("name", "age").Collect<double>());
        Assert.Equal("The rows have 2 columns (name, age), and double is one value. Name one column, or use a record or tuple with a place for each.", several.Message);
        var missing = Assert.Throws<QueryException>(() => rig.People.Select("paid").Collect<decimal>());
        Assert.Equal("Column 'paid' (decimal(4,2)) is NULL in a row, but the value is decimal, which can't be. Make it decimal?, or use coalesce in the query.", missing.Message);
    }

    [Fact]
    public void A_null_without_a_place_is_named_with_its_member()
    {
        var error = Assert.Throws<QueryException>(() => rig.People.Collect<Paid>());
        Assert.Equal("Column 'paid' (decimal(4,2)) is NULL in a row, but Paid.Amount is decimal, which can't be. Make it decimal?, or use coalesce in the query.".Replace("Amount", "paid", StringComparison.Ordinal), error.Message);
    }

    private sealed record Person(string Name, int Age, decimal? Paid);

    private sealed record Narrow(short Age);

    private sealed record Misspelled(int Agee);

    private sealed record Paid(decimal paid);

    private sealed class Settable
    {
        public long Id { get; set; }

        public string Name { get; init; } = "";

        public Town Town { get; set; }

        public string Other { get; set; } = "unset";
    }

    private sealed record Everything(bool A, sbyte B, short C, int D, long E, float F, double G, decimal H, string I, byte[] J, DateOnly K, DateTimeOffset L, DateTime M, int? N);
}
