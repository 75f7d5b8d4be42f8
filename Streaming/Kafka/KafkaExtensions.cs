using Dataflow.Streaming.Kafka;

namespace Dataflow.Streaming;

/// <summary>Kafka's topics as frames.</summary>
public static class KafkaExtensions
{
    extension(DataStreamReader reader)
    {
        /// <summary>Messages of topics, from their beginning: the columns of <see cref="KafkaSource"/>.</summary>
        /// <param name="servers">Addresses of brokers, <c>host:port</c>, with commas between them.</param>
        /// <param name="topics">The topics.</param>
        public DataFrame Kafka(string servers, params string[] topics) => reader.From(new KafkaSource(servers, topics));

        /// <summary>Messages of topics.</summary>
        /// <param name="options">Which, from where on, how many at once.</param>
        public DataFrame Kafka(KafkaSourceOptions options) => reader.From(new KafkaSource(options));
    }

    extension(DataStreamWriter writer)
    {
        /// <summary>Starts a query that writes its rows as messages, at least once: see <see cref="KafkaSink"/> for the columns.</summary>
        /// <param name="servers">Addresses of brokers, <c>host:port</c>, with commas between them.</param>
        /// <param name="topic">Where all rows go; null takes the column <c>topic</c>.</param>
        /// <param name="options">As for <see cref="DataStreamWriter.Start"/>.</param>
        /// <inheritdoc cref="DataStreamWriter.Start" path="/exception"/>
        public StreamingQuery Kafka(string servers, string? topic = null, StreamingQueryOptions? options = null) => writer.Start(new KafkaSink(servers, topic), options);
    }

    extension(DataFrameReader reader)
    {
        /// <summary>Messages that topics have now, as a frame: the columns of <see cref="KafkaSource"/>.</summary>
        /// <remarks>Which offsets it has is asked of the brokers now; messages are read when the frame is.</remarks>
        /// <param name="options">Which, from <see cref="KafkaSourceOptions.Starting"/> up to <see cref="KafkaSourceOptions.Ending"/>.</param>
        /// <exception cref="StreamingException">librdkafka is missing, or Kafka can't be reached.</exception>
        public DataFrame Kafka(KafkaSourceOptions options) => reader.Table(new KafkaSource(options).ToTable());
    }
}
