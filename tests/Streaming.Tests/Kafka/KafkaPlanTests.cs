using Dataflow.Streaming.Kafka;

namespace Dataflow.Streaming.Tests;

/// <summary>Which offsets batches and tasks read, without brokers.</summary>
public sealed class KafkaPlanTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_offset_is_in_one_batch_whatever_the_limit(int seed)
    {
        var random = new Random(seed);
        var ends = Enumerable.Range(0, random.Next(1, 40)).ToDictionary(i => new KafkaPartition($"t{i % 3}", i), _ => (long)random.Next(0, 200));
        var place = new KafkaPlace(ends.ToDictionary(each => each.Key, _ => 0L));
        var most = random.Next(1, 60);
        for (var batches = 0; place.Any(each => each.Value < ends[each.Key]); batches++)
        {
            Assert.True(batches < 100_000, $"seed {seed}");
            var before = place.Values.Sum();
            foreach (var (partition, end) in KafkaShares.Ends(new Dictionary<KafkaPartition, long>(place), ends.ToDictionary(each => each.Key, each => new KafkaExtent(0, each.Value)), most, gap => Assert.Fail($"{gap}, seed {seed}")))
            {
                Assert.InRange(end, place[partition], ends[partition]);
                place[partition] = end;
            }
            Assert.InRange(place.Values.Sum() - before, 1, most);
        }
    }

    [Theory]
    [InlineData(4, 0)]
    [InlineData(5, 1)]
    [InlineData(6, 9)]
    [InlineData(7, 100)]
    public void Tasks_cover_every_offset_once_in_order(int seed, int least)
    {
        var random = new Random(seed);
        KafkaRange[] ranges = [.. Enumerable.Range(0, 20).Select(i => (Start: random.Next(1000), i)).Select(each => new KafkaRange(new("t", each.i), each.Start, each.Start + random.Next(1, 60_000)))];
        var splits = KafkaTable.Cut(ranges, least);
        Assert.True(splits.Length >= least, $"{splits.Length} tasks, seed {seed}");
        var joined = splits.SelectMany(split => split.Ranges).GroupBy(range => range.Partition).Select(group =>
        {
            foreach (var (one, next) in group.Zip(group.Skip(1))) Assert.Equal(one.Until, next.From);
            return new KafkaRange(group.Key, group.First().From, group.Last().Until);
        });
        Assert.Equal(ranges, joined);
        Assert.All(splits, split => Assert.Equal(split.Count, split.Ranges.Sum(range => range.Count)));
    }

    [Fact]
    public void Places_are_sorted_texts_and_other_texts_are_damage()
    {
        var place = new KafkaPlace { [new("b", 10)] = 3, [new("b", 9)] = 2, [new("a\"", 0)] = 1L << 40 };
        Assert.Equal("{\"a\\u0022\":{\"0\":1099511627776},\"b\":{\"9\":2,\"10\":3}}", place.ToString());
        Assert.Equal(place, KafkaPlace.Parse(place.ToString()));
        foreach (var damaged in new[] { "", "7", "{\"a\":{\"x\":1}}", "{\"a\":null}" }) Assert.Equal("CHECKPOINT_DAMAGED", Assert.Throws<StreamingException>(() => KafkaPlace.Parse(damaged)).Kind);
    }

    [Fact]
    public void A_topic_that_was_made_again_is_a_gap_and_read_from_its_beginning()
    {
        var (partition, gaps) = (new KafkaPartition("t", 0), new List<KafkaGap>());
        var ends = KafkaShares.Ends(new KafkaPlace { [partition] = 50 }, new Dictionary<KafkaPartition, KafkaExtent> { [partition] = new(0, 20) }, long.MaxValue, gaps.Add);
        Assert.Equal((partition, 20L), Assert.Single(ends));
        Assert.Contains("made again", Assert.Single(gaps).ToString(), StringComparison.Ordinal);
    }
}
