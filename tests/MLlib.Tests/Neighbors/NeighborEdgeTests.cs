using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Neighbors;

/// <summary>What is at the edges: the right answer, or an error with a name, on every way in.</summary>
public sealed class NeighborEdgeTests
{
    private sealed record Item(long Id, Vector? V, double Label = 0);

    private sealed record Named(string Id, Vector V);

    private sealed record Maybe(long? Id, Vector V);

    private static readonly BroadcastSide[] Sides = Enum.GetValues<BroadcastSide>();

    private static NearestNeighborsJoin Join(BroadcastSide side) => new() { K = 2, FeatureColumns = ["V"], IdColumn = "Id", Side = side };

    public static TheoryData<NeighborAlgorithm, DistanceMetric> Ways()
    {
        var ways = new TheoryData<NeighborAlgorithm, DistanceMetric>();
        foreach (var metric in Enum.GetValues<DistanceMetric>())
        {
            foreach (var algorithm in Enum.GetValues<NeighborAlgorithm>())
            {
                if (algorithm == NeighborAlgorithm.BallTree && metric is DistanceMetric.Cosine or DistanceMetric.InnerProduct) continue;
                if (algorithm == NeighborAlgorithm.Ivf && metric is DistanceMetric.Hamming or DistanceMetric.Jaccard) continue;
                ways.Add(algorithm, metric);
            }
        }
        return ways;
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Filters_that_leave_few_all_rows_and_no_rows_are_answered(NeighborAlgorithm algorithm, DistanceMetric metric)
    {
        var values = NaiveNeighbors.Values(new Random(11), 130, 5, "grid");
        var learner = new NearestNeighbors { K = 6, Algorithm = algorithm, Metric = metric, M = 4, EfConstruction = 20, EfSearch = 6, Probes = 2 };
        var model = learner.Fit(values, 5);
        var exact = (learner with { Algorithm = NeighborAlgorithm.BruteForce }).Fit(values, 5);
        var query = values.AsSpan(15, 5).ToArray();
        Assert.Equal(exact.Search(query, id => id % 40 == 3), model.Search(query, id => id % 40 == 3));
        Assert.Equal(4, model.Search(query, id => id % 40 == 3).Length);
        Assert.Empty(model.Search(query, _ => false));
        Assert.Equal([[], []], model.SearchMany([.. query, .. query], _ => false));
        Assert.Equal((exact with { K = 130 }).Search(query), (model with { K = 130 }).Search(query));
        Assert.Equal((exact with { K = 130 }).Search(query), model.Within(query, double.PositiveInfinity));
        Assert.Empty(model.Within(query, double.NegativeInfinity));
        Assert.Empty(model.SearchMany([]));

        // As a model of rows that went and came again, also through a file.
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "m");
        long[] all = [.. Enumerable.Range(0, 130)];
        model.Remove(all).Save(path);
        var empty = NearestNeighborsModel.Load(path);
        Assert.Equal(0, empty.Rows);
        Assert.Empty(empty.Within(query, 1));
        Assert.Contains("There are 0 rows, and 6", Assert.Throws<ArgumentException>(() => empty.Search(query)).Message);
        var again = empty.Add(values, all);
        Assert.Equal((exact with { K = 130 }).Search(query), (again with { K = 130 }).Search(query));
        Assert.Contains("Feature 2 of added row 1 is NaN", Assert.Throws<ArgumentException>(() => model.Add([1, 2, 3, 4, 5, 1, 2, float.NaN, 4, 5], [200, 201])).Message);
    }

    [Theory]
    [InlineData(NeighborAlgorithm.BruteForce)]
    [InlineData(NeighborAlgorithm.BallTree)]
    [InlineData(NeighborAlgorithm.Hnsw)]
    [InlineData(NeighborAlgorithm.Ivf)]
    public void Errors_on_other_threads_come_as_they_are(NeighborAlgorithm algorithm)
    {
        var values = NaiveNeighbors.Values(new Random(12), 600, 8, "clusters");
        var model = new NearestNeighbors { K = 3, Algorithm = algorithm, EfConstruction = 20 }.Fit(values, 8);
        Assert.Throws<TimeZoneNotFoundException>(() => model.SearchMany(values, _ => throw new TimeZoneNotFoundException()));
    }

