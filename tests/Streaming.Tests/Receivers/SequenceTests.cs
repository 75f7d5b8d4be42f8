using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.Receivers;

/// <summary>Channels and sequences of the program as streams.</summary>
public sealed class SequenceTests
{
    private sealed record Reading(DateTimeOffset At, string Sensor, double? Value, decimal Price, DayOfWeek Day, TimeSpan For);

    [Fact]
    public async Task A_query_of_all_that_is_there_ends_when_the_channel_is_completed_and_has_every_object()
    {
        await using var context = DataflowContext.Local(2);
        var (channel, sink) = (Channel.CreateBounded<Reading>(10), new MemorySink());
        await using var query = context.ReadStream.From(channel.Reader).WriteStream.Start(sink, new() { Trigger = Trigger.AvailableNow });
        Reading[] sent = [.. Enumerable.Range(0, 100).Select(i => new Reading(DateTimeOffset.UnixEpoch.AddHours(i), $"sensor \"{i}\"", i % 3 == 0 ? null : i / 7.0, i / 8m, (DayOfWeek)(i % 7), TimeSpan.FromSeconds(i)))];
        foreach (var each in sent) await channel.Writer.WriteAsync(each);
        Assert.True(query.IsActive);
        channel.Writer.Complete();
        await query.AwaitTerminationAsync();
        Assert.Equal(sent.Select(each => (each.At, each.Sensor, each.Value, each.Price, each.Day.ToString(), each.For)), sink.Rows
            .Select(row => (row.Get<DateTimeOffset>("At"), row.Get<string>("Sensor"), row.Get<double?>("Value"), row.Get<decimal>("Price"), row.Get<string>("Day"), row.Get<TimeSpan>("For"))).OrderBy(row => row.Item1));
    }

    [Fact]
    public async Task What_was_taken_out_of_a_channel_is_there_after_a_batch_that_failed_and_in_the_next_process()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), MaxRowsPerBatch = 3 };
        var channel = Channel.CreateUnbounded<int>();
        foreach (var i in Enumerable.Range(0, 8)) channel.Writer.TryWrite(i);
        await using (var failing = context.ReadStream.From(channel.Reader).WriteStream.ForeachBatch((_, batch) => batch == 1 ? throw new IOException("full") : Task.CompletedTask, options))
        {
            Assert.Equal("STREAM_IN_USE", Assert.Throws<StreamingException>(() => context.ReadStream.From(channel.Reader).WriteStream.Start(new MemorySink())).Kind);
            await Assert.ThrowsAsync<IOException>(() => failing.AwaitTerminationAsync());
        }
        var (sink, next) = (new MemorySink(), Channel.CreateUnbounded<int>());
        next.Writer.TryWrite(100);
        await using var query = context.ReadStream.From(next.Reader).WriteStream.Start(sink, options);
        await query.ProcessAllAvailableAsync();
        Assert.Equal([3, 4, 5, 6, 7, 100], sink.Rows.Select(row => row.Get<int>("value")));
        Assert.Equal([3, 4, 5], sink.RowsOf(1).Select(row => row.Get<int>("value")));
    }

    [Fact]
    public async Task A_sequence_that_fails_ends_the_query_with_that_error_behind_the_rows_before_it()
    {
        await using var context = DataflowContext.Local(1);
        var sink = new MemorySink();
        await using var query = context.ReadStream.From(Items()).WriteStream.Start(sink, new() { Trigger = Trigger.AvailableNow, MaxRowsPerBatch = 2 });
        Assert.Equal("The source is dry.", (await Assert.ThrowsAsync<InvalidOperationException>(() => query.AwaitTerminationAsync())).Message);
        Assert.Equal(["a", "b", "c"], sink.Texts());

        static async IAsyncEnumerable<string> Items([EnumeratorCancellation] CancellationToken stop = default)
        {
            foreach (var text in new[] { "a", "b", "c" })
            {
                await Task.Delay(1, stop);
                yield return text;
            }
            throw new InvalidOperationException("The source is dry.");
        }
    }

    [Fact]
    public async Task A_sequence_waits_while_too_much_is_unread_and_is_told_when_the_query_stops()
    {
        await using var context = DataflowContext.Local(1);
        var (given, told, mayRead) = (0, new TaskCompletionSource(), new TaskCompletionSource());
        await using var query = context.ReadStream.From(Items(), new() { MaxUnreadBytes = 2000 }).WriteStream.ForeachBatch((_, _) => mayRead.Task, new());
        await Waiting.Until(() => Volatile.Read(ref given) > 0 && query.IsActive);
        await Assert.ThrowsAsync<TimeoutException>(() => query.ProcessAllAvailableAsync().WaitAsync(TimeSpan.FromMilliseconds(200)));
        Assert.InRange(Volatile.Read(ref given), 1, 60);
        mayRead.SetResult();
        await Waiting.Until(() => Volatile.Read(ref given) > 200, query);
        await query.StopAsync();
        await told.Task.WaitAsync(TimeSpan.FromMinutes(1));

        async IAsyncEnumerable<string> Items([EnumeratorCancellation] CancellationToken stop = default)
        {
            try
            {
                for (var i = 0; !stop.IsCancellationRequested; i++)
                {
                    if (i % 10 == 0) await Task.Yield();
                    Volatile.Write(ref given, i + 1);
                    yield return new string('x', 30);
                }
            }
            finally
            {
                told.TrySetResult();
            }
        }
    }

    [Fact]
    public async Task Objects_that_can_not_be_read_again_are_a_named_error_at_the_first_of_them()
    {
        await using var context = DataflowContext.Local(1);
        var channel = Channel.CreateUnbounded<Sealed>();
        channel.Writer.TryWrite(Sealed.Make(3));
        await using var query = context.ReadStream.From(channel.Reader).WriteStream.Start(new MemorySink());
        Assert.Equal("STREAM_OBJECT_NOT_KEPT", (await Assert.ThrowsAsync<StreamingException>(() => query.AwaitTerminationAsync())).Kind);
    }

    private sealed class Sealed
    {
        private Sealed(int value) => Value = value;

        public int Value { get; }

        public static Sealed Make(int value) => new(value);
    }
}
