namespace Dataflow.Engine.Tests.Rdds;

// Actions of Rdds of numbers, and those that answer with bounds.
public abstract partial class RddContract
{
    private static readonly TimeSpan Ample = TimeSpan.FromMinutes(2);

    [Fact]
    public void Sum_adds_numbers_of_any_type()
    {
        Assert.Equal(4950, Context.Parallelize(Enumerable.Range(0, 100), 7).Sum());
        Assert.Equal(4950L, Context.Range(0, 100, partitions: 7).Sum());
        Assert.Equal(1.1m, Context.Parallelize([0.1m, 0.2m, 0.8m], 2).Sum());
        Assert.Equal(0.75, Context.Parallelize([0.25, 0.5], 2).Sum());
        Assert.Equal(0, Context.Parallelize<int>([], 3).Sum());
        Assert.Equal(double.NaN, Context.Parallelize([1, double.NaN], 2).Sum());
    }

    [Fact]
    public void A_sum_that_does_not_fit_fails_instead_of_wrapping()
    {
        var error = Failure(() => Context.Parallelize([int.MaxValue, 1], 1).Sum());
        Threw<OverflowException>(error);
        Assert.Contains("next:  the numbers are too large", error.Message);

        // Here only the partial sums overflow, on the driver.
        Assert.Throws<OverflowException>(() => Context.Parallelize([int.MaxValue, 1], 2).Sum());
    }

    [Fact]
    public void Statistics_are_those_of_the_formulas()
    {
        var random = new Random(8);
        var numbers = Enumerable.Range(0, 5000).Select(_ => 1e6 + random.NextDouble()).ToArray();
        var rdd = Context.Parallelize(numbers, 9);
        var mean = numbers.Average();
        var squares = numbers.Sum(number => (number - mean) * (number - mean));
        var stats = rdd.Stats();
        Assert.Equal(5000, stats.Count);
        Assert.Equal(numbers.Min(), stats.Min);
        Assert.Equal(numbers.Max(), stats.Max);
        Close(mean, stats.Mean);
        Close(numbers.Sum(), stats.Sum);
        Close(mean, rdd.Mean());
        Close(squares / 5000, rdd.Variance());
        Close(squares / 4999, rdd.SampleVariance());
        Close(Math.Sqrt(squares / 5000), rdd.StandardDeviation());
        Close(Math.Sqrt(squares / 4999), rdd.SampleStandardDeviation());
        Assert.Equal(stats, rdd.Stats());
        Assert.Equal(2.5, Context.Parallelize([1, 2, 3, 4], 3).Mean());
        Assert.Equal(1.25, Context.Parallelize([1L, 2, 3, 4], 3).Variance());

        static void Close(double expected, double actual) => Assert.InRange(actual, expected - Math.Abs(expected) * 1e-9, expected + Math.Abs(expected) * 1e-9);
    }

    [Fact]
    public void Statistics_of_too_few_numbers_are_NaN()
    {
        var none = Context.Parallelize<double>([], 3);
        Assert.Equal(Statistics.Empty, none.Stats());
        Assert.Equal(double.NaN, none.Mean());
        Assert.Equal(double.NaN, none.Variance());
        Assert.Equal(double.NaN, none.SampleVariance());
        var one = Context.Parallelize([5.0], 3);
        Assert.Equal(5, one.Mean());
        Assert.Equal(0, one.Variance());
        Assert.Equal(double.NaN, one.SampleVariance());
        Assert.Equal(double.NaN, one.SampleStandardDeviation());
    }

    [Fact]
    public void A_histogram_spaces_its_buckets_evenly_and_closes_the_last()
    {
        var (edges, counts) = Context.Parallelize(Enumerable.Range(0, 101).Select(i => (double)i), 4).Histogram(4);
        Assert.Equal([0, 25, 50, 75, 100], edges);
        Assert.Equal([25, 25, 25, 26], counts);

        (edges, counts) = Context.Parallelize([3, 3, 3], 2).Histogram(5);
        Assert.Equal([3, 3], edges);
        Assert.Equal([3], counts);

        (edges, counts) = Context.Parallelize([1L, 2, 4], 2).Histogram(1);
        Assert.Equal([1, 4], edges);
        Assert.Equal([3], counts);

        (edges, counts) = Context.Parallelize([-double.MaxValue, 0, double.MaxValue], 2).Histogram(2);
        Assert.Equal([-double.MaxValue, 0, double.MaxValue], edges);
        Assert.Equal([1, 2], counts);
    }

    [Fact]
    public void A_histogram_with_given_edges_leaves_out_what_lies_outside_and_NaN()
    {
        double[] numbers = [-1, 0, 0.5, 1, 9.999, 10, 10.001, double.NaN, double.PositiveInfinity, double.NegativeInfinity, 5];
        var rdd = Context.Parallelize(numbers, 3);
        Assert.Equal([2, 4], rdd.Histogram([0, 1, 10]));
        Assert.Equal([6], rdd.Histogram([0, 10]));
        Assert.Equal([3, 3], rdd.Histogram([0, 5, 10]));
        Assert.Equal([3, 2, 2, 3], rdd.Histogram([double.NegativeInfinity, 0.25, 5, 10, double.PositiveInfinity]));
        Assert.Equal([1], Context.Parallelize([1, 2, 3], 2).Histogram([2, 2]));
    }

