using Dataflow.Shuffle;
using Dataflow.Tasks;

namespace Dataflow.Engine.Tests.Rdds;

/// <summary>A reading partition may name any range of reduce partitions and any range of map outputs: small ones are read together, large ones in parts.</summary>
public sealed class ShuffleReadRangeTests : IDisposable
{
    private const int Maps = 6;
    private const int Reduces = 8;
    private const int Rows = 6000;

    private readonly DataflowContext _context = DataflowContext.Local(3);
    private readonly DataflowContext _onDisk = DataflowContext.Local(DataflowOptions.Default with { Threads = 3, SegmentsInMemory = false });

    public static TheoryData<bool> Modes => [false, true];

    public void Dispose()
    {
        _context.Dispose();
        _onDisk.Dispose();
    }

    [Theory, MemberData(nameof(Modes))]
    public void Several_reduce_partitions_are_read_as_one(bool onDisk)
    {
        var shuffle = Shuffled(Context(onDisk));
        var plain = Read(shuffle, [.. Enumerable.Range(0, Reduces).Select(i => new ShuffleReadPartition(i, i, i + 1))]);
        Assert.Equal([.. plain[0], .. plain[1], .. plain[2]], Read(shuffle, new ShuffleReadPartition(0, 0, 3)).Single());
        Assert.Equal(
            [[.. plain[0]], [.. plain[1], .. plain[2], .. plain[3]], [.. plain[4], .. plain[5], .. plain[6], .. plain[7]]],
            Read(shuffle, new ShuffleReadPartition(0, 0, 1), new ShuffleReadPartition(1, 1, 4), new ShuffleReadPartition(2, 4, Reduces)));
        Assert.Equal(plain.SelectMany(part => part), Read(shuffle, new ShuffleReadPartition(0, 0, Reduces)).Single());
    }

    [Theory, MemberData(nameof(Modes))]
    public void One_reduce_partition_is_read_in_parts_by_map_output(bool onDisk)
    {
        var shuffle = Shuffled(Context(onDisk));
        var whole = Read(shuffle, new ShuffleReadPartition(0, 2, 3)).Single();
        Assert.NotEmpty(whole);
        var parts = Read(shuffle, new ShuffleReadPartition(0, 2, 3, 0, 1), new ShuffleReadPartition(1, 2, 3, 1, 4), new ShuffleReadPartition(2, 2, 3, 4));
        Assert.All(parts, part => Assert.NotEmpty(part));
        Assert.Equal(whole, parts.SelectMany(part => part));

        // Rows of map output m are those that partition m of the parent had.
        Assert.All(parts[0], row => Assert.Equal(0, MapOf(row.Value)));
        Assert.All(parts[1], row => Assert.InRange(MapOf(row.Value), 1, 3));
        Assert.All(parts[2], row => Assert.InRange(MapOf(row.Value), 4, 5));
    }

    [Theory, MemberData(nameof(Modes))]
    public void Both_kinds_of_ranges_go_together(bool onDisk)
    {
        var shuffle = Shuffled(Context(onDisk));
        var all = Read(shuffle, new ShuffleReadPartition(0, 0, Reduces)).Single();
        var cells = Cells(shuffle);
        Bag.AssertEqual(all, cells.SelectMany(part => part));
        Assert.Equal(
            from reduce in Enumerable.Range(1, 4) from map in Enumerable.Range(2, 2) from row in cells[map * Reduces + reduce] select row,
            Read(shuffle, new ShuffleReadPartition(0, 1, 5, 2, 4)).Single());
    }

    [Fact]
    public void Empty_ranges_and_ranges_beyond_the_last_map_give_nothing()
    {
        var shuffle = Shuffled(_context);
        Assert.Empty(Read(shuffle, new ShuffleReadPartition(0, 3, 3)).Single());
        Assert.Empty(Read(shuffle, new ShuffleReadPartition(0, 0, Reduces, 2, 2)).Single());
        Assert.Empty(Read(shuffle, new ShuffleReadPartition(0, 0, Reduces, Maps + 3)).Single());
        Assert.Equal(
            Read(shuffle, new ShuffleReadPartition(0, 0, 2, 4)).Single(), Read(shuffle, new ShuffleReadPartition(0, 0, 2, 4, 1000)).Single());
    }

