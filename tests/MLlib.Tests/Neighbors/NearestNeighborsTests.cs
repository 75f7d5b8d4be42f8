using Dataflow.MLlib.NeighborKernels;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Neighbors;

/// <summary>Neighbours of frames and spans.</summary>
public sealed class NearestNeighborsTests
{
    private sealed record Item(long Id, float X, double Y, int Z, double Label);

    private static Item[] Items(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i => new Item((i * 7) % count, random.Next(6), random.Next(6) / 2.0, random.Next(4), random.Next(3)))];
    }

    private static Neighbor[] Expected(Item[] rows, Item query, int k) =>
        [.. rows.Select(row => new Neighbor(row.Id, Math.Sqrt(Square(row.X - query.X) + Square(row.Y - query.Y) + Square(row.Z - query.Z))))
            .OrderBy(neighbor => neighbor.Distance).ThenBy(neighbor => neighbor.Id).Take(k)];

    private static double Square(double value) => value * value;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(7, 2)]
    public void A_frame_gets_the_ids_and_distances_of_its_neighbours(int partitions, int threads)
    {
        using var context = DataflowContext.Local(threads);
        var (rows, queries) = (Items(300, 1), Items(50, 2));
        var model = new NearestNeighbors { K = 4, FeatureColumns = ["X", "Y", "Z"], IdColumn = "Id" }.Fit(context.FromRecords(rows, partitions));
        var found = model.Transform(context.FromRecords(queries, partitions)).Collect();
        Assert.Equal(50, found.Count);
        foreach (var row in found)
        {
            var query = new Item(0, row.Get<float>("X"), row.Get<double>("Y"), row.Get<int>("Z"), 0);
            var expected = Expected(rows, query, 4);
            Assert.Equal(expected.Select(each => (double)each.Id), row.Get<Vector>("neighbors").ToArray());
            Assert.Equal(expected.Select(each => each.Distance), row.Get<Vector>("distances").ToArray());
            Assert.Equal(expected, model.Search([query.X, (float)query.Y, query.Z]));
        }
    }

    [Fact]
    public void A_span_is_answered_without_an_engine_with_filter_and_radius_by_many_threads_at_once()
    {
        var rows = Items(400, 3);
        float[] values = [.. rows.SelectMany(row => new[] { row.X, (float)row.Y, row.Z })];
        var model = new NearestNeighbors { K = 6 }.Fit(values, 3, [.. rows.Select(row => row.Id)]);
        Parallel.ForEach(Items(40, 4), query =>
        {
            float[] asked = [query.X, (float)query.Y, query.Z];
            Assert.Equal(Expected(rows, query, 6), model.Search(asked));
            Assert.Equal(Expected([.. rows.Where(row => row.Id % 5 == 2)], query, 6), model.Search(asked, id => id % 5 == 2));
            Assert.Equal(Expected(rows, query, 400).Where(each => each.Distance <= 1.5), model.Within(asked, 1.5));
            Assert.Equal(Expected(rows, query, 400).Where(each => each.Distance <= Math.Sqrt(2) && each.Id > 100), model.Within(asked, Math.Sqrt(2), id => id > 100));
        });
        Assert.Empty(model.Within([100, 100, 100], 1));
        Assert.Empty(model.Within([0, 0, 0], -1));
        var many = model.SearchMany(values);
        for (var i = 0; i < rows.Length; i++) Assert.Equal(model.Search(values.AsSpan(i * 3, 3)), many[i]);
        Assert.Equal(1, model.Recall(values));
    }

    [Fact]
    public void Rows_are_added_and_removed_as_if_the_model_were_made_anew()
    {
        var random = new Random(5);
        var values = NaiveNeighbors.Values(random, 200, 10, "clusters");
        long[] ids = [.. Enumerable.Range(0, 200).Select(i => (long)((i * 37) % 200))];
        foreach (var algorithm in new[] { NeighborAlgorithm.BruteForce, NeighborAlgorithm.BallTree })
        {
            var learner = new NearestNeighbors { K = 5, Algorithm = algorithm };
            var grown = learner.Fit(values.AsSpan(0, 1200), 10, ids.AsSpan(0, 120)).Add(values.AsSpan(1200), ids.AsSpan(120)).Remove([3, 77, 999]);
            var kept = Enumerable.Range(0, 200).Where(i => ids[i] is not (3 or 77)).ToArray();
            var anew = learner.Fit([.. kept.SelectMany(i => values.AsSpan(i * 10, 10).ToArray())], 10, [.. kept.Select(i => ids[i])]);
            Assert.Equal(198, grown.Rows);
            Assert.Equal(anew.SearchMany(values), grown.SearchMany(values));
            Assert.Contains("twice", Assert.Throws<ArgumentException>(() => grown.Add(values.AsSpan(0, 10), [4])).Message);
        }
    }

    [Fact]
    public void What_can_not_be_answered_is_a_named_error()
    {
        using var context = DataflowContext.Local(1);
        var learner = new NearestNeighbors { K = 3 };
        Assert.Contains("There are 2 rows, and 3 neighbours are wanted", Assert.Throws<ArgumentException>(() => learner.Fit([1, 2], 1)).Message);
        var model = learner.Fit([1, 2, 3, 4, 5, 6], 2);
        Assert.Contains("rows of 2 features", Assert.Throws<ArgumentException>(() => model.Search([1])).Message);
        Assert.Contains("Feature 1 of query 0 is NaN", Assert.Throws<ArgumentException>(() => model.Search([1, float.NaN])).Message);
        Assert.Contains("There are 3 rows, and 4", Assert.Throws<ArgumentException>(() => (model with { K = 4 }).Search([1, 2])).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new NearestNeighbors { K = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new NearestNeighbors { MinkowskiPower = 0.5 });
        Assert.Contains("triangle", Assert.Throws<ArgumentException>(() => (learner with { Algorithm = NeighborAlgorithm.BallTree, Metric = DistanceMetric.Cosine }).Fit([1, 2, 3], 1)).Message);

        var frame = context.FromRecords(new[] { (A: 1.0, B: (double?)null), (A: 2.0, B: 1), (A: 3, B: 2) });
        Assert.Contains("'Item2' holds null", Assert.ThrowsAny<DataflowException>(() => (learner with { FeatureColumns = ["Item1", "Item2"] }).Fit(frame)).ToString());
        Assert.Contains("whole numbers as ids", Assert.Throws<QueryException>(() => (learner with { FeatureColumns = ["Item1"], IdColumn = "Item1" }).Fit(frame)).Message);
        Assert.Contains("There are 0 rows", Assert.ThrowsAny<ArgumentException>(() => (learner with { FeatureColumns = ["Item1"] }).Fit(frame.Where("Item1 > 9"))).Message);
        var taken = (learner with { FeatureColumns = ["Item1"] }).Fit(frame);
        Assert.Contains("adds a column 'neighbors'", Assert.Throws<QueryException>(() => taken.Transform(taken.Transform(frame))).Message);
    }

    [Theory]
    [InlineData(NeighborAlgorithm.BruteForce)]
    [InlineData(NeighborAlgorithm.BallTree)]
    [InlineData(NeighborAlgorithm.Hnsw)]
    [InlineData(NeighborAlgorithm.Ivf)]
    public void A_saved_model_answers_the_same_in_another_process(NeighborAlgorithm algorithm)
    {
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "model");
        var values = NaiveNeighbors.Values(new Random(6), 500, 12, "clusters");
        var model = new NearestNeighbors { K = 5, Algorithm = algorithm, Metric = algorithm is NeighborAlgorithm.Hnsw or NeighborAlgorithm.Ivf ? DistanceMetric.Cosine : DistanceMetric.Manhattan }.Fit(values, 12);
        model.Save(path);
        Assert.Equal(model.SearchMany(values), NearestNeighborsModel.Load(path).SearchMany(values));
        Assert.Equal(NeighborChecks.Loaded(path), Program.RunLoaded("neighbors-loaded", path));
    }

    [Theory]
    [InlineData(NeighborAlgorithm.Hnsw, "links", "there")]
    [InlineData(NeighborAlgorithm.Hnsw, "ids", "twice")]
    [InlineData(NeighborAlgorithm.Ivf, "order", "do not fit")]
    public void A_damaged_model_is_a_named_error(NeighborAlgorithm algorithm, string array, string expected)
    {
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "model");
        new NearestNeighbors { K = 2, Algorithm = algorithm }.Fit(NaiveNeighbors.Values(new Random(6), 100, 4, "clusters"), 4).Save(path);
        var file = Path.Combine(path, array + ".npy");
        var bytes = File.ReadAllBytes(file);
        if (array == "ids") Array.Copy(bytes, bytes.Length - 8, bytes, bytes.Length - 16, 8);
        else bytes.AsSpan(bytes.Length - 4).Fill(0x7E);
        File.WriteAllBytes(file, bytes);
        Assert.Contains(expected, Assert.Throws<ModelFormatException>(() => NearestNeighborsModel.Load(path)).Message);
    }

    [Fact]
    public void A_pipeline_takes_neighbours_of_vectors()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Items(60, 8), 3);
        var model = new Pipeline(new VectorAssembler { InputColumns = ["X", "Y", "Z"] }, new NearestNeighbors { K = 2, IdColumn = "Id" }).Fit(frame);
        Assert.All(model.Transform(frame).Collect(), row => Assert.Equal(0, row.Get<Vector>("distances")[0]));
    }
}
