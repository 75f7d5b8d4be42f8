namespace Dataflow.Streaming.Mqtt;

/// <summary>What a broker sends.</summary>
internal abstract record MqttPacket;

/// <summary>The answer to a connection.</summary>
/// <param name="SessionPresent">Whether the broker knows the client from before.</param>
/// <param name="Code">0 if it is accepted.</param>
/// <param name="Properties">What the broker can do.</param>
internal sealed record ConnAck(bool SessionPresent, byte Code, MqttProperties Properties) : MqttPacket;

/// <summary>A message.</summary>
internal sealed record Publish(string Topic, byte[] Payload, int Quality, bool IsRetained, bool IsDuplicate, ushort Id) : MqttPacket;

/// <summary>What is said of a message by its number alone: of quality 1 that it is taken, of quality 2 that it is kept (<see cref="Rec"/>), that it will not come again
/// (<see cref="Rel"/>), and that its number is free (<see cref="Comp"/>). The values are the packets' kinds.</summary>
internal enum MqttStep : byte
{
    Ack = 4,
    Rec = 5,
    Rel = 6,
    Comp = 7,
}

/// <summary>A step behind a message of quality 1 or 2, in either direction.</summary>
internal sealed record Acknowledgement(MqttStep Step, ushort Id, byte Code = 0, string? Reason = null) : MqttPacket;

/// <summary>The answer to subscriptions, a code each, or to their end, without codes.</summary>
internal sealed record SubAck(ushort Id, byte[] Codes, string? Reason) : MqttPacket;

/// <summary>The answer to a ping.</summary>
internal sealed record PingResp : MqttPacket
{
    public static PingResp Instance { get; } = new();
}

/// <summary>The broker ends the connection (MQTT 5).</summary>
internal sealed record Disconnect(byte Code, string? Reason) : MqttPacket;

/// <summary>Those properties of packets that this client heeds; null where the broker does not say.</summary>
internal sealed record MqttProperties
{
    public static MqttProperties None { get; } = new();

    public int? ReceiveMaximum { get; init; }

    public int? MaximumQuality { get; init; }

    public bool? RetainAvailable { get; init; }

    public uint? MaximumPacketBytes { get; init; }

    public int? KeepAliveSeconds { get; init; }

    public string? AssignedClientId { get; init; }

    public string? Reason { get; init; }

    public bool HasTopicAlias { get; init; }
}
