using Dataflow.Sql.Expressions;
using static Dataflow.Sql.Tests.Kernels.AggregateRig;
using static Dataflow.Sql.Tests.Kernels.KernelRig;

namespace Dataflow.Sql.Tests.Kernels;

public sealed class AggregateTests
{
    private const int Seed = 11;
    private readonly int[] _groups = [.. Enumerable.Range(0, 3000).Select(i => i % 17 == 0 ? -1 : i * 7 % 4)];

    [Fact]
    public void Integers_are_summed_exactly_and_averaged()
    {
        using var rig = new KernelRig();
        var values = Values(random => random.NextInt64(-1_000_000, 1_000_000));
        var column = rig.Column("v", DataType.BigInt, values);
        Assert.Equal(ByGroup(values, each => (object?)each.Sum(value => (long)value)), Run(rig, CallOf("sum", column), _groups, 5));
        Assert.Equal(ByGroup(values, each => (object?)each.Average(value => (long)value)), Run(rig, CallOf("avg", column), _groups, 5));
        Assert.Equal(ByGroup(values, each => (object?)each.Min(value => (long)value)), Run(rig, CallOf("min", column), _groups, 5));
        Assert.Equal(ByGroup(values, each => (object?)each.Max(value => (long)value)), Run(rig, CallOf("max", column), _groups, 5));
        Assert.Equal(ByGroup(values, each => (long)each.Count).Select(each => each ?? 0L), Run(rig, CallOf("count", column), _groups, 5));
        Assert.Equal([.. Enumerable.Range(0, 5).Select(g => (object)(long)_groups.Count(each => each == g))], Run(rig, CallOf("count"), _groups, 5));
    }

    [Fact]
    public void Sums_of_large_decimals_are_exact_in_128_bits()
    {
        using var rig = new KernelRig();
        var values = Values(random => (Int128)random.NextInt64(900_000_000_000_000_000, 999_999_999_999_999_999) * (random.Next(2) * 2 - 1));
        var column = rig.Column("v", DataType.Decimal(18, 2), values);
        var call = CallOf("sum", column);
        Assert.Equal(DataType.Decimal(28, 2), call.Type);
        Assert.Equal(ByGroup(values, each => (object?)each.Aggregate((Int128)0, (sum, value) => sum + (Int128)value)), Run(rig, call, _groups, 5));
        var wide = CastTo(column, DataType.Decimal(38, 2));
        Assert.Equal(ByGroup(values, each => (object?)each.Aggregate((Int128)0, (sum, value) => sum + (Int128)value)), Run(rig, CallOf("sum", wide), _groups, 5));
        var average = CallOf("avg", column);
        Assert.Equal(DataType.Decimal(22, 6), average.Type);
        Assert.Equal(ByGroup(values, each => (object?)Rounded(each.Aggregate((Int128)0, (sum, value) => sum + (Int128)value) * 10_000, each.Count)), Run(rig, average, _groups, 5));
    }

    [Fact]
    public void Floating_point_numbers_are_summed_and_NaN_is_the_largest()
    {
        using var rig = new KernelRig();
        var values = Values(random => random.Next(50) == 0 ? double.NaN : random.NextDouble() - 0.5);
        var column = rig.Column("v", DataType.Double, values);
        Assert.Equal(ByGroup(values, _ => (object?)double.NaN), Run(rig, CallOf("max", column), _groups, 5));
        Assert.Equal(ByGroup(values, each => (object?)each.Where(value => !double.IsNaN((double)value)).Min(value => (double)value)), Run(rig, CallOf("min", column), _groups, 5));
        var finite = Values(random => random.NextDouble() - 0.5);
        var other = rig.Column("w", DataType.Double, finite);
        var sums = Run(rig, CallOf("sum", other), _groups, 5);
        Assert.All(ByGroup(finite, each => (object?)each.Sum(value => (double)value)).Zip(sums), pair => Assert.Equal((double?)pair.First ?? 0, (double?)pair.Second ?? 0, 1e-9));
    }

    [Fact]
    public void Text_has_a_smallest_and_a_largest()
    {
        using var rig = new KernelRig();
        var values = Values(random => new string((char)('a' + random.Next(26)), random.Next(20)) + random.Next(1000));
        var column = rig.Column("v", DataType.String, values);
        Assert.Equal(ByGroup(values, each => (object?)each.Select(value => (string)value).Min(StringComparer.Ordinal)), Run(rig, CallOf("min", column), _groups, 5));
        Assert.Equal(ByGroup(values, each => (object?)each.Select(value => (string)value).Max(StringComparer.Ordinal)), Run(rig, CallOf("max", column), _groups, 5));
    }

