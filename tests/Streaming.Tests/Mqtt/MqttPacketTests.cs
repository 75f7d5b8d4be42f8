using System.Buffers;
using System.Text;
using Dataflow.Streaming.Mqtt;

namespace Dataflow.Streaming.Tests.Mqtt;

/// <summary>Packets, byte by byte.</summary>
public sealed class MqttPacketTests
{
    private const int Most = 1 << 20;

    // The packets of the standards' own examples, and such as brokers send.
    private static readonly byte[] Stream5 =
    [
        0x20, 0x13, 0x01, 0x00, 0x10, 0x21, 0x00, 0x14, 0x22, 0x00, 0x0A, 0x27, 0x00, 0x00, 0x10, 0x00, 0x13, 0x00, 0x3C, 0x24, 0x01,
        0x90, 0x08, 0x00, 0x01, 0x04, 0x1F, 0x00, 0x01, (byte)'n', 0x01,
        0x3B, 0x0E, 0x00, 0x03, (byte)'a', (byte)'/', (byte)'b', 0x12, 0x34, 0x02, 0x01, 0x01, (byte)'h', (byte)'a', (byte)'l', (byte)'l',
        0xD0, 0x00,
        0x40, 0x02, 0x00, 0x07,
        0x40, 0x04, 0x00, 0x08, 0x10, 0x00,
        0x50, 0x02, 0x00, 0x09,
        0x62, 0x02, 0x00, 0x0A,
        0x70, 0x0B, 0x00, 0x0B, 0x92, 0x07, 0x1F, 0x00, 0x04, (byte)'g', (byte)'o', (byte)'n', (byte)'e',
        0xB0, 0x04, 0x00, 0x01, 0x00, 0x11,
        0xE0, 0x02, 0x8B, 0x00,
    ];

    [Fact]
    public void Packets_are_the_same_wherever_the_bytes_are_split()
    {
        var whole = Describe([Stream5]);
        Assert.Equal(
            [
                "ConnAck True 0 receive 20 packet 4096 keep-alive 60 quality 1", "SubAck 1 [1] n", "Publish a/b hall 1 retained dup 4660", "PingResp", "Ack 7 0 ", "Ack 8 16 ", "Rec 9 0 ", "Rel 10 0 ", "Comp 11 146 gone", "SubAck 1 [] ",
                "Disconnect 139 ",
            ],
            whole);
        for (var first = 0; first <= Stream5.Length; first++)
        {
            for (var second = first; second <= Stream5.Length; second++) Assert.Equal(whole, Describe([Stream5[..first], Stream5[first..second], Stream5[second..]]));
        }
        Assert.Equal(whole, Describe([.. Stream5.Select(each => new[] { each })]));
    }

    [Fact]
    public void A_packet_that_is_not_whole_is_waited_for()
    {
        byte[] packet = [0x31, 0x07, 0x00, 0x01, (byte)'t', (byte)'4', (byte)'5', (byte)'6', (byte)'7'];
        for (var there = 0; there < packet.Length; there++)
        {
            var buffer = new ReadOnlySequence<byte>(packet, 0, there);
            Assert.False(MqttPacketReader.TryRead(ref buffer, MqttVersion.V311, Most, out _));
            Assert.Equal(there, buffer.Length);
        }
        var whole = new ReadOnlySequence<byte>(packet);
        Assert.True(MqttPacketReader.TryRead(ref whole, MqttVersion.V311, Most, out var read));
        Assert.Equal("4567", Encoding.UTF8.GetString(Assert.IsType<Publish>(read).Payload));
    }

