using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.Receivers;

/// <summary>Rows by the clock.</summary>
public sealed class RateTests
{
    [Fact]
    public async Task Rows_are_the_same_whenever_they_are_read()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var time = new ManualTimeProvider();
        var (sink, options) = (new MemorySink(), new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow, MaxRowsPerBatch = 30 });
        foreach (var milliseconds in new[] { 0, 5, 995, 1500 })
        {
            time.Advance(TimeSpan.FromMilliseconds(milliseconds));
            await using var query = context.ReadStream.Rate(40, partitions: 3, time).WriteStream.Start(sink, options);
            await query.AwaitTerminationAsync();
        }
        Assert.Equal(Enumerable.Range(0, 100).Select(i => ((long)i, DateTimeOffset.UnixEpoch.AddMilliseconds(25 * i))), sink.Rows.Select(row => (row.Get<long>("value"), row.Get<DateTimeOffset>("timestamp"))));
        Assert.Equal(30, sink.RowsOf(0).Count);
        Assert.Equal("CHECKPOINT_OF_OTHER_QUERY", Assert.Throws<StreamingException>(() => context.ReadStream.Rate(41, 3, time).WriteStream.Start(sink, options)).Kind);
    }
}
