using Dataflow.MLlib.NeighborGraphs;
using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.Tests.Neighbors;

/// <summary>Approximate neighbours by lists around centres, plain and quantised.</summary>
public sealed class IvfTests
{
    private static float[] Values(int rows, int features, int seed)
    {
        var random = new Random(seed);
        var values = new float[rows * features];
        for (var r = 0; r < rows; r++)
        {
            var center = random.Next(30);
            for (var i = 0; i < features; i++) values[(r * features) + i] = (float)(Math.Sin((center * 7) + (i * 1.3)) + ((random.NextDouble() - 0.5) * 0.8));
        }
        return values;
    }

    [Theory]
    [InlineData(DistanceMetric.Euclidean, 0)]
    [InlineData(DistanceMetric.Cosine, 0)]
    [InlineData(DistanceMetric.InnerProduct, 0)]
    [InlineData(DistanceMetric.Manhattan, 0)]
    [InlineData(DistanceMetric.Chebyshev, 0)]
    [InlineData(DistanceMetric.Minkowski, 0)]
    [InlineData(DistanceMetric.Euclidean, 3)]
    [InlineData(DistanceMetric.Cosine, 6)]
    [InlineData(DistanceMetric.InnerProduct, 6)]
    public void Nearly_all_neighbours_are_found_and_their_distances_are_exact(DistanceMetric metric, int codeBytes)
    {
        var learner = new NearestNeighbors { K = 10, Algorithm = NeighborAlgorithm.Ivf, Lists = 25, Probes = 10, CodeBytes = codeBytes, Metric = metric };
        var (rows, queries) = (Values(1500, 20, 1), Values(60, 20, 2));
        var model = learner.Fit(rows, 20);
        var recall = model.Recall(queries);
        Assert.True(recall >= 0.95, $"{metric}, {codeBytes} bytes: recall {recall}.");
        var exact = (learner with { Algorithm = NeighborAlgorithm.BruteForce }).Fit(rows, 20);
        Assert.Equal(exact.Search(queries.AsSpan(0, 20))[0], model.Search(queries.AsSpan(0, 20))[0]);

        // All lists of unquantised rows are all rows.
        if (codeBytes == 0) Assert.Equal(exact.SearchMany(queries), (model with { Probes = 25 }).SearchMany(queries));
        Assert.Equal(exact.Search(queries.AsSpan(0, 20), id => id % 250 == 3).Take(6), model.Search(queries.AsSpan(0, 20), id => id % 250 == 3));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public void Lists_do_not_depend_on_threads_and_rows_come_and_go(int codeBytes)
    {
        var rows = RowSet.Of(Values(800, 10, 3), 10, default);
        var (one, two) = (new IndexData(), new IndexData());
        IvfIndex.Build(rows, new(DistanceMetric.Euclidean), 0, codeBytes, 4, 1).Write(one);
        IvfIndex.Build(rows, new(DistanceMetric.Euclidean), 0, codeBytes, 4, 2).Write(two);
        Assert.Equal(one.Floats["centers"], two.Floats["centers"]);
        Assert.Equal(one.Ints["order"], two.Ints["order"]);
        if (codeBytes > 0) Assert.Equal(one.Bytes["codes"], two.Bytes["codes"]);

        long[] ids = [.. Enumerable.Range(0, 800).Select(i => i * 3L % 800)];
        var model = new NearestNeighbors { K = 3, Algorithm = NeighborAlgorithm.Ivf, CodeBytes = codeBytes, Probes = 30 }.Fit(rows.Values[..6000], 10, ids.AsSpan(0, 600))
            .Add(rows.Values[6000..], ids.AsSpan(600)).Remove([.. ids.Where(id => id % 5 == 0)]);
        Assert.Equal(640, model.Rows);
        for (var r = 0; r < 800; r += 13)
        {
            var found = model.Search(rows.Row(r));
            if (ids[r] % 5 == 0) Assert.DoesNotContain(found, neighbor => neighbor.Id == ids[r]);
            else Assert.Equal(new Neighbor(ids[r], 0), found[0]);
        }
    }

    [Fact]
    public void What_does_not_suit_is_named()
    {
        var learner = new NearestNeighbors { K = 1, Algorithm = NeighborAlgorithm.Ivf };
        Assert.Contains("lists around means", Assert.Throws<ArgumentException>(() => (learner with { Metric = DistanceMetric.Hamming }).Fit(new float[30], 3)).Message);
        Assert.Contains("CodeBytes be 0", Assert.Throws<ArgumentException>(() => (learner with { Metric = DistanceMetric.Manhattan, CodeBytes = 1 }).Fit(new float[30], 3)).Message);
        Assert.Contains("can't be cut into 4 parts", Assert.Throws<ArgumentException>(() => (learner with { CodeBytes = 4 }).Fit(new float[30], 3)).Message);
        Assert.Equal(new Neighbor(0, 0), (learner with { CodeBytes = 2 }).Fit([1, 2], 2).Search([1, 2])[0]);
    }
}
