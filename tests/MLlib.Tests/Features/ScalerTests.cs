using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Features;

/// <summary>Scalers, buckets and exact quantiles.</summary>
public sealed class ScalerTests
{
    private static readonly System.Text.Json.JsonElement Peer = PeerFile.Open("features.json");

    [Fact]
    public void Scaled_features_are_those_of_scikit_learn()
    {
        using var context = DataflowContext.Local(2);
        using var folder = new TempDirectory();
        foreach (var (estimator, input, expected) in new (Estimator, string, string)[]
        {
            (new MinMaxScaler { InputColumns = ["a", "b", "c"], Minimum = -1, Maximum = 2 }, "missing", "minMax"),
            (new MaxAbsScaler { InputColumns = ["a", "b", "c", "d"] }, "missing", "maxAbs"),
            (new RobustScaler { InputColumns = ["a", "b", "c", "d"], Lower = 0.1, Upper = 0.9 }, "missing", "robust"),
            (new StandardScaler { InputColumns = ["a", "b", "c", "d"] }, "whole", "standard"),
        })
        {
            var frame = Frame(context, input, 3);
            var model = new Pipeline(estimator).Fit(frame);
            model.Save(Path.Combine(folder.Path, expected));
            var scaled = PipelineModel.Load(Path.Combine(folder.Path, expected)).Transform(frame).Collect().Select(row => row.Get<Vector>("scaled").ToArray()).ToArray();
            var rows = Peer.GetProperty(expected).Rows();
            for (var i = 0; i < rows.Length; i++) PeerFile.AssertClose(rows[i], scaled[i], 1e-11);
        }
    }

    [Fact]
    public void What_they_learn_is_the_same_for_any_partitions()
    {
        using var context = DataflowContext.Local(2);
        string? first = null;
        foreach (var partitions in new[] { 1, 2, 7, 150 })
        {
            var frame = Frame(context, "missing", partitions);
            var robust = new RobustScaler { InputColumns = ["a", "b", "c", "d"] }.Fit(frame);
            var range = new MinMaxScaler { InputColumns = ["a", "b", "c", "d"] }.Fit(frame);
            var buckets = new QuantileDiscretizer { InputColumns = ["a", "b", "c"], Buckets = 7 }.Fit(frame);
            var learned = string.Join('|', string.Join(',', robust.Medians.ToArray()), string.Join(',', robust.Ranges.ToArray()), string.Join(',', range.Least.ToArray()), buckets);
            Assert.Equal(first ??= learned, learned);
        }
    }

    [Fact]
    public void Sparse_vectors_are_scaled_as_they_are_stored_and_like_dense_ones()
    {
        using var context = DataflowContext.Local(2);
        const int Size = 200_000;
        var wide = context.Range(0, 1_000, partitions: 3).Map(static i => ValueTuple.Create(Vector.Sparse(Size, [(int)i, 50_000 + (int)(i * 70)], [-i - 1.0, 4]))).ToDataFrame().ToDataFrame("features");
        var scaled = new MaxAbsScaler().Fit(wide).Transform(wide).Collect().Select(row => row.Get<Vector>("scaled")).ToArray();
        Assert.All(scaled, vector => Assert.Equal(2, vector.StoredCount));
        Assert.Equal((-1.0, 1.0), (scaled[7][7], scaled[7][50_490]));

        Vector[] mixed = [Vector.Sparse(3, [1], [5]), Vector.Dense(1.0, -10, double.NaN), Vector.Dense([2f, 0, 4])];
        var narrow = context.FromRecords(mixed.Select(vector => (features: vector, a: vector[0], b: vector[1], c: vector[2])), 2).ToDataFrame("features", "a", "b", "c");
        foreach (var (byVector, byColumns) in new (Estimator, Estimator)[]
        {
            (new MaxAbsScaler { OutputColumn = "v" }, new MaxAbsScaler { InputColumns = ["a", "b", "c"], OutputColumn = "n" }),
            (new MinMaxScaler { OutputColumn = "v" }, new MinMaxScaler { InputColumns = ["a", "b", "c"], OutputColumn = "n" }),
            (new RobustScaler { OutputColumn = "v", WithCentering = false }, new RobustScaler { InputColumns = ["a", "b", "c"], OutputColumn = "n", WithCentering = false }),
        })
            Assert.All(new Pipeline(byVector, byColumns).Fit(narrow).Transform(narrow).Collect(), row => Assert.Equal(row.Get<Vector>("n"), row.Get<Vector>("v")));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(10)]
    public void Quantile_buckets_are_those_of_scikit_learn(int count)
    {
        using var context = DataflowContext.Local(2);
        using var folder = new TempDirectory();
        var frame = Frame(context, "whole", 3);
        new QuantileDiscretizer { InputColumns = ["a", "b"], Buckets = count }.Fit(frame).Save(Path.Combine(folder.Path, "b"));
        var bucketizer = PipelineStage.Load<Bucketizer>(Path.Combine(folder.Path, "b"));
        var edges = Peer.GetProperty("edges").GetProperty($"{count}").Rows();
        for (var i = 0; i < 2; i++) PeerFile.AssertClose(edges[i][1..^1], [.. bucketizer.Splits[i].Skip(1).SkipLast(1)], 1e-14);
        var buckets = bucketizer.Transform(frame).Collect().Select(row => new[] { (double)row["a_bucket"]!, (double)row["b_bucket"]! });
        Assert.Equal(Peer.GetProperty("buckets").GetProperty($"{count}").Rows(), buckets);
    }