    [Fact]
    public void Deviations_and_correlations_agree_with_their_definitions()
    {
        using var rig = new KernelRig();
        var values = Values(random => 1e6 + random.NextDouble());
        var x = rig.Column("x", DataType.Double, values);
        var y = rig.Column("y", DataType.Double, [.. values.Select((value, i) => value is null ? null : (object?)((double)value * 3 + i % 5))]);
        Near(ByGroup(values, each => Math.Sqrt(Variance(each) / (each.Count - 1))), Run(rig, CallOf("stddev_samp", x), _groups, 5));
        Near(ByGroup(values, each => Variance(each) / each.Count), Run(rig, CallOf("var_pop", x), _groups, 5));
        var correlations = Run(rig, CallOf("corr", x, y), _groups, 5);
        Near(Run(rig, CallOf("covar_pop", x, y), _groups, 5).Select((covariance, i) => covariance is null ? null
            : (object?)((double)covariance / Math.Sqrt((double)Run(rig, CallOf("var_pop", x), _groups, 5)[i]! * (double)Run(rig, CallOf("var_pop", y), _groups, 5)[i]!))), correlations);
        Assert.Null(correlations[4]);

        static double Variance(List<object> values)
        {
            var mean = values.Average(value => (double)value);
            return values.Sum(value => ((double)value - mean) * ((double)value - mean));
        }

        static void Near(IEnumerable<object?> expected, object?[] actual) =>
            Assert.All(expected.Zip(actual), pair => Assert.True(pair.First is null ? pair.Second is null : Math.Abs((double)pair.First - (double)pair.Second!) < 1e-6, $"{pair}"));
    }

    [Fact]
    public void Conditions_are_counted_and_joined()
    {
        using var rig = new KernelRig();
        var values = Values(random => random.Next(3) == 0);
        var column = rig.Column("v", DataType.Boolean, values);
        Assert.Equal(ByGroup(values, each => (object?)(long)each.Count(value => (bool)value)).Select(each => each ?? 0L), Run(rig, CallOf("count_if", column), _groups, 5));
        Assert.Equal(ByGroup(values, _ => true), Run(rig, CallOf("bool_or", column), _groups, 5));
        Assert.Equal(ByGroup(values, _ => false), Run(rig, CallOf("bool_and", column), _groups, 5));
        Assert.Equal(ByGroup(values, _ => true), Run(rig, CallOf("max", column), _groups, 5));
    }

    [Fact]
    public void A_value_is_picked_by_where_its_row_stands()
    {
        using var rig = new KernelRig();
        var keys = Enumerable.Range(0, 3000).Select(i => (object?)(i * 7919 % 3001)).ToArray();
        var names = keys.Select(key => (object?)("a name long enough to lie elsewhere " + key)).ToArray();
        var key = rig.Column("k", DataType.Int, keys);
        var name = rig.Column("n", DataType.String, names);
        Assert.Equal(ByGroup(keys, each => "a name long enough to lie elsewhere " + each.Max(value => (int)value)), Run(rig, CallOf("max_by", name, key), _groups, 5));
        Assert.Equal(ByGroup(keys, each => "a name long enough to lie elsewhere " + each.Min(value => (int)value)), Run(rig, CallOf("min_by", name, key), _groups, 5));
        int[] groups = [0, 0, 1, 1, 1];
        using var few = new KernelRig();
        var value = few.Column("v", DataType.Int, null, 5, 7, 8, null);
        Assert.Equal([5, 7], RunByRows(few, CallOf("any_value", value), groups, 2));
        Assert.Equal([5, 8], RunByRows(few, CallOf("last", value, Value(true, DataType.Boolean)), groups, 2));
        Assert.Equal([5, null], RunByRows(few, CallOf("last", value), groups, 2));
        Assert.Equal([null, 7], RunByRows(few, CallOf("first", value), groups, 2));
    }

