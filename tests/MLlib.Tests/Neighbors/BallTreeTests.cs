using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.Tests.Neighbors;

/// <summary>The ball tree gives what every pair computed one by one gives, bit for bit.</summary>
public sealed class BallTreeTests
{
    private static readonly Metric[] Metrics =
    [
        new(DistanceMetric.Euclidean), new(DistanceMetric.SquaredEuclidean), new(DistanceMetric.Manhattan), new(DistanceMetric.Chebyshev),
        new(DistanceMetric.Minkowski, 3), new(DistanceMetric.Minkowski, 1.5), new(DistanceMetric.Hamming), new(DistanceMetric.Jaccard),
    ];

    [Theory]
    [InlineData("clusters")]
    [InlineData("grid")]
    [InlineData("far")]
    [InlineData("wide")]
    [InlineData("tiny")]
    [InlineData("huge")]
    public void Every_metric_gives_the_neighbours_of_the_definition_bit_for_bit(string kind)
    {
        var random = new Random(23);
        foreach (var features in new[] { 1, 3, 8, 20 })
        {
            foreach (var count in new[] { 1, 32, 500 })
            {
                var rows = RowSet.Of(NaiveNeighbors.Values(random, count, features, kind), features, default);
                foreach (var metric in Metrics)
                {
                    var asked = NaiveNeighbors.Values(random, 8, features, kind);
                    var k = random.Next(1, 12);
                    var lists = new BallTreeIndex(rows, metric).Search(asked, new(k, Threads: 2));
                    for (var q = 0; q < 8; q++)
                    {
                        lists.Sort(q);
                        var expected = NaiveNeighbors.Best(rows, metric, asked.AsSpan(q * features, features), k);
                        var keys = lists.Keys(q).ToArray();
                        var found = lists.Positions(q).ToArray().Select((position, i) => (keys[i], position)).ToArray();
                        Assert.True(expected.AsSpan().SequenceEqual(found), $"{kind}, {metric}, {count} x {features}, query {q}, k {k}: expected {string.Join(" ", expected)}; found {string.Join(" ", found)}");
                    }
                }
            }
        }
    }

    [Fact]
    public void It_is_chosen_for_few_features_and_answers_filters_and_radii()
    {
        var random = new Random(2);
        var values = NaiveNeighbors.Values(random, 3000, 3, "clusters");
        var tree = new NearestNeighbors { K = 4 }.Fit(values, 3);
        var brute = new NearestNeighbors { K = 4, Algorithm = NeighborAlgorithm.BruteForce }.Fit(values, 3);
        Assert.Equal(NeighborAlgorithm.BallTree, tree.Algorithm);
        Assert.Equal(NeighborAlgorithm.BruteForce, new NearestNeighbors { Metric = DistanceMetric.Cosine }.Fit(values, 3).Algorithm);
        var queries = NaiveNeighbors.Values(random, 100, 3, "clusters");
        Assert.Equal(brute.SearchMany(queries, id => id % 7 == 0), tree.SearchMany(queries, id => id % 7 == 0));
        Assert.Equal(brute.Within(queries.AsSpan(0, 3), 0.3), tree.Within(queries.AsSpan(0, 3), 0.3));
    }
}
