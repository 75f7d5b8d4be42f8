using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Dataflow.Streaming.Mqtt;

/// <summary>Takes packets out of the bytes that come from a broker.</summary>
internal static class MqttPacketReader
{
    /// <summary>The next packet, if all of it is there.</summary>
    /// <param name="buffer">What came; begins behind the packet afterwards.</param>
    /// <param name="version">Of the connection.</param>
    /// <param name="mostBytes">The largest packet that is taken.</param>
    /// <param name="packet">The packet.</param>
    /// <exception cref="StreamingException">The bytes are not as MQTT says, or a packet is too large.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, MqttVersion version, int mostBytes, out MqttPacket? packet)
    {
        packet = null;
        var reader = new SequenceReader<byte>(buffer);
        if (!reader.TryRead(out var first)) return false;
        var (length, shift) = (0, 0);
        while (true)
        {
            if (!reader.TryRead(out var digit)) return false;
            length |= (digit & 0x7F) << shift;
            if ((digit & 0x80) == 0) break;
            shift += 7;
            if (shift > 21) throw MqttErrors.Malformed("a length of more than four bytes");
        }
        if (length > mostBytes) throw new StreamingException(
            "MQTT_PACKET_TOO_LARGE", $"The broker sent a packet of {length:N0} bytes, and {mostBytes:N0} are taken. Set MqttOptions.MaxPacketBytes higher, or make messages smaller.");
        if (reader.Remaining < length) return false;
        var body = reader.UnreadSequence.Slice(0, length);
        buffer = buffer.Slice(body.End);
        if (body.IsSingleSegment)
        {
            packet = Parse(first, new MqttBody(body.FirstSpan), version);
            return true;
        }
        var rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            body.CopyTo(rented);
            packet = Parse(first, new MqttBody(rented.AsSpan(0, length)), version);
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static MqttPacket Parse(byte first, MqttBody body, MqttVersion version)
    {
        var (kind, flags) = (first >> 4, first & 0xF);
        if (kind != 3 && flags != (kind == (int)MqttStep.Rel ? 2 : 0)) throw MqttErrors.Malformed($"a packet of kind {kind} with flags {flags:X}");
        MqttPacket packet = kind switch
        {
            2 => ReadConnAck(ref body, version),
            3 => ReadPublish(flags, ref body, version),
            >= (int)MqttStep.Ack and <= (int)MqttStep.Comp => ReadAcknowledgement((MqttStep)kind, ref body, version),
            9 => ReadSubAck(ref body, version),
            11 => ReadUnsubAck(ref body, version),
            13 => PingResp.Instance,
            14 when version == MqttVersion.V5 => ReadDisconnect(ref body),
            _ => throw MqttErrors.Unexpected($"a packet of kind {kind}, which this client has not asked for"),
        };
        if (body.Left > 0) throw MqttErrors.Malformed($"{body.Left} bytes too many in a packet of kind {kind}");
        return packet;
    }

    private static ConnAck ReadConnAck(ref MqttBody body, MqttVersion version)
    {
        var flags = body.Byte();
        if (flags > 1) throw MqttErrors.Malformed($"flags 0x{flags:X2} in the answer to a connection");
        var code = body.Byte();

        // One that does not speak version 5 answers without properties.
        return new ConnAck(flags == 1, code, version == MqttVersion.V5 && body.Left > 0 ? body.Properties() : MqttProperties.None);
    }

    private static Publish ReadPublish(int flags, ref MqttBody body, MqttVersion version)
    {
        var quality = (flags >> 1) & 3;
        if (quality == 3) throw MqttErrors.Malformed("a message of quality 3");
        var topic = body.Text();
        var id = quality > 0 ? body.Id() : (ushort)0;
        if (version == MqttVersion.V5 && body.Properties().HasTopicAlias) throw MqttErrors.Unexpected("an alias of a topic, which was not allowed");
        if (topic.Length == 0) throw MqttErrors.Malformed("a message without a topic");
        return new Publish(topic, body.Rest(), quality, (flags & 1) != 0, (flags & 8) != 0, id);
    }

    private static Acknowledgement ReadAcknowledgement(MqttStep step, ref MqttBody body, MqttVersion version)
    {
        var id = body.Id();
        if (version != MqttVersion.V5 || body.Left == 0) return new Acknowledgement(step, id);
        var code = body.Byte();
        return new Acknowledgement(step, id, code, body.Left == 0 ? null : body.Properties().Reason);
    }

    private static SubAck ReadSubAck(ref MqttBody body, MqttVersion version)
    {
        var id = body.Id();
        var reason = version == MqttVersion.V5 ? body.Properties().Reason : null;
        if (body.Left == 0) throw MqttErrors.Malformed("an answer to a subscription without a code");
        return new SubAck(id, body.Rest(), reason);
    }

    // By 3.1.1 without codes. Whether there was such a subscription does not matter.
    private static SubAck ReadUnsubAck(ref MqttBody body, MqttVersion version)
    {
        var id = body.Id();
        return new SubAck(id, [], version == MqttVersion.V5 && body.Properties() is var properties && body.Rest().Length > 0 ? properties.Reason : null);
    }

    private static Disconnect ReadDisconnect(ref MqttBody body)
    {
        if (body.Left == 0) return new Disconnect(0, null);
        var code = body.Byte();
        return new Disconnect(code, body.Left == 0 ? null : body.Properties().Reason);
    }
}

/// <summary>The bytes of a packet behind its length, read from front to back.</summary>
internal ref struct MqttBody(ReadOnlySpan<byte> bytes)
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private ReadOnlySpan<byte> _left = bytes;