    [Fact]
    public void Values_are_counted_about_and_exactly_ranked()
    {
        using var rig = new KernelRig();
        var values = Values(random => random.NextInt64(200));
        var column = rig.Column("v", DataType.BigInt, values);
        var about = Run(rig, CallOf("approx_count_distinct", column), _groups, 5);
        var exact = ByGroup(values, each => (object?)(long)each.Distinct().Count());
        for (var group = 0; group < 4; group++) Assert.InRange((long)about[group]!, (long)exact[group]! * 90 / 100, (long)exact[group]! * 110 / 100);
        Assert.Equal(0L, about[4]);
        Assert.Equal(ByGroup(values, each => Middle([.. each.Select(value => (double)(long)value).Order()])), Run(rig, CallOf("median", column), _groups, 5));
        Assert.Equal(ByGroup(values, each => (object?)(double)each.Min(value => (long)value)), Run(rig, CallOf("percentile", column, Value(0.0, DataType.Double)), _groups, 5));
        Assert.Equal(ByGroup(values, each => each.GroupBy(value => value).Max(same => same.Count())),
            Run(rig, CallOf("mode", column), _groups, 5).Select((mode, group) => mode is null ? null : (object?)values.Where((value, i) => _groups[i] == group && Equals(value, mode)).Count()));
        var texts = rig.Column("t", DataType.String, [.. values.Select(value => value is null ? null : (object?)((long)value < 150 ? "the text that is met most often" : "x" + value))]);
        Assert.Equal(ByGroup(values, _ => "the text that is met most often"), Run(rig, CallOf("mode", texts), _groups, 5));

        static object? Middle(double[] sorted) => (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    [Fact]
    public void Arguments_may_be_constants_or_coded()
    {
        using var rig = new KernelRig();
        var codes = Enumerable.Range(0, 300).Select(i => i % 7 == 0 ? (int?)null : i % 3).ToArray();
        var coded = rig.Coded("c", DataType.Decimal(15, 2), [(Int128)5, (Int128)(-8), (Int128)100], codes);
        int[] groups = [.. codes.Select((_, i) => i % 2)];
        Int128[] values = [5, -8, 100];
        Assert.Equal(Expect(each => (object)each.Aggregate((Int128)0, (sum, value) => sum + value)), Run(rig, CallOf("sum", coded), groups, 2));
        Assert.Equal(Expect(each => (object)each.Max()), Run(rig, CallOf("max", coded), groups, 2));
        Assert.Equal(Expect(each => (object)(long)each.Count), Run(rig, CallOf("count", coded), groups, 2));
        Assert.Equal([300L, 300L], Run(rig, CallOf("sum", Value(2L, DataType.BigInt)), groups, 2));
        Assert.Equal([null, null], Run(rig, CallOf("sum", Literal.NullOf(DataType.BigInt)), groups, 2));
        Assert.Equal([2.0, 2.0], Run(rig, CallOf("avg", Value(2.0, DataType.Double)), groups, 2));

        object[] Expect(Func<List<Int128>, object> of) =>
            [.. Enumerable.Range(0, 2).Select(group => of([.. codes.Where((code, i) => code is not null && i % 2 == group).Select(code => values[code!.Value])]))];
    }

    [Fact]
    public void A_sum_of_bigints_out_of_range_is_an_error()
    {
        using var rig = new KernelRig();
        var column = rig.Column("v", DataType.BigInt, long.MaxValue, 1L);
        var error = Assert.Throws<QueryException>(() => Run(rig, CallOf("sum", column), [0, 0], 1));
        Assert.Equal("ARITHMETIC_OVERFLOW", error.ErrorClass);
        Assert.Contains("9223372036854775808", error.Message);
    }

    private static Int128 Rounded(Int128 value, int divisor)
    {
        var (quotient, rest) = Int128.DivRem(Int128.Abs(value), divisor);
        if (rest * 2 >= divisor) quotient++;
        return value < 0 ? -quotient : quotient;
    }

    private static object?[] Values(Func<Random, object> make)
    {
        var random = new Random(Seed);
        return [.. Enumerable.Range(0, 3000).Select(i => random.Next(10) == 0 ? null : make(random))];
    }

    // Group 4 has no rows.
    private object?[] ByGroup(object?[] values, Func<List<object>, object?> of) => [.. Enumerable.Range(0, 5).Select(group =>
    {
        var own = values.Where((value, i) => value is not null && _groups[i] == group).Select(value => value!).ToList();
        return own.Count == 0 ? null : of(own);
    })];
}
