using Dataflow.Streaming.Kafka;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests;

/// <summary>Places that are times: brokers find them, and what they find is where a query begins and a table ends.</summary>
public sealed class KafkaTimeTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 5, 12, 0, 0, TimeSpan.Zero);

    [FactRequiringNative("librdkafka.so.1", "librdkafka1")]
    public async Task A_query_begins_with_the_first_message_that_is_not_older_and_behind_the_last_where_all_are()
    {
        using var broker = new TimedBroker([Noon, Noon.AddSeconds(1), Noon.AddSeconds(1), Noon.AddSeconds(5)], [Noon.AddSeconds(-9), Noon.AddSeconds(-8)], []);
        Assert.Equal((long[])[1, 2, 0], await BeginAsync(broker, KafkaOffsets.Since(Noon.AddSeconds(1))));
        Assert.Equal((long[])[0, 2, 0], await BeginAsync(broker, KafkaOffsets.Since(Noon)));

        // Brokers count in milliseconds.
        Assert.Equal((long[])[1, 2, 0], await BeginAsync(broker, KafkaOffsets.Since(Noon.AddTicks(1))));
        Assert.Equal((long[])[0, 0, 0], await BeginAsync(broker, KafkaOffsets.Since(DateTimeOffset.MinValue)));
        var each = new Dictionary<KafkaPartition, DateTimeOffset> { [new("t", 0)] = Noon.AddSeconds(3), [new("t", 2)] = Noon };
        Assert.Equal((long[])[3, 0, 0], await BeginAsync(broker, KafkaOffsets.Since(each)));
    }

    [FactRequiringNative("librdkafka.so.1", "librdkafka1")]
    public void A_table_has_what_lies_between_two_times()
    {
        using var broker = new TimedBroker([.. Enumerable.Range(0, 100).Select(i => Noon.AddSeconds(i))], [.. Enumerable.Range(0, 10).Select(i => Noon.AddSeconds(10 * i))]);
        Assert.Equal(20 + 2, Rows(KafkaOffsets.Since(Noon.AddSeconds(20)), KafkaOffsets.Since(Noon.AddSeconds(40))));
        Assert.Equal(80 + 8, Rows(KafkaOffsets.Since(Noon.AddSeconds(20)), KafkaOffsets.Since(Noon.AddDays(1))));
        Assert.Equal(0, Rows(KafkaOffsets.Since(Noon.AddSeconds(40)), KafkaOffsets.Since(Noon.AddSeconds(20))));
        Assert.Equal(5 + 10, Rows(KafkaOffsets.Earliest, KafkaOffsets.Since(new Dictionary<KafkaPartition, DateTimeOffset> { [new("t", 0)] = Noon.AddSeconds(5) })));

        long Rows(KafkaOffsets start, KafkaOffsets end) => new KafkaSource(broker.Options with { Starting = start, Ending = end }).ToTable().Statistics.Rows;
    }

    private static async Task<long[]> BeginAsync(TimedBroker broker, KafkaOffsets starting)
    {
        using var folder = new TempDirectory();
        using var reader = new KafkaStreamReader(new KafkaSource(broker.Options with { Starting = starting }), new(folder.Combine("source")));
        var end = await reader.FindEndAsync(null, long.MaxValue, default);
        var beginnings = KafkaPlace.Parse(new Execution.DurableLog(folder.Combine("source")).Read<string>(0));
        Assert.Equal(broker.Rows - beginnings.Values.Sum(), reader.Read(null, end ?? "{}").Statistics.Rows);
        return [.. beginnings.Values];
    }
}