    [Theory]
    [InlineData("20-02-02-00", "MQTT_MALFORMED_PACKET", "flags 0x02")]
    [InlineData("20-01-00", "MQTT_MALFORMED_PACKET", "1 bytes too early")]
    [InlineData("21-02-00-00", "MQTT_MALFORMED_PACKET", "flags 1")]
    [InlineData("36-05-00-01-61-00-01", "MQTT_MALFORMED_PACKET", "quality 3")]
    [InlineData("60-02-00-01", "MQTT_MALFORMED_PACKET", "flags 0")]
    [InlineData("52-02-00-01", "MQTT_MALFORMED_PACKET", "flags 2")]
    [InlineData("32-06-00-01-61-00-00-00", "MQTT_MALFORMED_PACKET", "number 0")]
    [InlineData("30-03-00-00-00", "MQTT_MALFORMED_PACKET", "without a topic")]
    [InlineData("30-04-00-05-61-62", "MQTT_MALFORMED_PACKET", "3 bytes too early")]
    [InlineData("30-04-00-01-FF-00", "MQTT_MALFORMED_PACKET", "not UTF-8")]
    [InlineData("30-04-00-01-00-00", "MQTT_MALFORMED_PACKET", "a zero in it")]
    [InlineData("30-05-00-01-61-01-7F", "MQTT_MALFORMED_PACKET", "property 0x7F")]
    [InlineData("30-07-00-01-61-03-23-00-01", "MQTT_PROTOCOL", "alias")]
    [InlineData("30-08-00-01-61-FF-FF-FF-FF-01", "MQTT_MALFORMED_PACKET", "more than four bytes")]
    [InlineData("30-FF-FF-FF-FF", "MQTT_MALFORMED_PACKET", "more than four bytes")]
    [InlineData("30-FF-FF-FF-7F", "MQTT_PACKET_TOO_LARGE", "268,435,455")]
    [InlineData("D0-01-00", "MQTT_MALFORMED_PACKET", "1 bytes too many")]
    [InlineData("90-02-00-01", "MQTT_MALFORMED_PACKET", "1 bytes too early")]
    [InlineData("10-00", "MQTT_PROTOCOL", "kind 1")]
    [InlineData("F0-00", "MQTT_PROTOCOL", "kind 15")]
    public void What_is_no_packet_is_an_error_that_says_what_came(string bytes, string kind, string words)
    {
        var error = Assert.Throws<StreamingException>(() => Describe([Convert.FromHexString(bytes.Replace("-", "", StringComparison.Ordinal))]));
        Assert.Equal(kind, error.Kind);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_by_chance_are_packets_or_named_errors_and_nothing_else()
    {
        for (var seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            var bytes = seed % 2 == 0 ? new byte[random.Next(1, 60)] : (byte[])Stream5.Clone();
            if (seed % 2 == 0) random.NextBytes(bytes);
            else bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                Describe([bytes]);
            }
            catch (StreamingException)
            {
                // Named.
            }
            catch (Exception error)
            {
                Assert.Fail($"Seed {seed}: {error}");
            }
        }
    }

    [Fact]
    public void A_connection_is_asked_for_as_the_standard_says()
    {
        var output = new ArrayBufferWriter<byte>();
        var options = new MqttOptions("mqtt://broker") { Version = MqttVersion.V311, UserName = "u", Password = "p", KeepAlive = TimeSpan.FromSeconds(10) };
        MqttPacketWriter.Connect(output, options, "me", isClean: true);
        Assert.Equal("10-14-00-04-4D-51-54-54-04-C2-00-0A-00-02-6D-65-00-01-75-00-01-70", BitConverter.ToString(output.WrittenSpan.ToArray()));
        output.Clear();
        MqttPacketWriter.Connect(output, new MqttOptions("mqtt://broker") { SessionExpiry = TimeSpan.FromSeconds(258), InFlight = 20, MaxPacketBytes = 4096 }, "me", isClean: false);
        Assert.Equal("10-1C-00-04-4D-51-54-54-05-00-00-1E-0D-11-00-00-01-02-21-00-14-27-00-00-10-00-00-02-6D-65", BitConverter.ToString(output.WrittenSpan.ToArray()));
    }

