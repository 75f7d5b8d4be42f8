using Dataflow.Files;

namespace Dataflow.Engine.Tests.Files;

public sealed class FileSplitsTests
{
    private const long MB = 1 << 20;

    private static readonly FileSplits Default = new(0, 128 * MB, 4 * MB, 2) { Decompress = true };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(1000)]
    public void One_file_is_cut_into_as_many_partitions_as_asked(int partitions)
    {
        var parts = Plan(Default with { MinPartitions = partitions }, 5000);
        Assert.Equal(partitions, parts.Length);
        Assert.True(parts.Max(part => part.Slices[0].Length) - parts.Min(part => part.Slices[0].Length) <= 1);
    }

    [Fact]
    public void A_file_with_fewer_bytes_than_partitions_asked_gives_one_a_byte() => Assert.Equal(3, Plan(Default with { MinPartitions = 16 }, 3).Length);

    [Fact]
    public void A_large_file_is_cut_at_the_limit() => Assert.Equal(8, Plan(Default, 1000 * MB).Length);

    [Fact]
    public void A_small_file_stays_whole_unless_more_partitions_are_asked() => Assert.Single(Plan(Default with { Parallelism = 64 }, 3 * MB));

    [Fact]
    public void Small_files_are_put_together_by_bytes_and_by_the_cost_of_opening()
    {
        var parts = Plan(Default, [.. Enumerable.Repeat(1000L, 10_000)]);
        Assert.Equal(10_000, parts.Sum(part => part.Slices.Length));
        Assert.InRange(parts.Length, 10_000 / 33, 10_000 / 31);
        Assert.InRange(parts.Max(part => part.Slices.Length), 32, 34);
    }

    [Fact]
    public void Small_files_give_as_many_partitions_as_asked() =>
        Assert.Equal(4, Plan(Default with { MinPartitions = 4 }, [.. Enumerable.Repeat(1000L, 100)]).Length);

    [Fact]
    public void Partitions_keep_the_order_of_files_and_cover_every_byte_once()
    {
        const int seed = 11;
        var random = new Random(seed);
        for (var round = 0; round < 200; round++)
        {
            var lengths = Enumerable.Range(0, random.Next(1, 30)).Select(_ => random.Next(4) == 0 ? random.NextInt64(3000) : random.NextInt64(60)).ToArray();
            var splits = new FileSplits(random.Next(9), random.Next(1, 500), random.Next(50), random.Next(1, 9), random.Next(3) == 0 ? 8 : 1);
            if (splits.Alignment == 8) lengths = [.. lengths.Select(length => length / 8 * 8)];
            var parts = Plan(splits, lengths);

            var next = new long[lengths.Length];
            var file = 0;
            foreach (var slice in parts.SelectMany(part => part.Slices))
            {
                var index = int.Parse(slice.Path[3..]);
                Assert.True(index == file || index == file + 1, $"seed {seed}, round {round}: file {index} after {file}");
                file = index;
                Assert.Equal(next[index], slice.Offset);
                Assert.Equal(lengths[index], slice.FileLength);
                Assert.Equal(0, slice.Offset % splits.Alignment);
                next[index] += slice.Length;
            }
            Assert.Equal(lengths, next);
        }
    }

    [Fact]
    public void An_empty_file_is_kept_so_that_its_growth_is_noticed()
    {
        var part = Assert.Single(Plan(Default, 0, 0));
        Assert.Equal(2, part.Slices.Length);
    }

    [Fact]
    public void Compressed_and_whole_files_are_not_cut()
    {
        var compressed = Default.Plan([new FileEntry("/a.gz", 1000 * MB, default), new FileEntry("/b.gz", 1000 * MB, default)]);
        Assert.Equal(2, compressed.Length);
        Assert.All(compressed, part => Assert.True(((FilePartition)part).Slices[0].Compressed));
        Assert.Single(Plan(Default with { Whole = true }, 1000 * MB));
    }

    [Fact]
    public void Hosts_are_those_that_hold_most_bytes_of_a_partition()
    {
        var system = new FaultyFileSystem { Blocks = _ => [new(0, 100, ["one", "two"]), new(100, 100, ["two", "three"]), new(200, 50, ["four"])] };
        var parts = new FileSplits(2, 1000, 0, 1).Plan([new FileEntry(system.Of("/x"), 250, default)]).Cast<FilePartition>().ToArray();

        Assert.Equal(["two", "one", "three"], parts[0].Hosts);
        Assert.Equal(["three", "two", "four"], parts[1].Hosts);
    }

    private static FilePartition[] Plan(FileSplits splits, params long[] lengths)
    {
        var parts = splits.Plan([.. lengths.Select((length, i) => new FileEntry($"/f-{i}", length, default))]);
        Assert.Equal(Enumerable.Range(0, parts.Length), parts.Select(part => part.Index));
        return [.. parts.Cast<FilePartition>()];
    }
}
