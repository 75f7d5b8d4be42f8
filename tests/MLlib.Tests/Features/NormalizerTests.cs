namespace Dataflow.MLlib.Tests.Features;

/// <summary>Steps that learn nothing: vectors of length 1, and numbers above a threshold.</summary>
public sealed class NormalizerTests
{
    private static readonly Vector[] Vectors =
    [
        Vector.Dense(3, -4, 0), Vector.Sparse(3, [1], [-2]), Vector.Dense([1f, 2, 2]), Vector.Dense(0, 0, 0), Vector.Sparse(3, [], []),
        Vector.Dense(1e200, -1e200, 0), Vector.Dense(3e-200, 4e-200, 0), Vector.Sparse(3, [0, 2], [1, -1]),
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3.5)]
    [InlineData(200)]
    [InlineData(double.PositiveInfinity)]
    public void Vectors_get_the_norm_1_and_sparse_ones_stay_sparse(double p)
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(Vectors, 1).ToDataFrame("features");
        var found = new Normalizer { P = p }.Transform(frame).Collect().Select(row => row.Get<Vector>("normalized")).ToArray();
        for (var i = 0; i < Vectors.Length; i++)
        {
            var (given, made) = (Vectors[i].ToArray(), found[i].ToArray());
            var largest = given.Max(Math.Abs);
            var norm = largest == 0 ? 1 : double.IsInfinity(p) ? 1 : Math.Pow(given.Sum(value => Math.Pow(Math.Abs(value) / largest, p)), 1 / p);
            for (var j = 0; j < 3; j++) Assert.Equal(largest == 0 ? 0 : given[j] / largest / norm, made[j], 1e-13);
            if (Vectors[i].IsSparse) Assert.True(found[i].IsSparse);
        }
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(1.5)]
    [InlineData(-1.5)]
    public void Numbers_and_vectors_above_a_threshold_become_1(double threshold)
    {
        using var context = DataflowContext.Local(1);
        double?[] numbers = [1.5, 1.6, -3, 0, null, double.NaN, 7, -1];
        var frame = context.FromRecords(Vectors.Zip(numbers, (V, X) => (V, X)), 1).ToDataFrame("V", "X");
        var rows = new Binarizer { InputColumns = ["V", "X"], Threshold = threshold }.Transform(frame).Collect();
        for (var i = 0; i < rows.Count; i++)
        {
            Assert.Equal(Vectors[i].ToArray().Select(value => value > threshold ? 1.0 : 0), rows[i].Get<Vector>("V_binary").ToArray());
            Assert.Equal(numbers[i] is null or double.NaN ? null : numbers[i] > threshold ? 1.0 : 0, rows[i].Get<double?>("X_binary"));
            if (Vectors[i].IsSparse && threshold >= 0) Assert.True(rows[i].Get<Vector>("V_binary").IsSparse);
        }
    }

    [Fact]
    public void What_does_not_fit_is_a_named_error()
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords([(V: Vector.Dense(1, double.PositiveInfinity), X: 1.0)], 1).ToDataFrame("features", "X");
        Assert.Contains("'features' holds an infinite number", Assert.Throws<QueryException>(() => new Normalizer().Transform(frame).Collect()).Message, StringComparison.Ordinal);
        Assert.Contains("takes vectors", Assert.Throws<QueryException>(() => new Normalizer { InputColumn = "X" }.Transform(frame)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Normalizer { P = 0.5 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new Binarizer { Threshold = double.NaN });
    }

    [Fact]
    public void A_wide_sparse_frame_is_learned_from_and_scaled_without_spreading_it_out()
    {
        using var context = DataflowContext.Local(2);
        const int Size = 300_000;
        var wide = context.Range(0, 500, partitions: 2).Map(static i => ValueTuple.Create(Vector.Sparse(Size, [(int)i, 50_000 + (int)(i * 70)], [-i - 1.0, 4]))).ToDataFrame().ToDataFrame("features");
        foreach (var scaler in new[] { new StandardScaler { WithMean = false } })
        {
            var scaled = scaler.Fit(wide).Transform(wide).Collect().Select(row => row.Get<Vector>("scaled")).ToArray();
            Assert.All(scaled, vector => Assert.Equal(2, vector.StoredCount));
            Assert.Equal(-Math.Sqrt(500), scaled[6][6], 1e-9);
        }
        var few = context.FromRecords(Vectors[..2].Append(Vector.Sparse(3, [0], [5])), 1).ToDataFrame("features");
        Assert.All(new RobustScaler { WithCentering = false }.Fit(few).Transform(few).Collect().Skip(1), row => Assert.True(row.Get<Vector>("scaled").IsSparse));
    }
}
