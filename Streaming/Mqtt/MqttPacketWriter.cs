using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Dataflow.Streaming.Mqtt;

/// <summary>Writes the packets that this client sends.</summary>
internal static class MqttPacketWriter
{
    public static ReadOnlySpan<byte> PingReq => [0xC0, 0x00];

    public static ReadOnlySpan<byte> Disconnect => [0xE0, 0x00];

    /// <summary>Asks for a connection.</summary>
    public static void Connect(IBufferWriter<byte> output, MqttOptions options, string clientId, bool isClean)
    {
        var body = new ArrayBufferWriter<byte>(128);
        Text(body, "MQTT");
        Byte(body, (byte)options.Version);
        Byte(body, (byte)((isClean ? 0x02 : 0) | (options.Password is null ? 0 : 0x40) | (options.UserName is null ? 0 : 0x80)));
        UInt16(body, (ushort)Math.Ceiling(options.KeepAlive.TotalSeconds));
        if (options.Version == MqttVersion.V5)
        {
            var seconds = isClean ? 0 : (uint)Math.Min(uint.MaxValue, Math.Ceiling(options.SessionExpiry.TotalSeconds));
            Variable(body, 13);
            Byte(body, 0x11);
            UInt32(body, seconds);
            Byte(body, 0x21);
            UInt16(body, (ushort)options.InFlight);
            Byte(body, 0x27);
            UInt32(body, (uint)options.MaxPacketBytes);
        }
        Text(body, clientId);
        if (options.UserName is { } user) Text(body, user);
        if (options.Password is { } password) Text(body, password);
        Packet(output, 0x10, body.WrittenSpan);
    }

    /// <summary>Asks for messages of topics.</summary>
    public static void Subscribe(IBufferWriter<byte> output, MqttVersion version, ushort id, IReadOnlyList<string> filters, int quality)
    {
        var body = new ArrayBufferWriter<byte>(128);
        UInt16(body, id);
        if (version == MqttVersion.V5) Variable(body, 0);
        foreach (var filter in filters)
        {
            Text(body, filter);
            Byte(body, (byte)quality);
        }
        Packet(output, 0x82, body.WrittenSpan);
    }

    /// <summary>Asks for no more messages of topics.</summary>
    public static void Unsubscribe(IBufferWriter<byte> output, MqttVersion version, ushort id, IReadOnlyList<string> filters)
    {
        var body = new ArrayBufferWriter<byte>(128);
        UInt16(body, id);
        if (version == MqttVersion.V5) Variable(body, 0);
        foreach (var filter in filters) Text(body, filter);
        Packet(output, 0xA2, body.WrittenSpan);
    }

    /// <summary>Sends a message.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="version">Of the connection.</param>
    /// <param name="message">The message; its number counts if its quality is 1 or 2.</param>
    public static void Publish(IBufferWriter<byte> output, MqttVersion version, Publish message)
    {
        Byte(output, (byte)(0x30 | (message.IsDuplicate ? 8 : 0) | (message.Quality << 1) | (message.IsRetained ? 1 : 0)));
        Variable(output, LengthOf(version, message));
        Text(output, message.Topic);
        if (message.Quality > 0) UInt16(output, message.Id);
        if (version == MqttVersion.V5) Variable(output, 0);
        output.Write(message.Payload);
    }

    /// <summary>How many bytes a message takes behind its length.</summary>
    public static int LengthOf(MqttVersion version, Publish message) =>
        2 + Encoding.UTF8.GetByteCount(message.Topic) + (message.Quality > 0 ? 2 : 0) + (version == MqttVersion.V5 ? 1 : 0) + message.Payload.Length;

    /// <summary>Says a step behind a message.</summary>
    public static void Acknowledge(IBufferWriter<byte> output, MqttStep step, ushort id)
    {
        var span = output.GetSpan(4);
        (span[0], span[1]) = ((byte)(((int)step << 4) | (step == MqttStep.Rel ? 2 : 0)), 2);
        BinaryPrimitives.WriteUInt16BigEndian(span[2..], id);
        output.Advance(4);
    }

    private static void Packet(IBufferWriter<byte> output, byte first, ReadOnlySpan<byte> body)
    {
        Byte(output, first);
        Variable(output, body.Length);
        output.Write(body);
    }

    private static void Byte(IBufferWriter<byte> output, byte value)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }

    private static void UInt16(IBufferWriter<byte> output, ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(output.GetSpan(2), value);
        output.Advance(2);
    }

    private static void UInt32(IBufferWriter<byte> output, uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(output.GetSpan(4), value);
        output.Advance(4);
    }

    private static void Variable(IBufferWriter<byte> output, int value)
    {
        do
        {
            Byte(output, (byte)((value & 0x7F) | (value > 0x7F ? 0x80 : 0)));
            value >>= 7;
        }
        while (value > 0);
    }

    private static void Text(IBufferWriter<byte> output, string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        if (length > ushort.MaxValue) throw new ArgumentException($"A text of MQTT has 65,535 bytes at most, and '{text[..40]}...' has {length:N0}.", nameof(text));
        UInt16(output, (ushort)length);
        var span = output.GetSpan(length);
        output.Advance(Encoding.UTF8.GetBytes(text, span));
    }
}
