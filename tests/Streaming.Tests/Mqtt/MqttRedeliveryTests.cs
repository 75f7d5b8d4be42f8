using System.Text;
using Dataflow.Streaming.Mqtt;

namespace Dataflow.Streaming.Tests.Mqtt;

/// <summary>Messages that a broker sends again come once where that can be known, and never too seldom.</summary>
public sealed class MqttRedeliveryTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public void One_that_was_not_acknowledged_is_recognised()
    {
        var seen = new MqttRedeliveries(MqttVersion.V311, 100);
        seen.Note(Message(1, "a"));
        Assert.True(seen.IsKnown(Again(1, "a")));
        Assert.False(seen.IsKnown(Message(1, "a")));
        Assert.False(seen.IsKnown(Again(1, "b")));
        Assert.False(seen.IsKnown(Again(2, "a")));
        seen.Clear();
        Assert.False(seen.IsKnown(Again(1, "a")));
    }

    [Fact]
    public void One_that_was_acknowledged_may_be_another_message_unless_the_broker_counts_up()
    {
        foreach (var (version, last, isKnown) in new[] { (MqttVersion.V5, 100, false), (MqttVersion.V5, 101, true), (MqttVersion.V311, 101, false) })
        {
            var seen = new MqttRedeliveries(version, inFlight: 100);
            for (var id = 1; id <= last; id++)
            {
                seen.Note(Message(id, "21.5"));
                seen.Acknowledge((ushort)id);
            }
            Assert.Equal(isKnown, seen.IsKnown(Again(last, "21.5")));
            var later = new MqttRedeliveries(version, inFlight: 100);
            for (var id = 1; id <= last; id++) later.Recall(Message(id, "21.5"));
            Assert.Equal(isKnown, later.IsKnown(Again(last, "21.5")));
        }
    }

    [Fact]
    public void Numbers_that_went_round_are_not_taken_for_the_same_message()
    {
        var seen = new MqttRedeliveries(MqttVersion.V5, inFlight: 100);
        seen.Recall(Message(200, "21.5"));
        for (var i = 0; i < ushort.MaxValue - 101; i++)
        {
            Assert.True(seen.IsKnown(Again(200, "21.5")) || i >= ushort.MaxValue - 102);
            seen.Recall(Message(201 + (i % 100), "x"));
        }
        seen.Recall(Message(201, "x"));
        Assert.False(seen.IsKnown(Again(200, "21.5")));
    }

    [Fact]
    public async Task A_query_keeps_messages_before_it_acknowledges_them_and_drops_those_that_come_again_after_a_cut()
    {
        var acknowledged = new List<int>();
        var done = new TaskCompletionSource();
        using var broker = new ScriptedBroker(async (number, stream, stop) =>
        {
            await ScriptedBroker.AcceptAsync(stream, stop, sessionPresent: number > 0);
            if (number == 0)
            {
                await ScriptedBroker.ReadAsync(stream, stop);
                await stream.WriteAsync(new byte[] { 0x90, 4, 0, 1, 0, 1 }, stop);
                await stream.WriteAsync(Bytes(0x32, 1, "one"), stop);
                await ReadAcknowledgementAsync();

                // The broker goes with the second, of which it has seen no acknowledgement.
                await stream.WriteAsync(Bytes(0x32, 2, "two"), stop);
                return;
            }
            await stream.WriteAsync(Bytes(0x3A, 2, "two"), stop);
            await stream.WriteAsync(Bytes(0x32, 3, "three"), stop);
            await ReadAcknowledgementAsync();
            await ReadAcknowledgementAsync();
            done.SetResult();
            await ScriptedBroker.ReadAsync(stream, stop);

            async Task ReadAcknowledgementAsync()
            {
                var (first, body) = await ScriptedBroker.ReadAsync(stream, stop);
                Assert.Equal(0x40, first);
                acknowledged.Add(body[1]);
            }
        });
        await using var context = DataflowContext.Local(1);
        var sink = new MemorySink();
        await using var query = context.ReadStream.Mqtt(broker.Options, "t").WriteStream.Start(sink);
        await Task.WhenAny(done.Task, query.AwaitTerminationAsync()).WaitAsync(Patience);
        await query.ProcessAllAvailableAsync().WaitAsync(Patience);
        Assert.Equal([1, 2, 3], acknowledged);
        var texts = sink.Rows.Select(row => Encoding.UTF8.GetString(row.Get<byte[]>("payload"))).ToArray();

        // Whether the second was read before the cut, and its acknowledgement written, is for the network to say: it comes once or, if so, twice.
        Assert.Contains(string.Join(' ', texts), new[] { "one two three", "one two two three" });
    }

    private static byte[] Bytes(byte first, byte id, string text) => [first, (byte)(6 + text.Length), 0, 1, (byte)'t', 0, id, 0, .. Encoding.UTF8.GetBytes(text)];

    private static Publish Message(int id, string text) => new("t", Encoding.UTF8.GetBytes(text), 1, false, false, (ushort)id);

    private static Publish Again(int id, string text) => Message(id, text) with { IsDuplicate = true };
}
