using Dataflow.MLlib.NeighborGraphs;
using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Neighbors;

/// <summary>Approximate neighbours by a hierarchy of small worlds.</summary>
public sealed class HnswTests
{
    private static float[] Clusters(int rows, int features, int seed, double spread = 1)
    {
        // The same centres for rows and queries.
        var random = new Random(99);
        var centers = new float[20 * features];
        foreach (ref var value in centers.AsSpan()) value = (float)((random.NextDouble() - 0.5) * 4);
        random = new Random(seed);
        var values = new float[rows * features];
        for (var r = 0; r < rows; r++)
        {
            var center = random.Next(20) * features;
            for (var i = 0; i < features; i++) values[(r * features) + i] = (float)(centers[center + i] + ((random.NextDouble() - 0.5) * 2 * spread));
        }
        return values;
    }

    [Theory]
    [InlineData(DistanceMetric.Euclidean, 1)]
    [InlineData(DistanceMetric.Cosine, 1)]
    [InlineData(DistanceMetric.InnerProduct, 1)]
    [InlineData(DistanceMetric.Euclidean, 1e-4)]
    [InlineData(DistanceMetric.Manhattan, 1)]
    [InlineData(DistanceMetric.Chebyshev, 1)]
    [InlineData(DistanceMetric.Minkowski, 1e-4)]
    public void Nearly_all_neighbours_are_found_and_their_distances_are_exact(DistanceMetric metric, double spread)
    {
        var model = new NearestNeighbors { K = 10, Algorithm = NeighborAlgorithm.Hnsw, M = 12, EfConstruction = 100, EfSearch = 80, Metric = metric }.Fit(Clusters(3000, 24, 1, spread), 24);
        var queries = Clusters(200, 24, 2, spread);
        var recall = model.Recall(queries);
        Assert.True(recall >= 0.97, $"{metric}, spread {spread}: recall {recall}.");
        var exact = new NearestNeighbors { K = 10, Metric = metric }.Fit(Clusters(3000, 24, 1, spread), 24);
        var (found, expected) = (model.Search(queries.AsSpan(0, 24)), exact.Search(queries.AsSpan(0, 24)));
        Assert.Equal(expected[0], found[0]);
        Assert.Equal(found.OrderBy(each => each.Distance).ThenBy(each => each.Id), found);
    }

    [Theory]
    [InlineData(DistanceMetric.Hamming)]
    [InlineData(DistanceMetric.Jaccard)]
    public void Categories_and_sets_have_neighbours_too(DistanceMetric metric)
    {
        var learner = new NearestNeighbors { K = 10, Algorithm = NeighborAlgorithm.Hnsw, M = 12, EfConstruction = 100, EfSearch = 100, Metric = metric };
        var model = learner.Fit(Sets(3000, 40, 1), 40);
        var queries = Sets(200, 40, 2);
        var recall = model.Recall(queries);
        Assert.True(recall >= 0.95, $"{metric}: recall {recall}.");
        var exact = (learner with { Algorithm = NeighborAlgorithm.BruteForce }).Fit(Sets(3000, 40, 1), 40).Search(queries.AsSpan(0, 40));
        Assert.Equal(exact.Select(each => each.Distance), model.Search(queries.AsSpan(0, 40)).Select(each => each.Distance));
    }

    // Of 20 kinds; few features are there.
    private static float[] Sets(int rows, int features, int seed)
    {
        var random = new Random(98);
        var kinds = new bool[20 * features];
        foreach (ref var value in kinds.AsSpan()) value = random.Next(5) == 0;
        random = new Random(seed);
        var values = new float[rows * features];
        for (var r = 0; r < rows; r++)
        {
            var kind = random.Next(20) * features;
            for (var i = 0; i < features; i++) values[(r * features) + i] = kinds[kind + i] != (random.Next(10) == 0) ? 1 + random.Next(2) : 0;
        }
        return values;
    }