    [Fact]
    public void Messages_that_are_written_are_read_as_they_were()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var payload = new byte[random.Next(40_000)];
            random.NextBytes(payload);
            var quality = random.Next(3);
            var message = new Publish($"sensors/å/{random.Next()}", payload, quality, random.Next(2) == 1, random.Next(2) == 1, (ushort)(quality == 0 ? 0 : random.Next(1, 65536)));
            foreach (var version in new[] { MqttVersion.V311, MqttVersion.V5 })
            {
                var output = new ArrayBufferWriter<byte>();
                MqttPacketWriter.Publish(output, version, message);
                var buffer = new ReadOnlySequence<byte>(output.WrittenMemory);
                Assert.True(MqttPacketReader.TryRead(ref buffer, version, Most, out var read), $"Seed {seed}");
                var publish = Assert.IsType<Publish>(read);
                Assert.Equal(message with { Payload = publish.Payload }, publish);
                Assert.Equal(payload, publish.Payload);
            }
        }
    }

    [Theory]
    [InlineData("a/+/c", null)]
    [InlineData("#", null)]
    [InlineData("$share/group/a/#", null)]
    [InlineData("", "empty")]
    [InlineData("a/#/b", "follows")]
    [InlineData("a/b+", "whole levels")]
    [InlineData("$share/a/", "shared")]
    [InlineData("$share/+/a", "shared")]
    [InlineData("$share", null)]
    public void Topic_filters_are_checked_where_they_are_written(string filter, string? wrong)
    {
        if (wrong is null) MqttTopics.CheckFilter(filter, "topics");
        else Assert.Contains(wrong, Assert.Throws<ArgumentException>(() => MqttTopics.CheckFilter(filter, "topics")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost", "mqtt://localhost:1883")]
    [InlineData("mqtts://broker", "mqtts://broker:8883")]
    [InlineData("mqtt://[::1]:99", "mqtt://::1:99")]
    [InlineData("http://broker", null)]
    [InlineData("mqtt://me@broker", null)]
    [InlineData("mqtt://broker/topic", null)]
    public void Addresses_are_checked_where_they_are_written(string address, string? read)
    {
        if (read is null) Assert.Contains(address, Assert.Throws<ArgumentException>(() => new MqttOptions(address)).Message, StringComparison.Ordinal);
        else Assert.Equal(read, new MqttOptions(address).ToString().Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal));
    }

    private static string[] Describe(byte[][] pieces)
    {
        var described = new List<string>();
        var buffer = Join(pieces);
        while (MqttPacketReader.TryRead(ref buffer, MqttVersion.V5, Most, out var packet)) described.Add(Describe(packet!));
        return [.. described];
    }

    private static string Describe(MqttPacket packet) => packet switch
    {
        ConnAck it => $"ConnAck {it.SessionPresent} {it.Code} receive {it.Properties.ReceiveMaximum} packet {it.Properties.MaximumPacketBytes} keep-alive {it.Properties.KeepAliveSeconds} quality {it.Properties.MaximumQuality}",
        Publish it => $"Publish {it.Topic} {Encoding.UTF8.GetString(it.Payload)} {it.Quality}{(it.IsRetained ? " retained" : "")}{(it.IsDuplicate ? " dup" : "")} {it.Id}",
        Acknowledgement it => $"{it.Step} {it.Id} {it.Code} {it.Reason}",
        SubAck it => $"SubAck {it.Id} [{string.Join(',', it.Codes)}] {it.Reason}",
        Disconnect it => $"Disconnect {it.Code} {it.Reason}",
        _ => packet.GetType().Name,
    };

    private static ReadOnlySequence<byte> Join(byte[][] pieces)
    {
        var first = new Segment(pieces[0], null);
        var last = first;
        foreach (var piece in pieces[1..]) last = new Segment(piece, last);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes, Segment? before)
        {
            Memory = bytes;
            if (before is null) return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