    [Theory]
    [InlineData(1, 1 << 21)]
    [InlineData(2, 10_000)]
    [InlineData(5, 10)]
    [InlineData(5, 0)]
    public async Task Quantiles_of_large_data_are_found_digit_by_digit(int partitions, int mostGathered)
    {
        const int Rows = 200_000;
        using var context = DataflowContext.Local(2);
        // Far apart, close together, many equal, negative and tiny ones.
        var frame = context.Range(0, Rows, partitions: partitions).Map(static i => Value(i)).ToDataFrame();
        var expected = Enumerable.Range(0, Rows).Select(i => Value(i)).ToArray();
        double[] shares = [0, 0.001, 0.25, 0.5, 0.777, 1];
        var columns = Data.FeatureColumns.Of(frame, ["Item1", "Item2", "Item3"], "test");
        var found = await Data.Quantiles.OfAsync(frame, columns, shares, "test", default, mostGathered);
        for (var feature = 0; feature < 3; feature++)
        {
            double[] sorted = [.. expected.Select(value => feature switch { 0 => value.Item1, 1 => value.Item2, _ => value.Item3 }).Where(value => !double.IsNaN(value)).Order()];
            var wanted = shares.Select(share =>
            {
                var place = share * (sorted.Length - 1);
                var (low, high) = (sorted[(int)Math.Floor(place)], sorted[(int)Math.Ceiling(place)]);
                return low == high ? low : low + ((place - Math.Floor(place)) * (high - low));
            });
            Assert.Equal(wanted, found[feature]);
        }
    }

    [Fact]
    public void Buckets_take_their_lower_ends_and_the_last_both()
    {
        using var context = DataflowContext.Local(1);
        var bucketizer = new Bucketizer { InputColumns = ["value"], Splits = [[0, 1, 2.5, 10]] };
        Assert.Equal([0.0, 0, 1, 1, 2, 2], bucketizer.Transform(context.FromRecords([0, 0.99, 1, 2.49, 2.5, 10])).Collect().Select(row => (double)row["value_bucket"]!));
        var missing = context.FromRecords(new double?[] { 1, null, double.NaN });
        Assert.Contains("null or NaN", Assert.ThrowsAny<DataflowException>(() => bucketizer.Transform(missing).Collect()).ToString());
        Assert.Equal([1.0, 3, 3], (bucketizer with { HandleInvalid = InvalidValues.Keep }).Transform(missing).Collect().Select(row => (double)row["value_bucket"]!));
        Assert.Single((bucketizer with { HandleInvalid = InvalidValues.Skip }).Transform(missing).Collect());
        Assert.Contains("holds -1, outside", Assert.ThrowsAny<DataflowException>(() => bucketizer.Transform(context.FromRecords([-1])).Collect()).ToString());
        Assert.Contains("ascend", Assert.Throws<ArgumentException>(() => new Bucketizer { Splits = [[1, 1, 2]] }).Message);
        Assert.Contains("three or more", Assert.Throws<ArgumentException>(() => new Bucketizer { Splits = [[1, 2]] }).Message);
    }

    [Fact]
    public void One_row_a_constant_and_nothing_at_all()
    {
        using var context = DataflowContext.Local(1);
        var one = context.FromRecords([3.0]);
        var scaled = new Pipeline(new MinMaxScaler { InputColumns = ["value"], OutputColumn = "m" }, new RobustScaler { InputColumns = ["value"], OutputColumn = "r" },
            new MaxAbsScaler { InputColumns = ["value"], OutputColumn = "a" }, new StandardScaler { InputColumns = ["value"], OutputColumn = "s" }).Fit(one).Transform(one).Collect()[0];
        Assert.Equal(["[0.5]", "[0]", "[1]", "[0]"], new[] { "m", "r", "a", "s" }.Select(name => scaled[name]!.ToString()));
        var empty = one.Where("value > 5");
        foreach (var estimator in new Estimator[] { new MinMaxScaler { InputColumns = ["value"] }, new RobustScaler { InputColumns = ["value"] }, new MaxAbsScaler { InputColumns = ["value"] }, new QuantileDiscretizer { InputColumns = ["value"] } })
            Assert.Contains("without rows", Assert.ThrowsAny<DataflowException>(() => new Pipeline(estimator).Fit(empty)).Message);
        Assert.Contains("infinite", Assert.ThrowsAny<DataflowException>(() => new MinMaxScaler { InputColumns = ["value"] }.Fit(context.FromRecords([1, double.NegativeInfinity]))).ToString());
        Assert.Contains("infinite", Assert.ThrowsAny<DataflowException>(() => new RobustScaler { InputColumns = ["value"] }.Fit(context.FromRecords([1, double.NegativeInfinity]))).ToString());
    }

    private static (double, double, double) Value(long i)
    {
        var random = MLlib.Numerics.RowHash.Uniform(3, i, 0);
        return (i % 10 == 0 ? double.NaN : Math.ScaleB(random - 0.5, (int)(i % 200) - 100), 1e6 + (random * 1e-3), i % 3 == 0 ? -0.0 : i % 7);
    }

    private static DataFrame Frame(DataflowContext context, string name, int partitions) =>
        context.FromRecords(Peer.GetProperty(name).Rows().Select(row => (row[0], row[1], row[2], row[3])), partitions).ToDataFrame("a", "b", "c", "d");
}
