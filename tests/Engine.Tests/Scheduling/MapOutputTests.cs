using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Tracking;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>Who serves which map output, and how large it is.</summary>
public sealed class MapOutputTests
{
    private static readonly ShuffleId Shuffle = new(3);
    private static readonly WorkerId First = new(1), Second = new(2);

    [Fact]
    public void A_shuffle_is_complete_when_every_output_is_registered()
    {
        var tracker = Tracker(maps: 3);
        tracker.Register(Shuffle, 0, Status(First));
        tracker.Register(Shuffle, 2, Status(First));
        Assert.Equal([1], tracker.MissingOf(Shuffle));
        Assert.False(tracker.IsComplete(Shuffle));
        tracker.Register(Shuffle, 1, Status(Second));
        Assert.True(tracker.IsComplete(Shuffle));
        Assert.Equal((Second, 3), (tracker.LocationOf(Shuffle, 1)?.Server, tracker.MapCount(Shuffle)));
    }

    [Fact]
    public void Nobody_serves_what_is_not_there()
    {
        var tracker = Tracker(maps: 1);
        Assert.Null(tracker.LocationOf(Shuffle, 0));
        Assert.Null(tracker.LocationOf(Shuffle, 1));
        Assert.Null(tracker.LocationOf(Shuffle, -1));
        Assert.Null(tracker.LocationOf(new ShuffleId(99), 0));
    }

    [Fact]
    public void A_shuffle_that_is_not_known_has_no_count_and_one_without_maps_has_none()
    {
        Assert.Null(Tracker(maps: 1).MapCount(new ShuffleId(99)));
        Assert.Equal(0, Tracker(maps: 0).MapCount(Shuffle));
    }

    [Fact]
    public void A_lost_server_takes_its_outputs_of_every_shuffle()
    {
        var tracker = Tracker(maps: 2);
        tracker.Declare(new ShuffleId(4), 1, 1);
        tracker.Register(Shuffle, 0, Status(First));
        tracker.Register(Shuffle, 1, Status(Second));
        tracker.Register(new ShuffleId(4), 0, Status(First));
        var epoch = tracker.Epoch;
        tracker.UnregisterServer(First);
        Assert.Equal([0], tracker.MissingOf(Shuffle));
        Assert.Equal([0], tracker.MissingOf(new ShuffleId(4)));
        Assert.True(tracker.Epoch > epoch);
        Assert.True(tracker.WasComplete(Shuffle));
    }

    [Fact]
    public void A_complaint_counts_against_the_output_it_means()
    {
        var tracker = Tracker(maps: 1);
        tracker.Register(Shuffle, 0, Status(First, writer: 7));
        var first = new MapLocation(First, new TaskId(7));
        Assert.False(tracker.Unregister(Shuffle, 0, null));
        Assert.False(tracker.Unregister(Shuffle, 0, first with { Server = Second }));
        Assert.False(tracker.Unregister(Shuffle, 0, first with { Writer = new TaskId(6) }));
        Assert.True(tracker.Unregister(Shuffle, 0, first));
        Assert.False(tracker.Unregister(Shuffle, 0, first));
        tracker.Register(Shuffle, 0, Status(First, writer: 8));
        Assert.False(tracker.Unregister(Shuffle, 0, first));
        Assert.True(tracker.Has(Shuffle, 0));
    }

    [Fact]
    public void An_output_that_differs_from_its_predecessor_is_noticed()
    {
        var tracker = Tracker(maps: 1);
        Assert.True(tracker.Register(Shuffle, 0, Status(First, checksum: 5)));
        tracker.Unregister(Shuffle, 0, tracker.LocationOf(Shuffle, 0));
        Assert.True(tracker.Register(Shuffle, 0, Status(Second, checksum: 5)));
        Assert.False(tracker.Register(Shuffle, 0, Status(Second, checksum: 6)));
        Assert.True(tracker.Register(Shuffle, 0, Status(Second, checksum: 0)));
        tracker.UnregisterAll(Shuffle);
        Assert.True(tracker.Register(Shuffle, 0, Status(Second, checksum: 9)));
    }

    [Fact]
    public void Sums_by_reduce_partition_are_exact_and_count_a_rewritten_output_once()
    {
        var tracker = Tracker(maps: 2, reduces: 2);
        tracker.Register(Shuffle, 0, new MapStatus(new(First, default), [100, 7], [10, 1], 0));
        tracker.Register(Shuffle, 1, new MapStatus(new(First, default), [0, 1_000_003], [0, 90], 0));
        tracker.UnregisterServer(First);
        tracker.Register(Shuffle, 0, new MapStatus(new(Second, default), [100, 7], [10, 1], 0));
        var sizes = tracker.SizesOf(Shuffle)!;
        Assert.Equal((100, 1_000_010), (sizes.BytesOf(0), sizes.BytesOf(1)));
        Assert.Equal((10, 91), (sizes.RowsOf(0), sizes.RowsOf(1)));
    }

    [Fact]
    public void Sizes_by_map_output_are_within_five_percent_and_empty_stays_empty()
    {
        for (var bytes = 1L; bytes < 20_000_000_000; bytes = bytes * 9 / 8 + 1)
            Assert.InRange(MapOutputSizes.Decode(MapOutputSizes.Encode(bytes)), Math.Floor(bytes * 0.95), Math.Ceiling(bytes * 1.05));
        Assert.Equal(0, MapOutputSizes.Decode(MapOutputSizes.Encode(0)));
        Assert.Equal(255, MapOutputSizes.Encode(long.MaxValue));
    }

    [Fact]
    public void Above_two_thousand_reduce_partitions_an_average_stands_for_the_filled_ones()
    {
        var sizes = new MapOutputSizes(1, 2001);
        var bytes = new long[2001];
        bytes[5] = 100;
        bytes[2000] = 300;
        sizes.Set(0, bytes, new long[2001]);
        Assert.Equal((0, 200, 200), (sizes.BytesOf(0, 4), sizes.BytesOf(0, 5), sizes.BytesOf(0, 2000)));
        Assert.Equal((100, 300), (sizes.BytesOf(5), sizes.BytesOf(2000)));
    }

    [Fact]
    public void Ten_thousand_maps_of_a_thousand_parts_take_a_byte_for_each_part()
    {
        var status = new MapStatus(new(First, default), new long[1000], new long[1000], 0);
        var tracker = Tracker(maps: 1000, reduces: 1000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var map = 0; map < 1000; map++) tracker.Register(Shuffle, map, status);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_100_000);
    }

    [Fact]
    public void A_removed_shuffle_is_forgotten()
    {
        var tracker = Tracker(maps: 1);
        tracker.Register(Shuffle, 0, Status(First));
        tracker.Remove(Shuffle);
        Assert.False(tracker.IsComplete(Shuffle));
        Assert.Null(tracker.SizesOf(Shuffle));
    }

    private static MapOutputTracker Tracker(int maps, int reduces = 1)
    {
        var tracker = new MapOutputTracker();
        tracker.Declare(Shuffle, maps, reduces);
        return tracker;
    }

    private static MapStatus Status(WorkerId server, ulong checksum = 0, long writer = 0) => new(new MapLocation(server, new TaskId(writer)), [10], [1], checksum);
}
