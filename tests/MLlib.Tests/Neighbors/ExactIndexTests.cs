using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.Tests.Neighbors;

/// <summary>Exact search against every pair computed one by one.</summary>
public sealed class ExactIndexTests
{
    private static readonly Metric[] Metrics =
    [
        new(DistanceMetric.Euclidean), new(DistanceMetric.SquaredEuclidean), new(DistanceMetric.Cosine), new(DistanceMetric.InnerProduct), new(DistanceMetric.Manhattan),
        new(DistanceMetric.Chebyshev), new(DistanceMetric.Minkowski, 3), new(DistanceMetric.Minkowski, 1.5), new(DistanceMetric.Hamming), new(DistanceMetric.Jaccard),
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
        var random = new Random(17);
        foreach (var features in new[] { 1, 2, 8, 17, 64, 130, 200 })
        {
            var rows = RowSet.Of(NaiveNeighbors.Values(random, random.Next(1, 180), features, kind), features, default);
            foreach (var metric in Metrics)
            {
                // A transcendental function a feature: few features tell as much.
                if (metric.Kind == DistanceMetric.Minkowski && features > 17) continue;
                foreach (var queries in new[] { 1, 9, 33 })
                {
                    var asked = NaiveNeighbors.Values(random, queries, features, kind);
                    var k = random.Next(1, 12);
                    var threads = 1 + random.Next(2);
                    var index = new ExactIndex(rows, metric);
                    var lists = index.Search(asked, new(k, Threads: threads));
                    for (var q = 0; q < queries; q++)
                    {
                        lists.Sort(q);
                        var expected = NaiveNeighbors.Best(rows, metric, asked.AsSpan(q * features, features), k);
                        var found = lists.Positions(q).ToArray().Select((position, i) => (lists.Keys(lists.Queries > 0 ? q : 0)[i], position)).ToArray();
                        Assert.True(expected.AsSpan().SequenceEqual(found),
                            $"{kind}, {metric}, {rows.Count} x {features}, query {q} of {queries}, k {k}: expected {string.Join(" ", expected)}; found {string.Join(" ", found)}");
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData("clusters", "1.25 2.6 3.75 7 16 20 33.3")]
    [InlineData("grid", "1.01 2.5 5 20.5")]
    [InlineData("far", "2.6 7 15.8")]
    [InlineData("tiny", "1.5 2.6 7")]
    [InlineData("huge", "1.5 2.6 7")]
    public void Any_power_rules_out_only_rows_that_are_too_far(string kind, string powers)
    {
        var random = new Random(18);
        foreach (var power in powers.Split(' ').Select(text => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture)))
        {
            foreach (var features in new[] { 3, 16, 37 })
            {
                var rows = RowSet.Of(NaiveNeighbors.Values(random, 150, features, kind), features, default);
                var metric = new Metric(DistanceMetric.Minkowski, power);
                var asked = NaiveNeighbors.Values(random, 5, features, kind);
                var lists = new ExactIndex(rows, metric).Search(asked, new(3));
                for (var q = 0; q < 5; q++)
                {
                    lists.Sort(q);
                    var expected = NaiveNeighbors.Best(rows, metric, asked.AsSpan(q * features, features), 3);
                    var found = lists.Positions(q).ToArray().Select((position, i) => (lists.Keys(q)[i], position)).ToArray();
                    Assert.True(expected.AsSpan().SequenceEqual(found), $"{kind}, power {power}, {features} features: expected {string.Join(" ", expected)}; found {string.Join(" ", found)}");
                }
            }
        }
    }

    [Fact]
    public unsafe void Tiles_of_whole_numbers_and_of_floats_give_the_same_neighbours()
    {
        var random = new Random(41);
        var whole = 0;
        foreach (var kind in new[] { "clusters", "far", "grid", "wide", "tiny", "huge" })
        {
            foreach (var features in new[] { 8, 9, 40, 129, 300 })
            {
                var rows = RowSet.Of(NaiveNeighbors.Values(random, 150, features, kind), features, default);

                // Queries like the rows, and far away from them.
                var asked = NaiveNeighbors.Values(random, 24, features, kind);
                for (var i = 0; i < 8 * features && kind != "huge"; i++) asked[i] *= 300;
                foreach (var metric in new[] { DistanceMetric.Euclidean, DistanceMetric.Cosine, DistanceMetric.InnerProduct })
                {
                    foreach (var allowsWhole in new[] { true, false })
                    {
                        var panels = new Panels(rows, metric, 1, allowsWhole);
                        whole += panels.IsWhole ? 1 : 0;
                        var lists = new NeighborLists(24, 6);
                        fixed (float* queries = asked) new PanelSearch(panels, new RankKeys(new(metric), features), null).Run(queries, 0, 24, 0, panels.Count, lists);
                        for (var q = 0; q < 24; q++)
                        {
                            lists.Sort(q);
                            var expected = NaiveNeighbors.Best(rows, new(metric), asked.AsSpan(q * features, features), 6);
                            Assert.True(expected.Select(each => each.Position).SequenceEqual(lists.Positions(q).ToArray()),
                                $"{kind}, {metric}, {features} features, whole {panels.IsWhole}, query {q}: expected {string.Join(" ", expected)}; found {string.Join(" ", lists.Positions(q).ToArray())}");
                        }
                    }
                }
            }
        }
        Assert.True(whole > 30, $"Only {whole} cases were of whole numbers.");
    }

    [Fact]
    public void Exact_keys_are_the_distances_of_the_definition()
    {
        var random = new Random(3);
        foreach (var features in new[] { 1, 2, 7, 16, 50, 130 })
        {
            var rows = RowSet.Of(NaiveNeighbors.Values(random, 30, features, "clusters"), features, default);
            var query = NaiveNeighbors.Values(random, 2, features, "clusters").AsSpan(features);
            foreach (var metric in Metrics)
            {
                var keys = new RankKeys(metric, features);
                foreach (var (key, position) in NaiveNeighbors.Best(rows, metric, query, 30))
                {
                    var expected = NaiveNeighbors.Distance(metric.Kind, metric.Power, query, rows.Row(position));
                    Assert.True(Math.Abs(keys.ToDistance(key) - expected) <= 1e-12 * Math.Max(1, Math.Abs(expected)), $"{metric}, {features} features: {keys.ToDistance(key):R}, expected {expected:R}");
                }
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    public void All_rows_can_be_asked_for_and_only_those_that_a_filter_lets_pass(int queries)
    {
        var random = new Random(5);
        var rows = RowSet.Of(NaiveNeighbors.Values(random, 500, 12, "clusters"), 12, default);
        var asked = NaiveNeighbors.Values(random, queries, 12, "clusters");
        var index = new ExactIndex(rows, new(DistanceMetric.Euclidean));
        var lists = index.Search(asked, new(500, Filter: id => id % 3 == 1, Threads: 2));
        for (var q = 0; q < queries; q++)
        {
            lists.Sort(q);
            var expected = NaiveNeighbors.Best(rows, index.Metric, asked.AsSpan(q * 12, 12), 500).Where(each => each.Position % 3 == 1).Select(each => each.Position);
            Assert.Equal(expected, lists.Positions(q).ToArray());
        }
    }

    [Fact]
    public void Values_that_are_no_finite_numbers_are_named()
    {
        var message = Assert.Throws<ArgumentException>(() => RowSet.Of([1, 2, 3, float.NaN], 2, default)).Message;
        Assert.Contains("Feature 1 of row 1 is NaN", message);
        Assert.Contains("-Infinity", Assert.Throws<ArgumentException>(() => RowSet.Of([float.NegativeInfinity], 1, default)).Message.Replace("-∞", "-Infinity"));
        Assert.Contains("Id 7 is there twice", Assert.Throws<ArgumentException>(() => RowSet.Of([1, 2], 1, [7, 7])).Message);
        Assert.Contains("no whole number", Assert.Throws<ArgumentException>(() => RowSet.Of([1, 2, 3], 2, default)).Message);
    }

    [Theory]
    [InlineData("avx512")]
    [InlineData("avx2")]
    public void Bits_do_not_depend_on_the_instruction_set(string set) => Assert.Equal(NeighborChecks.Exact(), Program.RunWithout(set, "neighbors"));
}