    [Theory]
    [InlineData(DistanceMetric.Manhattan)]
    [InlineData(DistanceMetric.Chebyshev)]
    [InlineData(DistanceMetric.Minkowski)]
    [InlineData(DistanceMetric.Hamming)]
    [InlineData(DistanceMetric.Jaccard)]
    public void Graphs_of_every_metric_grow_shrink_and_are_saved(DistanceMetric metric)
    {
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "model");
        var values = Sets(700, 18, 3);
        long[] ids = [.. Enumerable.Range(0, 700).Select(i => i * 3L)];
        var learner = new NearestNeighbors { K = 3, Algorithm = NeighborAlgorithm.Hnsw, EfConstruction = 60, Metric = metric, MinkowskiPower = 2.5 };
        var model = learner.Fit(values.AsSpan(0, 500 * 18), 18, ids.AsSpan(0, 500)).Add(values.AsSpan(500 * 18), ids.AsSpan(500)).Remove([.. ids.Where(id => id % 4 == 0)]);
        Assert.True(model.Recall(values) >= 0.95, $"{metric}: recall {model.Recall(values)}.");
        Assert.DoesNotContain(model.SearchMany(values).SelectMany(each => each), neighbor => neighbor.Id % 4 == 0);
        model.Save(path);
        Assert.Equal(model.SearchMany(values), NearestNeighborsModel.Load(path).SearchMany(values));
        var exact = (learner with { Algorithm = NeighborAlgorithm.BruteForce }).Fit(values, 18, ids).Remove([.. ids.Where(id => id % 4 == 0)]);
        Assert.Equal(exact.Search(values.AsSpan(0, 18), id => id > 2000), model.Search(values.AsSpan(0, 18), id => id > 2000));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1e-4)]
    public void The_graph_does_not_depend_on_threads(double spread)
    {
        var rows = RowSet.Of(Clusters(1200, 20, 3, spread), 20, default);
        var (one, two) = (new IndexData(), new IndexData());
        HnswIndex.Build(rows, new(DistanceMetric.Euclidean), 8, 40, 1).Write(one);
        HnswIndex.Build(rows, new(DistanceMetric.Euclidean), 8, 40, 2).Write(two);
        Assert.Equal(one.Ints["links"], two.Ints["links"]);
        Assert.Equal(one.Numbers, two.Numbers);
    }

    [Fact]
    public void Rows_come_and_go()
    {
        var values = Clusters(3000, 16, 4);
        long[] ids = [.. Enumerable.Range(0, 3000).Select(i => (i * 7L) % 3000)];
        var learner = new NearestNeighbors { K = 5, Algorithm = NeighborAlgorithm.Hnsw, EfConstruction = 80, EfSearch = 80 };
        var model = learner.Fit(values.AsSpan(0, 2000 * 16), 16, ids.AsSpan(0, 2000)).Add(values.AsSpan(2000 * 16), ids.AsSpan(2000));
        var queries = Clusters(100, 16, 5);
        Assert.Equal(3000, model.Rows);
        Assert.True(model.Recall(queries) >= 0.96, $"recall {model.Recall(queries)} after rows were added.");
        var removed = ids.Where(id => id % 4 == 0).ToArray();
        var less = model.Remove(removed);
        Assert.Equal(2250, less.Rows);
        Assert.True(less.Recall(queries) >= 0.95, $"recall {less.Recall(queries)} after rows were removed.");
        Assert.DoesNotContain(less.SearchMany(queries).SelectMany(each => each), neighbor => neighbor.Id % 4 == 0);
        Assert.Equal(3000, model.Rows);
        Assert.Equal(500, model.Remove(ids.AsSpan(0, 2500)).Rows);
        Assert.Equal(0, model.Remove(ids).Rows);
    }

    [Fact]
    public void A_filter_that_lets_little_pass_still_gives_all_there_is()
    {
        var model = new NearestNeighbors { K = 10, Algorithm = NeighborAlgorithm.Hnsw, EfConstruction = 40 }.Fit(Clusters(1000, 8, 6), 8);
        var exact = new NearestNeighbors { K = 10 }.Fit(Clusters(1000, 8, 6), 8);
        var query = Clusters(1, 8, 7);
        Assert.Equal(exact.Search(query, id => id % 300 == 1), model.Search(query, id => id % 300 == 1));
        Assert.Equal(exact.Within(query, 1.5), model.Within(query, 1.5));
        Assert.Equal(1000, (model with { K = 1000 }).Search(query).Length);
    }

    [Fact]
    public void Equal_rows_few_rows_and_zeros_are_found()
    {
        var learner = new NearestNeighbors { K = 4, Algorithm = NeighborAlgorithm.Hnsw };
        Assert.Equal(new Neighbor(0, 0), (learner with { K = 1 }).Fit([1, 2], 2).Search([1, 2])[0]);
        Assert.Equal([0, 0, 0, 0], learner.Fit(new float[300], 3).Search([0, 0, 0]).Select(each => each.Distance));
        Assert.Equal([1, 1, 1, 1], (learner with { Metric = DistanceMetric.Cosine }).Fit(new float[300], 3).Search([0, 1, 0]).Select(each => each.Distance));
        var distinct = learner.Fit([.. Enumerable.Repeat(1f, 200), 5, 6], 2);
        Assert.Equal([new Neighbor(100, 0)], distinct.Search([5, 6]).Take(1));
        Assert.All((learner with { Metric = DistanceMetric.Jaccard }).Fit(new float[300], 3).Search([0, 0, 0]), each => Assert.Equal(0, each.Distance));
    }
}
