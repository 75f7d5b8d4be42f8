using System.Security.Cryptography;

namespace Dataflow.Streaming.Mqtt;

/// <summary>
/// Recognises messages that a broker sends again, because a connection ended before it saw that they were taken. A message is left out only where it can be no other one with
/// the same number and the same contents:
/// <list type="bullet">
/// <item>no acknowledgement was sent: the broker can't have used its number for another one; or</item>
/// <item>the broker counts its numbers up, which shows when one is greater than what it may have under way at once (MQTT 5): the number comes again after 65,535 others only,
/// of which all but those under way must have come here.</item>
/// </list>
/// </summary>
internal sealed class MqttRedeliveries(MqttVersion version, int inFlight)
{
    private readonly Dictionary<ushort, Seen> _seen = [];
    private long _count;
    private bool _countsUp;

    /// <summary>Whether it came before, and is kept.</summary>
    public bool IsKnown(Publish message)
    {
        if (!message.IsDuplicate || message.Quality == 0 || !_seen.TryGetValue(message.Id, out var seen) || seen.Sum != SumOf(message)) return false;
        return !seen.MayBeAcknowledged || (_countsUp && _count - seen.Count < ushort.MaxValue - inFlight);
    }

    /// <summary>A message came and is on its way to the log.</summary>
    public void Note(Publish message) => Note(message, mayBeAcknowledged: false);

    /// <summary>A message is in the log of an earlier process, which may have acknowledged it.</summary>
    public void Recall(Publish message) => Note(message, mayBeAcknowledged: true);

    /// <summary>An acknowledgement is about to be sent.</summary>
    public void Acknowledge(ushort id)
    {
        if (_seen.TryGetValue(id, out var seen)) _seen[id] = seen with { MayBeAcknowledged = true };
    }

    /// <summary>The broker has begun anew: nothing comes again, and numbers begin anew.</summary>
    public void Clear()
    {
        _seen.Clear();
        _countsUp = false;
    }

    private void Note(Publish message, bool mayBeAcknowledged)
    {
        if (message.Quality == 0) return;
        _seen[message.Id] = new Seen(SumOf(message), ++_count, mayBeAcknowledged);
        _countsUp |= version == MqttVersion.V5 && message.Id > inFlight;
    }

    private static UInt128 SumOf(Publish message)
    {
        Span<byte> sum = stackalloc byte[32];
        SHA256.HashData(MqttFormat.Encode(message), sum);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(sum);
    }

    private readonly record struct Seen(UInt128 Sum, long Count, bool MayBeAcknowledged);
}
