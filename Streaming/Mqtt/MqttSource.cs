using Dataflow.Files;
using Dataflow.Streaming.Execution;
using Dataflow.Streaming.Mqtt;
using Dataflow.Streaming.Receivers;

namespace Dataflow.Streaming;

/// <summary>
/// Messages of an MQTT broker: columns <c>topic</c>, <c>payload</c> (bytes), <c>qos</c>, <c>retained</c>, <c>timestamp</c> (when it was received).
/// </summary>
/// <remarks>
/// <para>Messages are written to a log in the query's checkpoint, and acknowledged when they are on the disk; what comes while the query is away stays with the broker, in a session that is
/// the query's own. With quality 1 or 2 no message is lost between the broker's acceptance and the sink, and with quality 2 none comes twice.</para>
/// <para>A message of quality 1 that the broker sends again, as it did not see the acknowledgement, comes once where it can be told from another one with the same contents: if no acknowledgement was
/// sent; and else by MQTT 5 with brokers that count their numbers up (mosquitto, and most others), after the first <see cref="MqttOptions.InFlight"/> messages. Where it can't, it comes twice.</para>
/// <para>One connection takes all. <c>$share/GROUP/TOPIC</c> shares the messages of a topic out among the queries that subscribe to it with the same group.</para>
/// </remarks>
public sealed class MqttSource : IStreamSource
{
    private static readonly MqttFormat Format = new();

    /// <summary>Describes it.</summary>
    /// <param name="options">The broker.</param>
    /// <param name="topics">What to subscribe to: topics with <c>+</c> for a level and <c>#</c> for all that follow. A message that fits several may come several times. May change from start to start.</param>
    /// <exception cref="ArgumentException">There is none, or one is not written as MQTT has it.</exception>
    public MqttSource(MqttOptions options, params string[] topics)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(topics);
        if (topics.Length == 0) throw new ArgumentException("Name a topic to subscribe to: 'sensors/#'.", nameof(topics));
        foreach (var topic in topics) MqttTopics.CheckFilter(topic, nameof(topics));
        (Options, Topics) = (options, [.. topics.Distinct()]);
    }

    /// <inheritdoc/>
    public string Name => $"MQTT topics {string.Join(", ", Topics)} at {Options}";

    /// <inheritdoc/>
    public Schema Schema => Format.Schema;

    /// <summary>0 (may be lost with a connection), 1 (at least once), or 2 (exactly once, for two steps more a message and another wait for the disk). Each message comes with this or what it was sent with, whichever is less.</summary>
    public int Quality { get; init => field = value is >= 0 and <= 2 ? value : throw new ArgumentOutOfRangeException(nameof(Quality), value, "Messages are received with quality 0, 1 or 2."); } = 1;

    /// <summary>Whether it is an error (<c>MQTT_SESSION_LOST</c>), once, if the broker has forgotten the query's session, and with it what came meanwhile.</summary>
    public bool FailsOnLostSession { get; init; } = true;

    /// <summary>How much may wait to be read by batches, and whether the disk is waited for; null for the defaults.</summary>
    public ReceiverOptions? Receiver { get; init; }

    internal MqttOptions Options { get; }

    internal string[] Topics { get; }

    /// <inheritdoc/>
    public IStreamReader Open(string folder) => new ReceiverReader(
        Name, FilePath.Combine(folder, "received"), Receiver, Format, new MqttReceiver(this, new DurableLog(FilePath.Combine(folder, "session")), FilePath.Combine(folder, "released")));
}
