using System.Net.Security;

namespace Dataflow.Streaming;

/// <summary>Versions of MQTT.</summary>
public enum MqttVersion
{
    /// <summary>MQTT 3.1.1.</summary>
    V311 = 4,

    /// <summary>MQTT 5.</summary>
    V5 = 5,
}

/// <summary>How to reach an MQTT broker, and how to behave there.</summary>
public sealed record MqttOptions
{
    /// <summary>Says where the broker is.</summary>
    /// <param name="broker"><c>mqtt://host:1883</c>, or <c>mqtts://host:8883</c> for TLS; the ports are the usual ones and may be left out.</param>
    /// <exception cref="ArgumentException">It is no such address.</exception>
    public MqttOptions(string broker)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(broker);
        var text = broker.Contains("://", StringComparison.Ordinal) ? broker : $"mqtt://{broker}";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("mqtt" or "mqtts") || uri.Host.Length == 0 || uri.UserInfo.Length > 0 || uri.PathAndQuery is not ("" or "/"))
            throw new ArgumentException($"'{broker}' is no address of a broker: mqtt://host:port, or mqtts://host:port for TLS. User and password are options of their own.", nameof(broker));
        (Host, UsesTls) = (uri.IdnHost, uri.Scheme == "mqtts");
        Port = uri.Port > 0 ? uri.Port : UsesTls ? 8883 : 1883;
    }

    /// <summary>The broker's machine.</summary>
    public string Host { get; }

    /// <summary>The broker's port.</summary>
    public int Port { get; }

    /// <summary>Whether the connection is by TLS.</summary>
    public bool UsesTls { get; }

    /// <summary>The version to speak.</summary>
    public MqttVersion Version { get; init; } = MqttVersion.V5;

    /// <summary>Who this is, to the broker: at one time only one connection may have it. Null makes one up; a source keeps it in its checkpoint.</summary>
    public string? ClientId { get; init; }

    /// <summary>Null for none.</summary>
    public string? UserName { get; init; }

    /// <summary>Null for none. Without TLS it travels in the clear.</summary>
    public string? Password { get; init; }

    /// <summary>Certificates and how the broker's is checked; null checks it as browsers do, for <see cref="Host"/>.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>How long the broker keeps what comes while this client is away. By MQTT 5 only: brokers of 3.1.1 have a setting of their own.</summary>
    public TimeSpan SessionExpiry { get; init => field = AtLeast(value, TimeSpan.Zero, nameof(SessionExpiry)); } = TimeSpan.FromDays(7);

    /// <summary>After so long without a word the connection is tried by a ping, and after as long without an answer it counts as lost. From a second to 18 hours.</summary>
    public TimeSpan KeepAlive
    {
        get;
        init => field = value <= TimeSpan.FromSeconds(ushort.MaxValue)
            ? AtLeast(value, TimeSpan.FromSeconds(1), nameof(KeepAlive))
            : throw new ArgumentOutOfRangeException(nameof(KeepAlive), value, "It is 65,535 seconds or less.");
    } = TimeSpan.FromSeconds(30);

    /// <summary>How long the broker may take to accept a connection or a subscription, and to acknowledge a message.</summary>
    public TimeSpan Timeout { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(1), nameof(Timeout)); } = TimeSpan.FromSeconds(20);

    /// <summary>The wait before the first attempt to connect again; it doubles with each that fails, up to <see cref="LongestReconnectDelay"/>, and is shortened by chance by up to a half.</summary>
    public TimeSpan ReconnectDelay { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(1), nameof(ReconnectDelay)); } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest wait between two attempts to connect.</summary>
    public TimeSpan LongestReconnectDelay { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(1), nameof(LongestReconnectDelay)); } = TimeSpan.FromSeconds(30);

    /// <summary>How long a broker may be away until that is an error which ends the query.</summary>
    public TimeSpan Patience { get; init => field = AtLeast(value, TimeSpan.Zero, nameof(Patience)); } = TimeSpan.FromMinutes(10);

    /// <summary>Messages of quality 1 or 2 that are under way at once, in either direction: 1 to 65,535.</summary>
    public int InFlight { get; init => field = value is >= 1 and <= 65535 ? value : throw new ArgumentOutOfRangeException(nameof(InFlight), value, "1 to 65,535 messages are under way at once."); } = 1000;

    /// <summary>The largest packet that is taken, in bytes; a larger one is an error.</summary>
    public int MaxPacketBytes { get; init => field = value >= 16 ? value : throw new ArgumentOutOfRangeException(nameof(MaxPacketBytes), value, "Packets have 16 bytes or more."); } = 16 << 20;

    /// <summary>Clock of pings and waits.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where waits take their chance from.</summary>
    internal Random Chance { get; init; } = Random.Shared;

    /// <summary>As <c>mqtt://host:1883</c>.</summary>
    public override string ToString() => $"{(UsesTls ? "mqtts" : "mqtt")}://{Host}:{Port}";

    private static TimeSpan AtLeast(TimeSpan value, TimeSpan least, string name) => value >= least ? value : throw new ArgumentOutOfRangeException(name, value, $"It is {least} or more.");
}
