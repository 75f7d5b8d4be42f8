namespace Dataflow.MLlib.Tests.Pipelines;

/// <summary>Vectors as a type of columns.</summary>
public sealed class VectorColumnTests
{
    private static readonly (int Id, Vector? V)[] Rows =
    [
        (1, Vector.Dense(1.5, double.NaN, -0.0)), (2, Vector.Sparse(5, [1, 4], [2, 3])), (3, null), (4, Vector.Dense([0.1f])), (5, Vector.Dense(ReadOnlySpan<double>.Empty)), (6, Vector.Sparse(0, [], [])),
    ];

    [Fact]
    public void They_go_through_exchanges_sorts_caches_and_joins_unchanged()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Rows, 3);
        context.FromRecords(Enumerable.Range(1, 6).Select(i => (Id: i, Name: $"n{i}")), 2).CreateTempView("names");
        frame.Cache().CreateTempView("t");
        var rows = context.Sql("SELECT t.Item1, t.Item2 FROM t JOIN names ON t.Item1 = names.Item1 ORDER BY t.Item1 DESC").Collect();
        Assert.Equal(Rows.Reverse().Select(row => row.V), rows.Select(row => (Vector?)row[1]));
        Assert.True(((Vector)rows[4][1]!).IsSparse);
        Assert.True(((Vector)rows[2][1]!).IsSingle);
    }

    [Fact]
    public void SQL_reads_their_elements_and_sizes()
    {
        using var context = DataflowContext.Local(1);
        context.FromRecords(Rows).CreateTempView("t");
        Assert.Equal([3, 5, null, 1, 0, 0], context.Sql("SELECT vector_size(Item2) FROM t ORDER BY Item1").Collect().Select(row => row[0]));
        Assert.Equal(3.0, context.Sql("SELECT vector_get(Item2, 4) FROM t WHERE Item1 = 2").Collect()[0][0]);
        Assert.Equal((double)0.1f, context.Sql("SELECT vector_get(Item2, 0) FROM t WHERE Item1 = 4").Collect()[0][0]);
        Assert.Contains("no element 3", Assert.ThrowsAny<DataflowException>(() => context.Sql("SELECT vector_get(Item2, 3) FROM t WHERE Item1 = 1").Collect()).ToString());
        Assert.ThrowsAny<QueryException>(() => context.Sql("SELECT * FROM t ORDER BY Item2").Collect());
    }

    [Fact]
    public void They_show_as_text_and_JSON()
    {
        Assert.Equal("[1.5,NaN,-0]", Rows[0].V!.ToString());
        Assert.Equal("(5,[1,4],[2,3])", Rows[1].V!.ToString());
        using var context = DataflowContext.Local(1);
        using var folder = new Dataflow.TestKit.TempDirectory();
        context.FromRecords(Rows).Write.Json(Path.Combine(folder.Path, "out"));
        var lines = Directory.GetFiles(Path.Combine(folder.Path, "out"), "part*").Order().SelectMany(File.ReadAllLines).ToArray();
        Assert.Contains("""{"Item1":1,"Item2":[1.5,null,-0]}""", lines);
        Assert.Contains("""{"Item1":2,"Item2":[0,2,0,0,3]}""", lines);
    }

    [Fact]
    public void Wrong_positions_are_refused()
    {
        Assert.Contains("ascending", Assert.Throws<ArgumentException>(() => Vector.Sparse(3, [1, 1], [1, 2])).Message);
        Assert.Contains("outside", Assert.Throws<ArgumentException>(() => Vector.Sparse(3, [3], [1])).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Vector.Dense(1.0)[1]);
    }
}