    public readonly int Left => _left.Length;

    public byte Byte() => Take(1)[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public byte[] Rest() => Take(_left.Length).ToArray();

    /// <summary>The number of a packet, which is never 0.</summary>
    public ushort Id() => UInt16() is var id and > 0 ? id : throw MqttErrors.Malformed("a packet with the number 0");

    public string Text()
    {
        var bytes = Take(UInt16());
        try
        {
            return !bytes.Contains((byte)0) ? Utf8.GetString(bytes) : throw MqttErrors.Malformed("a text with a zero in it");
        }
        catch (DecoderFallbackException)
        {
            throw MqttErrors.Malformed("a text that is not UTF-8");
        }
    }

    /// <summary>The properties of a packet, with their length before them.</summary>
    public MqttProperties Properties()
    {
        var left = new MqttBody(Take(Variable()));
        if (left.Left == 0) return MqttProperties.None;
        var found = new MqttProperties();
        while (left.Left > 0)
        {
            switch (left.Byte())
            {
                case 0x01 or 0x17 or 0x19 or 0x28 or 0x29 or 0x2A: left.Byte(); break;
                case 0x02 or 0x11 or 0x18: left.UInt32(); break;
                case 0x03 or 0x08 or 0x15 or 0x1A or 0x1C: left.Text(); break;
                case 0x09 or 0x16: left.Take(left.UInt16()); break;
                case 0x0B: left.Variable(); break;
                case 0x12: found = found with { AssignedClientId = left.Text() }; break;
                case 0x13: found = found with { KeepAliveSeconds = left.UInt16() }; break;
                case 0x1F: found = found with { Reason = left.Text() }; break;
                case 0x21: found = found with { ReceiveMaximum = left.Id() }; break;
                case 0x22: left.UInt16(); break;
                case 0x23: left.UInt16(); found = found with { HasTopicAlias = true }; break;
                case 0x24: found = found with { MaximumQuality = left.Byte() }; break;
                case 0x25: found = found with { RetainAvailable = left.Byte() != 0 }; break;
                case 0x26: left.Text(); left.Text(); break;
                case 0x27: found = found with { MaximumPacketBytes = left.UInt32() }; break;
                case var other: throw MqttErrors.Malformed($"a property 0x{other:X2}, which MQTT 5 does not have");
            }
        }
        return found;
    }

    private int Variable()
    {
        var value = 0;
        for (var shift = 0; shift <= 21; shift += 7)
        {
            var digit = Byte();
            value |= (digit & 0x7F) << shift;
            if ((digit & 0x80) == 0) return value;
        }
        throw MqttErrors.Malformed("a length of more than four bytes");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _left.Length) throw MqttErrors.Malformed($"a packet that ends {count - _left.Length} bytes too early");
        var taken = _left[..count];
        _left = _left[count..];
        return taken;
    }
}
