using System.Numerics;
using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.Tests.Numerics;

/// <summary>Sums that do not round until they are read.</summary>
public sealed class ExactSumTests
{
    [Fact]
    public void Numbers_that_plain_addition_loses_are_kept()
    {
        var sum = new ExactSum();
        sum.Add([1e300, 1, -1e300, 1e-300]);
        Assert.Equal(1, sum.Value);
        sum.Add(-1);
        Assert.Equal(1e-300, sum.Value);
        sum.Add(-1e-300);
        Assert.Equal(0, sum.Value);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Sums_equal_those_of_whole_numbers_of_any_size(int seed)
    {
        var random = new Random(seed);
        var sum = new ExactSum();
        BigInteger exact = 0;
        for (var i = 0; i < 400; i++)
        {
            var mantissa = random.NextInt64(-(1L << 53), 1L << 53);
            var exponent = random.Next(0, seed == 1 ? 5 : 900);
            sum.Add(Math.ScaleB(mantissa, exponent - 100));
            exact += (BigInteger)mantissa << exponent;
            var expected = Math.ScaleB(Nearest(exact, out var shift), shift - 100);
            Assert.True(expected == sum.Value, $"seed {seed}, after {i + 1} numbers: {sum.Value:R}, expected {expected:R}");
        }
    }

    [Fact]
    public void The_smallest_and_the_largest_numbers_have_their_places()
    {
        var sum = new ExactSum();
        for (var i = 0; i < 3; i++) sum.Add(double.Epsilon);
        Assert.Equal(3 * double.Epsilon, sum.Value);
        sum.Add(double.MaxValue);
        Assert.Equal(double.MaxValue, sum.Value);
        sum.Add(double.MaxValue);
        Assert.Equal(double.PositiveInfinity, sum.Value);
        sum.Add(-double.MaxValue);
        sum.Add(-double.MaxValue);
        sum.Add(-double.MaxValue);
        Assert.Equal(-double.MaxValue, sum.Value);
    }

    [Fact]
    public void Infinities_and_NaN_give_what_addition_gives()
    {
        var sum = new ExactSum();
        sum.Add(double.PositiveInfinity);
        sum.Add(1);
        Assert.Equal(double.PositiveInfinity, sum.Value);
        var other = new ExactSum();
        other.Add(double.NegativeInfinity);
        sum.Merge(other);
        Assert.True(double.IsNaN(sum.Value));
    }

    [Fact]
    public void Parts_merge_in_any_order_and_travel()
    {
        var random = new Random(7);
        var values = Enumerable.Range(0, 10_000).Select(_ => Math.ScaleB(random.NextDouble() - 0.5, random.Next(-60, 60))).ToArray();
        var whole = new ExactSum();
        whole.Add(values);

        var merged = new ExactSum();
        var state = new long[ExactSum.StateLength];
        foreach (var part in values.Chunk(777).Reverse())
        {
            var sum = new ExactSum();
            sum.Add(part);
            sum.Save(state);
            merged.Merge(ExactSum.Load(state));
        }
        Assert.Equal(BitConverter.DoubleToInt64Bits(whole.Value), BitConverter.DoubleToInt64Bits(merged.Value));
    }

    [Fact]
    public void Products_are_not_rounded_before_they_are_added()
    {
        var sum = new ExactSum();
        var third = 1.0 / 3;
        sum.AddProduct(third, third);
        sum.Add(-(third * third));
        var mantissa = new BigInteger(third * Math.ScaleB(1, 54));
        var rounded = new BigInteger(third * third * Math.ScaleB(1, 108));
        Assert.Equal(Math.ScaleB((double)((mantissa * mantissa) - rounded), -108), sum.Value);
        Assert.NotEqual(0, sum.Value);
    }

    // The nearest whole number of 53 bits, ties to even, and how often it was halved.
    private static double Nearest(BigInteger value, out int shift)
    {
        var magnitude = BigInteger.Abs(value);
        shift = Math.Max(0, (int)magnitude.GetBitLength() - 53);
        var kept = magnitude >> shift;
        var rest = magnitude - (kept << shift);
        var half = shift == 0 ? BigInteger.One : BigInteger.One << (shift - 1);
        if (rest > half || (rest == half && !kept.IsEven)) kept++;
        return (double)kept * value.Sign;
    }
}