    [Fact]
    public void Every_number_falls_into_the_bucket_between_its_edges()
    {
        var random = new Random(12);
        for (var round = 0; round < 20; round++)
        {
            var numbers = Enumerable.Range(0, 200).Select(_ => random.Next(0, 30) * 0.1).ToArray();
            var low = random.Next(0, 10) * 0.1;
            var edges = Enumerable.Range(0, random.Next(2, 12)).Select(i => low + i * 0.1).ToArray();
            var expected = new long[edges.Length - 1];
            foreach (var number in numbers)
            {
                for (var i = 0; i < expected.Length; i++)
                {
                    if (number >= edges[i] && (number < edges[i + 1] || (i == expected.Length - 1 && number == edges[i + 1]))) expected[i]++;
                }
            }
            Assert.Equal(expected, Context.Parallelize(numbers, 2).Histogram(edges));
        }
    }

    [Fact]
    public void A_histogram_that_can_not_be_spaced_is_refused()
    {
        foreach (var bad in new[] { double.NaN, double.PositiveInfinity, double.NegativeInfinity })
            Assert.Contains("can't space buckets", Assert.Throws<InvalidOperationException>(() => Context.Parallelize([1, bad], 2).Histogram(3)).Message);
        var rdd = Context.Parallelize([1.0, 2], 2);
        Assert.Throws<ArgumentOutOfRangeException>(() => rdd.Histogram(0));
        foreach (var edges in new double[][] { [], [1], [2, 1], [1, 1, 2], [1, 3, 2], [1, double.NaN], [double.NaN, 1] })
            Assert.Throws<ArgumentException>(() => rdd.Histogram(edges));
    }

    [Fact]
    public void Approximate_actions_are_exact_when_all_partitions_end_in_time()
    {
        var rdd = Context.Parallelize([0.1, 0.2, 0.3, 0.7], 3);
        Assert.Equal(new BoundedValue(4, 1, 4, 4), rdd.CountApprox(Ample));
        Assert.Equal(rdd.Sum(), rdd.SumApprox(Ample).Estimate);
        Assert.True(rdd.SumApprox(Ample).IsExact);
        Assert.Equal(rdd.Mean(), rdd.MeanApprox(Ample).Estimate);
        Assert.True(rdd.MeanApprox(Ample).IsExact);
        var byValue = Context.Parallelize(["a", "b", "a"], 2).CountByValueApprox(Ample);
        Assert.Equal(new BoundedValue(2, 1, 2, 2), byValue["a"]);
        Assert.Equal(new BoundedValue(1, 1, 1, 1), byValue["b"]);
        Assert.Equal(new BoundedValue(8, 1, 8, 8), Sevens().CountByKeyApprox(Ample)[0]);
        Assert.Equal(new BoundedValue(0, 1, 0, 0), Context.Parallelize<int>([], 2).CountApprox(Ample));
        foreach (var confidence in new[] { 0, 1, -0.5, 1.5, double.NaN })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => rdd.CountApprox(Ample, confidence));
            Assert.Throws<ArgumentOutOfRangeException>(() => rdd.SumApprox(Ample, confidence));
            Assert.Throws<ArgumentOutOfRangeException>(() => rdd.MeanApprox(Ample, confidence));
            Assert.Throws<ArgumentOutOfRangeException>(() => rdd.CountByValueApprox(Ample, confidence));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(50_000)]
    public void CountApproxDistinct_is_within_its_error(int distinct)
    {
        var rdd = Context.Range(0, distinct * 2L, partitions: 4).Map(i => $"{i % Math.Max(1, distinct)}");
        foreach (var error in new[] { 0.05, 0.01 })
            Assert.InRange(rdd.CountApproxDistinct(error), distinct * (1 - 4 * error), distinct * (1 + 4 * error));
        Assert.Equal(rdd.CountApproxDistinct(), rdd.Repartition(3).CountApproxDistinct());
        foreach (var error in new[] { 0, -1, 0.6, 0.001, double.NaN })
            Assert.Throws<ArgumentOutOfRangeException>(() => rdd.CountApproxDistinct(error));
    }

    [Fact]
    public void CountApproxDistinctByKey_counts_the_values_of_each_key()
    {
        var pairs = Context.Range(0, 9000, partitions: 3).Map(static i => (Key: i % 2 == 0 ? "few" : "many", Value: i % 2 == 0 ? i % 20 : i));
        var counts = pairs.CountApproxDistinctByKey(0.02, 2);
        for (var run = 0; run < 2; run++)
        {
            var map = counts.CollectAsMap();
            Assert.Equal(10, map["few"]);
            Assert.InRange(map["many"], 4500 * 0.92, 4500 * 1.08);
        }
    }

    [Fact]
    public void An_approximate_action_takes_any_time_that_is_not_negative()
    {
        var rdd = Context.Range(0, 10, partitions: 2);
        Assert.True(rdd.CountApprox(TimeSpan.MaxValue).IsExact);
        Assert.True(rdd.CountApprox(Timeout.InfiniteTimeSpan).IsExact);
        Assert.Equal("timeout", Assert.Throws<ArgumentOutOfRangeException>(() => rdd.CountApprox(TimeSpan.FromSeconds(-1))).ParamName);
    }

    [Fact]
    public void What_a_verb_cannot_work_with_is_not_called_a_fault_of_Dataflow()
    {
        var two = Context.Parallelize([1, 2], 1);
        Action[] actions =
        [
            () => two.Zip(Context.Parallelize([1], 1)).Count(), () => two.FlatMap(static _ => (int[])null!).Count(),
            () => two.MapPartitions(static _ => (IEnumerable<int>)null!).Count(),
        ];
        foreach (var action in actions) Assert.DoesNotContain("fault of Dataflow", Failure(action).Message, StringComparison.Ordinal);
    }
}
