using System.Globalization;
using System.Text.Json;

namespace Dataflow.Streaming.Kafka;

/// <summary>The next offset of each partition: an offset of a stream, as text <c>{"orders":{"0":17,"1":4}}</c>, sorted.</summary>
internal sealed class KafkaPlace : SortedDictionary<KafkaPartition, long>
{
    public KafkaPlace() { }

    public KafkaPlace(IDictionary<KafkaPartition, long> offsets) : base(offsets) { }

    public static KafkaPlace Parse(string? text)
    {
        var place = new KafkaPlace();
        if (text is null) return place;
        try
        {
            foreach (var (topic, partitions) in JsonSerializer.Deserialize<Dictionary<string, Dictionary<string, long>>>(text)!)
            {
                foreach (var (partition, offset) in partitions) place[new(topic, int.Parse(partition, CultureInfo.InvariantCulture))] = offset;
            }
            return place;
        }
        catch (Exception error) when (error is JsonException or FormatException or NullReferenceException)
        {
            throw new StreamingException("CHECKPOINT_DAMAGED", $"'{text}' is no place in topics of Kafka. Begin anew with another checkpoint, or bring this one back from a copy.", error);
        }
    }

    public override string ToString()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            foreach (var topic in this.GroupBy(each => each.Key.Topic))
            {
                json.WriteStartObject(topic.Key);
                foreach (var (partition, offset) in topic) json.WriteNumber(partition.Partition.ToString(CultureInfo.InvariantCulture), offset);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }
}

/// <summary>Offsets of a partition that are read: from one up to and without another.</summary>
internal readonly record struct KafkaRange(KafkaPartition Partition, long From, long Until)
{
    public long Count => Math.Max(0, Until - From);
}

/// <summary>What a partition has.</summary>
internal readonly record struct KafkaExtent(long First, long End)
{
    /// <summary>Where one reads on who has come to an offset: there, or at the first if messages in front of it were lost, or the topic was made again.</summary>
    public long From(long offset) => offset < First || offset > End ? First : offset;
}
