using System.Buffers.Binary;
using System.Text;
using Dataflow.Streaming.Receivers;

namespace Dataflow.Streaming.Mqtt;

// The names are those of the columns.
#pragma warning disable IDE1006
/// <summary>A message as a row.</summary>
internal sealed record MqttRow(string topic, byte[] payload, int qos, bool retained, DateTimeOffset timestamp);
#pragma warning restore IDE1006

/// <summary>A message in the log: its number at the broker (2 bytes), its quality and whether it was retained (1), the bytes of its topic (2), its topic, and what it says.</summary>
internal sealed class MqttFormat : ReceivedFormat<MqttRow>
{
    private const int HeaderBytes = 5;
    private const int Retained = 4;

    public override MqttRow Read(in ReceivedRecord record)
    {
        var message = Decode(record.Bytes.Span);
        return new MqttRow(message.Topic, message.Payload, message.Quality, message.IsRetained, record.At);
    }

    public static Publish Decode(ReadOnlySpan<byte> bytes)
    {
        var topic = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
        return new Publish(
            Encoding.UTF8.GetString(bytes.Slice(HeaderBytes, topic)), bytes[(HeaderBytes + topic)..].ToArray(),
            bytes[2] & 3, (bytes[2] & Retained) != 0, IsDuplicate: false, BinaryPrimitives.ReadUInt16BigEndian(bytes));
    }

    public static byte[] Encode(Publish message)
    {
        var topic = Encoding.UTF8.GetByteCount(message.Topic);
        var bytes = new byte[HeaderBytes + topic + message.Payload.Length];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, message.Id);
        bytes[2] = (byte)(message.Quality | (message.IsRetained ? Retained : 0));
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(3), (ushort)topic);
        Encoding.UTF8.GetBytes(message.Topic, bytes.AsSpan(HeaderBytes));
        message.Payload.CopyTo(bytes, HeaderBytes + topic);
        return bytes;
    }
}