    [Theory]
    [InlineData(NeighborAlgorithm.BruteForce, 1e30f, 16)]
    [InlineData(NeighborAlgorithm.BruteForce, 1e-30f, 20.5)]
    [InlineData(NeighborAlgorithm.BallTree, 1e30f, 16)]
    [InlineData(NeighborAlgorithm.Hnsw, 1e-30f, 16)]
    public void Powers_that_do_not_fit_are_named(NeighborAlgorithm algorithm, float scale, double power)
    {
        var values = Array.ConvertAll(NaiveNeighbors.Values(new Random(13), 300, 4, "clusters"), value => value * scale);
        var learner = new NearestNeighbors { K = 3, Algorithm = algorithm, Metric = DistanceMetric.Minkowski, MinkowskiPower = power };
        Assert.Contains("does not fit double precision", Assert.Throws<QueryException>(() => learner.Fit(values, 4).SearchMany(values)).Message);
        Assert.Equal(0, (learner with { Metric = DistanceMetric.Chebyshev }).Fit(values, 4).Search(values.AsSpan(0, 4))[0].Distance);
        Assert.Equal([0, 0], (learner with { K = 2 }).Fit([1, 2, 1, 2], 2).Search([1, 2]).Select(each => each.Distance));
    }

    [Fact]
    public void Negative_distances_are_no_weights()
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(new[] { new Item(1, Vector.Dense(1, 2), 3), new Item(2, Vector.Dense(2, 2), 5) });
        var learner = new KNeighborsRegressor { K = 2, FeaturesColumn = "V", LabelColumn = "Label", Metric = DistanceMetric.InnerProduct, Weights = NeighborWeights.Distance };
        Assert.Contains("WeightOf", Assert.Throws<ArgumentException>(() => learner.Fit(frame)).Message);
        Assert.Equal((((3 * 3.0) + (5 * 4)) / 7), (learner with { WeightOf = distance => -distance }).Fit(frame).Predict([1, 1]), 12);
    }

    [Fact]
    public void What_has_no_distance_is_named_on_every_way_in()
    {
        using var context = DataflowContext.Local(2);
        var good = context.FromRecords(new[] { new Item(1, Vector.Dense(1, 2)), new Item(2, Vector.Dense(2, 2)), new Item(3, Vector.Dense(4, 2)) }, 2);
        var model = new NearestNeighbors { K = 2, FeaturesColumn = "V", IdColumn = "Id" }.Fit(good);
        var classifier = new KNeighborsClassifier { K = 2, FeaturesColumn = "V", LabelColumn = "Label" }.Fit(good);
        var regressor = new KNeighborsRegressor { K = 2, FeaturesColumn = "V", LabelColumn = "Label" }.Fit(good);
        foreach (var (bad, expected) in new[] { (Vector.Dense(1, double.NaN), "null or NaN"), (Vector.Dense(1, double.PositiveInfinity), "beyond single"), (Vector.Dense(1e300, 1), "beyond single"), (Vector.Dense(1, 2, 3), "features"), (null, "NULL") })
        {
            var frame = context.FromRecords(new[] { new Item(7, Vector.Dense(1, 1)), new Item(8, bad), new Item(9, Vector.Dense(2, 1)) }, 3);
            Named(() => model.Transform(frame).Collect());
            Named(() => classifier.Transform(frame).Collect());
            Named(() => regressor.Transform(frame).Collect());
            Named(() => new NearestNeighbors { K = 1, FeaturesColumn = "V", IdColumn = "Id" }.Fit(frame));
            Named(() => new KNeighborsClassifier { K = 1, FeaturesColumn = "V", LabelColumn = "Label" }.Fit(frame));
            Named(() => new KNeighborsRegressor { K = 1, FeaturesColumn = "V", LabelColumn = "Label" }.Fit(frame));
            foreach (var side in Sides)
            {
                Named(() => Join(side).Join(frame, good).Collect());
                Named(() => Join(side).Join(good, frame).Collect());
            }

            void Named(Action action)
            {
                var error = Assert.ThrowsAny<DataflowException>(action);
                Assert.True((error as QueryException ?? error.GetBaseException()) is QueryException, error.ToString());
                Assert.Contains(expected, error.ToString(), StringComparison.OrdinalIgnoreCase);
            }
        }
        Assert.Contains("INVALID_FEATURE", Assert.Throws<QueryException>(() => classifier.Predict([1, double.NaN])).ErrorClass);
        Assert.Contains("2 features", Assert.Throws<ArgumentException>(() => regressor.Predict([1])).Message);
    }

    [Fact]
    public void Ids_are_whole_numbers_each_once()
    {
        using var context = DataflowContext.Local(2);
        var good = context.FromRecords(new[] { new Item(1, Vector.Dense(1, 2)), new Item(2, Vector.Dense(2, 2)) });
        var words = context.FromRecords(new[] { new Named("a", Vector.Dense(1, 2)), new Named("b", Vector.Dense(2, 2)) });
        var holes = context.FromRecords(new[] { new Maybe(1, Vector.Dense(1, 2)), new Maybe(null, Vector.Dense(2, 2)) });
        var twice = context.FromRecords(new[] { new Item(5, Vector.Dense(1, 2)), new Item(5, Vector.Dense(2, 2)) }, 2);
        var learner = new NearestNeighbors { K = 1, FeaturesColumn = "V", IdColumn = "Id" };
        Assert.Contains("column 'Id' is string", Assert.Throws<QueryException>(() => learner.Fit(words)).Message);
        Assert.Contains("holds null", Assert.ThrowsAny<DataflowException>(() => learner.Fit(holes)).ToString());
        Assert.Contains("Id 5 is there twice", Assert.Throws<ArgumentException>(() => learner.Fit(twice)).Message);
        foreach (var side in Sides)
        {
            Assert.Contains("column 'Id' is string", Assert.Throws<QueryException>(() => Join(side).Join(good, words)).Message);
            Assert.Contains("column 'Id' is string", Assert.Throws<QueryException>(() => Join(side).Join(words, good)).Message);
            Assert.Contains("queries holds null 1 times", Assert.Throws<QueryException>(() => Join(side).Join(holes, good)).Message);
            Assert.Contains("rows holds null 1 times", Assert.Throws<QueryException>(() => Join(side).Join(good, holes)).Message);
            Assert.Contains("Id 5 is there twice among the rows (2 times", Assert.Throws<QueryException>(() => Join(side).Join(good, twice)).Message);
            Assert.Contains("There are 2 rows, and 3", Assert.Throws<QueryException>(() => (Join(side) with { K = 3 }).Join(good, good)).Message);
        }

        // Strings become numbers by StringIndexer; numbers of any width are ids.
        var indexed = new StringIndexer { InputColumns = ["Id"], OutputColumns = ["number"] }.Fit(words).Transform(words).WithColumn("number", Functions.Col("number").Cast(DataType.Int));
        Assert.Equal(0, (learner with { IdColumn = "number" }).Fit(indexed).Search([1, 2])[0].Distance);
        Assert.Contains("There are 2 rows, and 3", Assert.Throws<ArgumentException>(() => new KNeighborsClassifier { K = 3, FeaturesColumn = "V", LabelColumn = "Label" }.Fit(good)).Message);
    }

    [Fact]
    public void Equal_rows_and_empty_partitions_change_nothing()
    {
        // 12 equal rows and 3 others in 40 partitions: ties go to the least ids, wherever they lie.
        Item[] rows = [.. Enumerable.Range(0, 15).Select(i => new Item((i * 7 % 15) + 100, i % 5 == 4 ? Vector.Dense(9, i) : Vector.Dense(1, 1)))];
        Item[] queries = [new(1, Vector.Dense(1, 1)), new(2, Vector.Dense(9, 9))];
        var equal = rows.Where(row => row.V![0] == 1).Select(row => row.Id).Order().Take(4).ToArray();
        using var context = DataflowContext.Local(2);
        foreach (var partitions in new[] { 1, 40 })
        {
            var (asked, frame) = (context.FromRecords(queries, partitions), context.FromRecords(rows, partitions));
            foreach (var side in Sides)
            {
                var found = (Join(side) with { K = 4 }).Join(asked, frame).Collect();
                Assert.Equal(8, found.Count);
                Assert.Equal(equal, found.Where(row => row.Get<long>("query_id") == 1).OrderBy(row => row.Get<int>("rank")).Select(row => row.Get<long>("id")));
            }
            var model = new NearestNeighbors { K = 4, FeaturesColumn = "V", IdColumn = "Id" }.Fit(frame);
            Assert.Equal(equal, model.Transform(asked).Where("Id = 1").Collect()[0].Get<Vector>("neighbors").ToArray().Select(id => (long)id));
            Assert.Equal(3, model.Search([9, 9], id => model.Search([1, 1]).All(each => each.Id != id) && rows.First(row => row.Id == id).V![0] == 9).Length);
        }
    }
}
