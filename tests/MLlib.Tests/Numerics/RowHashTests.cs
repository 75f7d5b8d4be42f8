using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.Tests.Numerics;

/// <summary>Random numbers that belong to rows.</summary>
public sealed class RowHashTests
{
    [Fact]
    public void The_numbers_stay_the_same_from_version_to_version()
    {
        Assert.Equal(9866207152442767727UL, RowHash.Bits(1, 2, 3));
        Assert.Equal(RowHash.Bits(42, 7, 9), RowHash.Bits(RowHash.Key(42, 9), 7));
        Assert.Equal(RowHash.Uniform(42, 7, 9), RowHash.Uniform(RowHash.Key(42, 9), 7));
    }

    [Fact]
    public void They_are_evenly_spread_and_streams_do_not_resemble_each_other()
    {
        const int rows = 100_000;
        var key = RowHash.Key(5, 1);
        var other = RowHash.Key(5, 2);
        var places = new int[10];
        double sum = 0, product = 0;
        for (var row = 0L; row < rows; row++)
        {
            var x = RowHash.Uniform(key, row);
            Assert.InRange(x, 0, 1 - 1e-17);
            sum += x;
            product += (x - 0.5) * (RowHash.Uniform(other, row) - 0.5);
            places[RowHash.Below(key, row, 10)]++;
        }
        Assert.InRange(sum / rows, 0.497, 0.503);
        Assert.InRange(product / rows * 12, -0.015, 0.015);
        Assert.All(places, count => Assert.InRange(count, 9_600, 10_400));
    }
}
