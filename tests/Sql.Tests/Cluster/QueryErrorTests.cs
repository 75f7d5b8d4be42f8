namespace Dataflow.Sql.Tests.Cluster;

/// <summary>A query that meets a value it can't compute with ends with the same error wherever its tasks run.</summary>
[Collection(ClusterCollection.Name)]
public sealed class QueryErrorTests(ClusterPlaces places)
{
    /// <summary>Places and queries.</summary>
    public static TheoryData<Place, string, string> Wrong
    {
        get
        {
            var data = new TheoryData<Place, string, string>();
            foreach (var place in Enum.GetValues<Place>())
            {
                data.Add(place, "SELECT sum(a)\nFROM (SELECT 10 / (id - 3) AS a FROM range(10))", "DIVIDE_BY_ZERO");
                data.Add(place, "SELECT id + 9223372036854775807 AS a FROM range(10)", "ARITHMETIC_OVERFLOW");
                data.Add(place, "SELECT cast(concat('x', id) AS int) AS a FROM range(10)", "CAST_INVALID_INPUT");
                data.Add(place, "SELECT id, (SELECT id FROM range(2)) AS a FROM range(3)", "SCALAR_SUBQUERY_TOO_MANY_ROWS");
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task An_error_of_a_value_says_the_same_everywhere(Place place, string sql, string errorClass)
    {
        var expected = Assert.Throws<QueryException>(() => places[Place.Threads].Sql(sql).Collect());
        var error = Assert.Throws<QueryException>(() => places[place].Sql(sql).Collect());
        Assert.Equal(errorClass, error.ErrorClass);
        Assert.Equal((expected.Message, expected.Problem, expected.Line, expected.Column), (error.Message, error.Problem, error.Line, error.Column));
        if (errorClass == "DIVIDE_BY_ZERO") Assert.Equal(2, error.Line);

        Assert.Equal(expected.Message, Assert.Throws<QueryException>(() => places[place].Sql(sql).ToEnumerable().Count()).Message);
        Assert.Equal(expected.Message, (await Assert.ThrowsAsync<QueryException>(async () =>
        {
            await foreach (var _ in places[place].Sql(sql).ToAsyncEnumerable()) { }
        })).Message);
    }

    [Theory]
    [InlineData(Place.Threads)]
    [InlineData(Place.Shipped)]
    [InlineData(Place.Processes)]
    public void An_error_of_a_value_is_not_tried_again(Place place)
    {
        var rows = places[place].Sql("SELECT 10 / (id - 3) AS a FROM range(10)").ToRdd<double>();
        var error = Assert.Throws<JobFailedException>(() => rows.Collect());
        Assert.Equal(1, error.Attempts);
        Assert.Equal("DIVIDE_BY_ZERO", Assert.IsType<QueryException>(error.InnerException).ErrorClass);
    }
}
