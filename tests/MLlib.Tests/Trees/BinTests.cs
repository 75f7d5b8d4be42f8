using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.Tests.Trees;

/// <summary>Bins of features.</summary>
public sealed class BinTests
{
    [Fact]
    public void Few_values_have_a_bin_each_and_thresholds_in_the_middle()
    {
        var mapper = BinMapper.Numeric([-1, -1, 0, 0, 0, 2.5, 7], false, 255);
        Assert.Equal([-0.5, 1.25, 4.75], mapper.Bounds);
        Assert.Equal([0, 1, 2, 3, 4], new[] { -1, 0, 2.5, 7, double.NaN }.Select(mapper.BinOf));
        Assert.Equal(4, mapper.MissingBin);
    }

    [Fact]
    public void Many_values_share_bins_of_about_equal_counts_and_frequent_ones_are_alone()
    {
        var random = new Random(1);
        var values = Enumerable.Range(0, 20_000).Select(i => i % 4 == 0 ? 0 : random.NextDouble() + (i % 2)).Order().ToArray();
        var mapper = BinMapper.Numeric(values, false, 100);
        Assert.InRange(mapper.ValueBins, 90, 100);
        var counts = new int[mapper.Bins];
        foreach (var value in values) counts[mapper.BinOf(value)]++;
        Assert.Equal(5000, counts[mapper.BinOf(0)]);
        Assert.All(counts.Where((_, bin) => bin != mapper.BinOf(0) && bin < mapper.ValueBins), count => Assert.InRange(count, 1, 320));
    }

    [Theory]
    [InlineData(255, false)]
    [InlineData(256, true)]
    [InlineData(65_535, true)]
    public void Bins_of_blocks_are_those_of_the_mapper_for_singles_and_doubles_infinities_and_missing(int maxBins, bool isWide)
    {
        var random = new Random(2);
        const int Rows = 3000;
        var singles = Enumerable.Range(0, Rows).Select(i => i % 50 == 0 ? float.NaN : i % 51 == 0 ? float.PositiveInfinity : i % 53 == 0 ? float.NegativeInfinity : (float)random.NextDouble()).ToArray();
        var doubles = Enumerable.Range(0, Rows).Select(i => i % 50 == 0 ? double.NaN : Math.Round(random.NextDouble() * 600) / 7).ToArray();
        var few = Enumerable.Range(0, Rows).Select(i => (double)(i % 3)).ToArray();
        var two = Enumerable.Range(0, Rows).Select(i => (float)(i % 2)).ToArray();
        RowSource[] blocks = [new ColumnRows([singles, doubles, few, two]) { FirstRow = 0, Rows = Rows }];
        using var team = new ThreadTeam(2);
        var mappers = BinSample.Find(blocks, new bool[4], maxBins, 1000, team, LoneTreeGroup.Instance);
        var layout = BinLayout.Of(mappers);
        Assert.Equal(layout.ColumnOf[2], layout.ColumnOf[3]);
        Assert.Equal(isWide, layout.IsWide);
        using var rows = BinnedRows.Of(blocks, layout, team, LoneTreeGroup.Instance);
        for (var i = 0; i < Rows; i++)
        {
            AssertBin(rows, 0, i, singles[i]);
            AssertBin(rows, 1, i, doubles[i]);
            AssertBin(rows, 2, i, few[i]);
            AssertBin(rows, 3, i, two[i]);
        }
        Assert.Equal([true, true, false, false], rows.HasMissing);
    }

    [Fact]
    public void A_sample_sorted_by_bits_is_sorted_by_value()
    {
        var random = new Random(3);
        var values = Enumerable.Range(0, 10_000).Select(i => i == 7 ? double.NegativeInfinity : i == 8 ? double.PositiveInfinity : (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-300, 300))).ToArray();
        var expected = values.Order().ToArray();
        SortedValues.Sort(values, new ulong[values.Length], new ulong[values.Length]);
        Assert.Equal(expected, values);
    }

    [Fact]
    public void Pieces_of_work_run_once_each_and_what_they_throw_arrives()
    {
        using var team = new ThreadTeam(4);
        for (var round = 0; round < 500; round++)
        {
            var counts = new int[round % 17];
            team.Share(counts.Length, (i, _) => Interlocked.Increment(ref counts[i]));
            Assert.All(counts, count => Assert.Equal(1, count));
        }
        Assert.Equal("seven", Assert.Throws<InvalidOperationException>(() => team.Share(10, (i, _) =>
        {
            if (i == 7) throw new InvalidOperationException("seven");
        })).Message);
        team.Run(_ => { });
    }

    private static unsafe void AssertBin(BinnedRows rows, int feature, int row, double value)
    {
        var layout = rows.Layout;
        var column = layout.ColumnOf[feature];
        var bins = rows.Column(column);
        var expected = layout.Mappers[feature].BinOf(value);
        Assert.Equal(expected, bins[row] / layout.MultiplierOf[feature] % layout.Mappers[feature].Bins);
        var place = rows.Panel(column / rows.PanelColumns) + ((long)row * rows.RowBytes) + (column % rows.PanelColumns * layout.NumberBytes);
        Assert.Equal(bins[row], layout.IsWide ? *(ushort*)place : *place);
    }
}
