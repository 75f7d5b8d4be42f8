using System.Globalization;
using System.Text;
using Dataflow.Streaming.Mqtt;
using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests.Mqtt;

/// <summary>Messages of quality 2 come once, wherever a connection is cut and a query ended.</summary>
public sealed class ExactlyOnceTests
{
    private const int Messages = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [FactRequiringTool("mosquitto", "mosquitto mosquitto-clients")]
    public Task A_query_reads_each_message_once_wherever_its_connection_is_cut() => ReadAsync(startsAnew: false);

    [FactRequiringTool("mosquitto", "mosquitto mosquitto-clients")]
    public Task A_query_that_ends_with_its_connection_and_starts_again_reads_each_message_once() => ReadAsync(startsAnew: true);

    [FactRequiringTool("mosquitto", "mosquitto mosquitto-clients")]
    public async Task Each_message_is_sent_once_wherever_the_connection_is_cut()
    {
        using var broker = new MosquittoBroker();
        using var relay = new CuttingRelay(broker.Options);
        foreach (var version in new[] { MqttVersion.V311, MqttVersion.V5 })
        {
            // A reader each: mosquitto_sub may leave before it has acknowledged the last, which then comes again.
            var reader = $"reader-{version}";
            broker.Subscribe(reader, "t");
            var sent = new List<string>();
            foreach (var cut in CuttingRelay.Handshake(clientSends: true))
            {
                var isCut = relay.CutAsync(cut, staysClosed: false);
                var texts = Enumerable.Range(sent.Count, Messages).Select(i => i.ToString(CultureInfo.InvariantCulture)).ToArray();
                sent.AddRange(texts);
                await MqttPublisher.SendAsync(
                    Through(relay, version) with { ClientId = "writer" }, [.. texts.Select(text => new Publish("t", Encoding.UTF8.GetBytes(text), 2, false, false, 0))], default).WaitAsync(Patience);
                Assert.True(isCut.IsCompleted, $"{cut}");
            }
            broker.Publish("t", ["end"]);
            Assert.Equal([.. sent, "end"], broker.Receive(reader, "t", sent.Count + 1).Select(line => line.Split(' ')[^1]));
        }
    }

    [Fact]
    public void A_number_that_was_released_is_free_also_after_a_start()
    {
        using var folder = new TempDirectory();
        using (var first = new MqttReleases(folder.Combine("released"), flush: false))
        {
            for (var place = 0; place < 4; place++) first.Hold((ushort)(place + 1), place);
            first.Release([2, 9]);
            Assert.Equal([true, false, true, true], Held(first));
            Assert.Equal(0, first.Oldest);
            first.Release([1]);
            Assert.Equal(2, first.Oldest);

            // The number comes again, for another message.
            first.Hold(2, 4);
        }
        using (var later = Recalled(5))
        {
            Assert.Equal([false, true, true, true], Held(later));
            later.Release([2, 3, 4]);
            Assert.Equal(long.MaxValue, later.Oldest);
        }

        // Lines that an end of the process cut, or the loss of power, were never said to be there.
        using (var file = File.Open(folder.Combine("released"), FileMode.Open)) file.SetLength(file.Length - 5);
        using (var torn = Recalled(5))
        {
            Assert.Equal([false, false, false, true], Held(torn));
            torn.Release([4]);
        }
        using (var again = Recalled(5)) Assert.Equal(long.MaxValue, again.Oldest);
        using (var unknown = Recalled(7)) unknown.ReleaseAll(7);
        using (var none = Recalled(7)) Assert.Equal(long.MaxValue, none.Oldest);
        using (var next = Recalled(8)) Assert.Equal(7, next.Oldest);

        MqttReleases Recalled(int messages)
        {
            var releases = new MqttReleases(folder.Combine("released"), flush: false);
            for (var place = 0; place < messages; place++) releases.Recall((ushort)(place < 4 ? place + 1 : 2), place);
            return releases;
        }

        static bool[] Held(MqttReleases releases) => [.. Enumerable.Range(1, 4).Select(id => releases.IsHeld((ushort)id))];
    }

    [Fact]
    public void The_file_of_released_numbers_does_not_grow_for_ever()
    {
        using var folder = new TempDirectory();
        var path = folder.Combine("released");
        ushort[] ids = [.. Enumerable.Range(1, 1000).Select(id => (ushort)id)];
        using (var releases = new MqttReleases(path, flush: false))
        {
            for (var place = 0L; place < 200_000; place += ids.Length)
            {
                foreach (var id in ids) releases.Hold(id, place + id);
                releases.Release([.. ids]);
            }
        }
        Assert.InRange(new FileInfo(path).Length, 16 * 1000, 2 << 20);
        using var later = new MqttReleases(path, flush: false);
        later.Recall(1000, 200_000);
        Assert.False(later.IsHeld(1000));
        later.Recall(1000, 200_001);
        Assert.True(later.IsHeld(1000));
    }

    private static async Task ReadAsync(bool startsAnew)
    {
        using var broker = new MosquittoBroker();
        using var relay = new CuttingRelay(broker.Options);
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        foreach (var version in new[] { MqttVersion.V311, MqttVersion.V5 })
        {
            var checkpoint = folder.Combine(version.ToString());
            var rows = context.ReadStream.From(new MqttSource(Through(relay, version), "t") { Quality = 2 }).Select(Col("payload").Cast("string").As("text"), Col("qos"));
            var sink = new MemorySink();
            var query = Start();
            await MqttCheckpoint.WaitForSubscriptionAsync(checkpoint);
            var sent = 0;
            foreach (var cut in CuttingRelay.Handshake(clientSends: false))
            {
                var isCut = relay.CutAsync(cut, staysClosed: startsAnew);
                broker.Publish("t", Enumerable.Range(sent, Messages).Select(i => i.ToString(CultureInfo.InvariantCulture)), "-q 2");
                sent += Messages;
                await Task.WhenAny(isCut, query.AwaitTerminationAsync()).WaitAsync(Patience);
                if (!startsAnew) continue;
                await query.DisposeAsync();
                relay.Open();
                query = Start();
            }
            using var patience = new CancellationTokenSource(Patience);
            while (sink.Rows.Count < sent)
            {
                if (!query.IsActive) await query.AwaitTerminationAsync();
                await query.ProcessAllAvailableAsync(patience.Token);
            }
            broker.Publish("t", ["end"], "-q 2");
            while (sink.Rows.Count < sent + 1) await query.ProcessAllAvailableAsync(patience.Token);
            await query.DisposeAsync();
            Assert.Equal([.. Enumerable.Range(0, sent).Select(i => $"{i} 2"), "end 2"], sink.Rows.Select(row => $"{row.Get<string>("text")} {row.Get<int>("qos")}"));

            StreamingQuery Start() => rows.WriteStream.Start(sink, new() { Checkpoint = checkpoint });
        }
    }

    private static MqttOptions Through(CuttingRelay relay, MqttVersion version) => new(relay.Address)
    {
        Version = version,
        InFlight = 4,
        ReconnectDelay = TimeSpan.FromMilliseconds(2),
        LongestReconnectDelay = TimeSpan.FromMilliseconds(20),
    };
}