    [Theory, MemberData(nameof(Modes))]
    public async Task A_map_stage_run_alone_tells_its_sizes_and_is_not_run_again(bool onDisk)
    {
        var context = Context(onDisk);
        var mapped = context.Counter("mapped");
        var shuffle = Shuffled(context, mapped);
        var sizes = await context.RunMapStageAsync(shuffle);
        Assert.Equal(Rows, mapped.Value);
        Assert.Equal((Maps, Reduces), (sizes.Maps, sizes.ReducePartitions));

        var cells = Cells(shuffle);
        for (var reduce = 0; reduce < Reduces; reduce++)
        {
            var rows = Enumerable.Range(0, Maps).Select(map => (long)cells[map * Reduces + reduce].Length).ToArray();
            Assert.Equal(rows.Sum(), sizes.RowsOf(reduce));
            Assert.Equal(rows.Sum() * 16, sizes.BytesOf(reduce));
            for (var map = 0; map < Maps; map++) Assert.InRange(sizes.BytesOf(map, reduce), rows[map] * 16 * 0.95, rows[map] * 16 * 1.05);
        }
        await context.RunMapStageAsync(shuffle);
        Assert.Equal(Rows, mapped.Value);
    }

    [Fact]
    public async Task A_plan_made_of_the_sizes_reads_everything_once()
    {
        var shuffle = Shuffled(_context, skewed: true);
        var sizes = await _context.RunMapStageAsync(shuffle);
        var target = Enumerable.Range(0, Reduces).Sum(sizes.BytesOf) / 6;

        // Small neighbours are read together; what is larger than the target is split by map outputs.
        var plan = new List<ShuffleReadPartition>();
        for (var reduce = 0; reduce < Reduces;)
        {
            var end = reduce + 1;
            if (sizes.BytesOf(reduce) > target)
            {
                for (var map = 0; map < Maps; map += 2) plan.Add(new ShuffleReadPartition(plan.Count, reduce, end, map, map + 2));
            }
            else
            {
                var bytes = sizes.BytesOf(reduce);
                while (end < Reduces && bytes + sizes.BytesOf(end) <= target) bytes += sizes.BytesOf(end++);
                plan.Add(new ShuffleReadPartition(plan.Count, reduce, end));
            }
            reduce = end;
        }
        Assert.Contains(plan, part => part.MapEnd != int.MaxValue);
        Assert.Contains(plan, part => part.ReduceEnd - part.ReduceStart > 1);
        Assert.Equal(Read(shuffle, new ShuffleReadPartition(0, 0, Reduces)).Single(), Read(shuffle, [.. plan]).SelectMany(part => part));
    }

    [Fact]
    public async Task A_sorting_map_stage_run_alone_finds_its_ranges_first()
    {
        var sorted = _context.Range(0, 5000, partitions: 4).Map(static i => (Key: (int)(i * 7919 % 5000), Value: i)).SortByKey(partitions: 3);
        var sizes = await _context.RunMapStageAsync((ShuffleDependency)sorted.Dependencies[0]);
        Assert.Equal(5000, Enumerable.Range(0, 3).Sum(sizes.RowsOf));
        Assert.All(Enumerable.Range(0, 3), reduce => Assert.InRange(sizes.RowsOf(reduce), 1000, 2400));
        Assert.Equal(Enumerable.Range(0, 5000), sorted.Keys().Collect());
    }

