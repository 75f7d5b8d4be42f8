namespace Dataflow.Streaming.Mqtt;

/// <summary>The connection to a broker is gone, or was refused for now: trying again may help.</summary>
internal sealed class MqttConnectionException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>What brokers' reason codes are called, and which of them trying again may mend.</summary>
internal static class MqttErrors
{
    /// <summary>The error of a refused connection.</summary>
    public static Exception Refused(MqttOptions options, byte code, string? reason)
    {
        var (kind, words, mayPass) = options.Version == MqttVersion.V5 ? Find(code) : code switch
        {
            1 => ("MQTT_VERSION", "does not speak MQTT 3.1.1", false),
            2 => ("MQTT_CLIENT_ID", "does not take the client's id", false),
            3 => ("MQTT_UNAVAILABLE", "is not available", true),
            4 => ("MQTT_PASSWORD", "does not take user and password", false),
            5 => ("MQTT_NOT_AUTHORIZED", "does not let this client in", false),
            _ => ("MQTT_REFUSED", $"refused the connection with code {code}", false),
        };
        return Make(kind, $"{options} {words}{Because(reason)}.{Next(kind)}", mayPass);
    }

    /// <summary>The error of something that a broker did not accept, or of a broker that ends the connection.</summary>
    /// <param name="options">The broker.</param>
    /// <param name="what">What was asked: <c>the subscription 'a/#'</c>; null for the connection.</param>
    /// <param name="code">Its reason code.</param>
    /// <param name="reason">Its own words.</param>
    public static Exception Rejected(MqttOptions options, string? what, byte code, string? reason)
    {
        var (kind, words, mayPass) = Find(code);
        return Make(kind, what is null ? $"{options} {words}, and ended the connection{Because(reason)}.{Next(kind)}" : $"{options} rejected {what}: it {words}{Because(reason)}.{Next(kind)}", mayPass);
    }

    /// <summary>A packet is not as MQTT says.</summary>
    public static StreamingException Malformed(string what) =>
        new("MQTT_MALFORMED_PACKET", $"The broker sent {what}. Either it is none for MQTT, or the version (MqttOptions.Version) is not one that it speaks.");

    /// <summary>A packet is one that must not come here.</summary>
    public static StreamingException Unexpected(string what) => new("MQTT_PROTOCOL", $"The broker sent {what}, against the protocol.");

    private static Exception Make(string kind, string message, bool mayPass) => mayPass ? new MqttConnectionException($"[{kind}] {message}") : new StreamingException(kind, message);

    private static string Because(string? reason) => string.IsNullOrEmpty(reason) ? "" : $" (\"{reason}\")";

    private static string Next(string kind) => kind switch
    {
        "MQTT_PASSWORD" => " Set MqttOptions.UserName and Password to what the broker knows.",
        "MQTT_NOT_AUTHORIZED" => " Set UserName and Password, or let the broker's access list allow it.",
        "MQTT_VERSION" => " Set MqttOptions.Version to one that it speaks.",
        "MQTT_SESSION_TAKEN_OVER" => " Another client connected with the same ClientId: give each one of its own.",
        _ => "",
    };

    private static (string Kind, string Words, bool MayPass) Find(byte code) => code switch
    {
        0x80 => ("MQTT_UNSPECIFIED", "gives no reason", false),
        0x81 => ("MQTT_MALFORMED_PACKET", "could not read a packet", false),
        0x82 => ("MQTT_PROTOCOL", "saw a packet against the protocol", false),
        0x83 => ("MQTT_IMPLEMENTATION", "does not support it", false),
        0x84 => ("MQTT_VERSION", "does not speak this version of MQTT", false),
        0x85 => ("MQTT_CLIENT_ID", "does not take the client's id", false),
        0x86 => ("MQTT_PASSWORD", "does not take user and password", false),
        0x87 => ("MQTT_NOT_AUTHORIZED", "does not allow it to this client", false),
        0x88 => ("MQTT_UNAVAILABLE", "is not available", true),
        0x89 => ("MQTT_BUSY", "is busy", true),
        0x8A => ("MQTT_BANNED", "has banned this client", false),
        0x8B => ("MQTT_SHUTTING_DOWN", "is shutting down", true),
        0x8C => ("MQTT_AUTHENTICATION", "does not support the way of authentication", false),
        0x8D => ("MQTT_KEEP_ALIVE", "heard nothing for too long", true),
        0x8E => ("MQTT_SESSION_TAKEN_OVER", "gave the session to another client", false),
        0x8F => ("MQTT_TOPIC_FILTER", "does not take the topic filter", false),
        0x90 => ("MQTT_TOPIC_NAME", "does not take the topic", false),
        0x91 => ("MQTT_PACKET_ID", "says that the packet's number is in use", true),
        0x92 => ("MQTT_PACKET_ID", "does not know the packet's number", true),
        0x93 => ("MQTT_RECEIVE_MAXIMUM", "got more messages at once than it takes", false),
        0x94 => ("MQTT_TOPIC_ALIAS", "does not know the topic's alias", false),
        0x95 => ("MQTT_PACKET_TOO_LARGE", "takes no packets as large", false),
        0x96 => ("MQTT_RATE", "gets messages at too high a rate", true),
        0x97 => ("MQTT_QUOTA", "has a quota that is used up", true),
        0x98 => ("MQTT_ADMINISTRATIVE", "was told to by an operator", true),
        0x99 => ("MQTT_PAYLOAD_FORMAT", "does not take the payload's format", false),
        0x9A => ("MQTT_RETAIN", "keeps no messages", false),
        0x9B => ("MQTT_QUALITY", "does not support this quality of service", false),
        0x9C => ("MQTT_OTHER_SERVER", "is not in charge for now: another server is", false),
        0x9D => ("MQTT_SERVER_MOVED", "has moved to another server", false),
        0x9E => ("MQTT_SHARED_SUBSCRIPTIONS", "has no shared subscriptions", false),
        0x9F => ("MQTT_CONNECTION_RATE", "gets connections at too high a rate", true),
        0xA0 => ("MQTT_CONNECT_TIME", "ended a connection at its longest", true),
        0xA1 => ("MQTT_SUBSCRIPTION_IDS", "has no subscription identifiers", false),
        0xA2 => ("MQTT_WILDCARDS", "has no subscriptions by wildcards", false),
        0x00 => ("MQTT_DISCONNECTED", "is done", true),
        _ => ("MQTT_REFUSED", $"gives the reason 0x{code:X2}", false),
    };
}
