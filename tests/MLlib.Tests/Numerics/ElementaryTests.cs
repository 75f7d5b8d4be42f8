using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.Tests.Numerics;

/// <summary>Exponential and logarithm of our own.</summary>
public sealed class ElementaryTests
{
    [Fact]
    public void The_exponential_is_within_two_units_of_the_last_place()
    {
        for (var x = -740.0; x < 709; x += 0.0371)
        {
            var expected = Math.Exp(x);
            if (expected < 1e-300) continue;
            Assert.True(Math.Abs(Elementary.Exp(x) - expected) <= expected * 4.5e-16, $"exp({x:R}) = {Elementary.Exp(x):R}, expected {expected:R}");
        }
    }

    [Fact]
    public void The_logarithm_is_within_two_units_of_the_last_place()
    {
        var random = new Random(5);
        for (var i = 0; i < 100_000; i++)
        {
            var x = Math.Exp((random.NextDouble() - 0.5) * 1400);
            var expected = Math.Log(x);
            Assert.True(Math.Abs(Elementary.Log(x) - expected) <= Math.Max(Math.Abs(expected) * 4.5e-16, 1e-300), $"log({x:R}) = {Elementary.Log(x):R}, expected {expected:R}");
        }
    }

    [Fact]
    public void Ends_of_the_range_are_as_users_expect()
    {
        Assert.Equal(1, Elementary.Exp(0));
        Assert.Equal(0, Elementary.Exp(double.NegativeInfinity));
        Assert.Equal(double.PositiveInfinity, Elementary.Exp(710));
        Assert.Equal(Math.Exp(-744), Elementary.Exp(-744));
        Assert.True(double.IsNaN(Elementary.Exp(double.NaN)));
        Assert.Equal(0, Elementary.Log(1));
        Assert.Equal(double.NegativeInfinity, Elementary.Log(0));
        Assert.True(double.IsNaN(Elementary.Log(-1)));
        Assert.Equal(double.PositiveInfinity, Elementary.Log(double.PositiveInfinity));
        Assert.Equal(Math.Log(double.Epsilon), Elementary.Log(double.Epsilon), 12);
        Assert.Equal(1, Elementary.Sigmoid(800));
        Assert.Equal(0, Elementary.Sigmoid(-800));
    }

    [Theory]
    [InlineData("avx512")]
    [InlineData("avx2")]
    public void Bits_do_not_depend_on_the_instruction_set(string set) => Assert.Equal(NumericsChecks.Fingerprint(), Program.RunWithout(set, "numerics"));
}