    [Theory, MemberData(nameof(Modes))]
    public void Segments_come_in_map_order_with_their_tags_rows_and_bytes(bool onDisk)
    {
        var segments = new SegmentsRdd(Shuffled(Context(onDisk), tags: 4)).Collect();
        Assert.Equal(Rows, segments.Sum(segment => segment.Rows));
        Assert.All(segments, segment => Assert.Equal(segment.Rows * 16, segment.Bytes));
        Assert.Equal([0, 1, 2, 3], segments.Select(segment => segment.Tag).Distinct().Order());
        foreach (var reduce in segments.GroupBy(segment => segment.Reduce))
            Assert.Equal(reduce.OrderBy(segment => segment.Map).Select(segment => segment.Map), reduce.Select(segment => segment.Map));
    }

    private DataflowContext Context(bool onDisk) => onDisk ? _onDisk : _context;

    /// <summary>Pairs whose value tells the partition of the parent that they come from.</summary>
    private static PairShuffleDependency<int, long> Shuffled(DataflowContext context, Counter? mapped = null, bool skewed = false, int tags = 1)
    {
        var pairs = context.Range(0, Rows, partitions: Maps).Map(i =>
        {
            mapped?.Add(1);
            return (Key: skewed && i % 2 == 0 ? 7 : (int)(i * 31 % 503), Value: i);
        });
        return new PairShuffleDependency<int, long>(pairs, new HashPartitioner<int>(Reduces), tags);
    }

    private static long MapOf(long value) => value / (Rows / Maps);

    /// <summary>The rows of each map output and reduce partition, at map * Reduces + reduce.</summary>
    private static (int Key, long Value)[][] Cells(PairShuffleDependency<int, long> shuffle) => Read(
        shuffle,
        [.. from map in Enumerable.Range(0, Maps) from reduce in Enumerable.Range(0, Reduces) select new ShuffleReadPartition(map * Reduces + reduce, reduce, reduce + 1, map, map + 1)]);

    private static (int Key, long Value)[][] Read(PairShuffleDependency<int, long> shuffle, params ShuffleReadPartition[] partitions) =>
        new RangesRdd(shuffle, partitions).Glom().Collect();

    /// <summary>Reads a shuffle as a planner above the engine would.</summary>
    private sealed class RangesRdd(PairShuffleDependency<int, long> shuffle, ShuffleReadPartition[] partitions)
        : Rdd<(int Key, long Value)>(shuffle.Rdd.Context, "Ranges")
    {
        public override IReadOnlyList<Dependency> Dependencies => [shuffle];

        protected internal override Partition[] GetPartitions() => partitions;

        protected internal override ChunkReader<(int Key, long Value)> Compute(Partition partition, TaskContext context)
        {
            var input = ShuffleInput.Open(shuffle.ShuffleId, (ShuffleReadPartition)partition, context);
            return ChunkReader<(int Key, long Value)>.From(
                Enumerable.Range(input.ReduceStart, input.ReduceEnd - input.ReduceStart)
                    .SelectMany(reduce => new SegmentReader<(int Key, long Value)>(input.Segments(reduce)).AsEnumerable()));
        }
    }

    private sealed class SegmentsRdd(PairShuffleDependency<int, long> shuffle) : Rdd<(int Reduce, long Map, int Tag, int Rows, long Bytes)>(shuffle.Rdd.Context, "Segments")
    {
        public override IReadOnlyList<Dependency> Dependencies => [shuffle];

        protected internal override Partition[] GetPartitions() => [new ShuffleReadPartition(0, 0, Reduces)];

        protected internal override ChunkReader<(int Reduce, long Map, int Tag, int Rows, long Bytes)> Compute(Partition partition, TaskContext context)
        {
            var input = ShuffleInput.Open(shuffle.ShuffleId, (ShuffleReadPartition)partition, context);
            return ChunkReader<(int Reduce, long Map, int Tag, int Rows, long Bytes)>.From(
                from reduce in Enumerable.Range(0, Reduces) from segment in input.Segments(reduce) select (reduce, FirstMapOf(segment), segment.Tag, segment.Rows, segment.Bytes));
        }

        private static long FirstMapOf(InputSegment segment)
        {
            using var reader = new SegmentReader<(int Key, long Value)>([segment]);
            return reader.TryRead(out var rows) ? MapOf(rows[0].Value) : -1;
        }
    }
}
