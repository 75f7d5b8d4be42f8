using System.Diagnostics;
using System.Globalization;
using Dataflow.Streaming.Kafka;

namespace Dataflow.Streaming.Tests;

/// <summary>Brokers in a process of their own, three of them, started when a test first asks for them. Ends with this process, however that ends.</summary>
public sealed class KafkaClusterProcess : IDisposable
{
    public const string Command = "kafka-cluster";
    private const int Brokers = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private Process? _process;
    private string _servers = "";
    private int _topics;

    public string Servers
    {
        get
        {
            lock (_lock)
            {
                if (_process is not null) return _servers;
                _process = Process.Start(new ProcessStartInfo(
                    Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["exec", typeof(Program).Assembly.Location, Command])
                {
                    RedirectStandardInput = true,
                    RedirectStandardOutput = true,
                })!;
                return _servers = Answer();
            }
        }
    }

    /// <summary>A topic that no other test has.</summary>
    public string Topic(int partitions, string name = "topic") => Create($"{name}-{Interlocked.Increment(ref _topics)}", partitions);

    /// <summary>A topic of this name. Broker 1 leads all partitions.</summary>
    public string Create(string topic, int partitions)
    {
        Tell($"topic {topic} {partitions}");
        for (var i = 0; i < partitions; i++) Tell($"leader {topic} {i} 1");
        return topic;
    }

    public void Tell(string command)
    {
        _ = Servers;
        lock (_lock)
        {
            _process!.StandardInput.WriteLine(command);
            _process.StandardInput.Flush();
            Assert.Equal("done", Answer());
        }
    }

    public void Dispose()
    {
        if (_process is null) return;
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    /// <summary>The process: carries out commands until nobody gives any more.</summary>
    public static int Run()
    {
        using var cluster = new KafkaTestCluster(Brokers);
        Console.WriteLine(cluster.Servers);
        while (Console.ReadLine() is { } line)
        {
            var words = line.Split(' ');
            switch (words[0])
            {
                case "topic":
                    cluster.CreateTopic(words[1], Number(words[2]));
                    break;
                case "leader":
                    cluster.SetLeader(new KafkaPartition(words[1], Number(words[2])), Number(words[3]));
                    break;
                default:
                    cluster.SetBroker(Number(words[1]), isUp: words[0] == "up");
                    break;
            }
            Console.WriteLine("done");
        }
        return 0;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private string Answer() => _process!.StandardOutput.ReadLineAsync().WaitAsync(Patience).GetAwaiter().GetResult() ?? throw new InvalidOperationException("The brokers ended.");
}

/// <summary>Writes messages, each confirmed before the next call.</summary>
internal static unsafe class KafkaMessages
{
    public static void Write(string servers, string topic, int partition, IEnumerable<(string? Key, string? Value)> messages)
    {
        using var client = new KafkaClient(KafkaClient.Producer, KafkaSettings.Producer(servers, new Dictionary<string, string>(), TimeSpan.FromSeconds(30)));
        foreach (var (key, value) in messages)
        {
            var (keyBytes, valueBytes) = (Bytes(key), Bytes(value));
            fixed (byte* keyAt = keyBytes, valueAt = valueBytes)
            {
                var message = new KafkaMessage { Payload = value is null ? null : valueAt, Length = valueBytes.Length - 1, Key = key is null ? null : keyAt, KeyLength = keyBytes.Length - 1 };
                if (value is null) message.Length = 0;
                if (key is null) message.KeyLength = 0;
                Assert.Equal(1, Librdkafka.rd_kafka_produce_batch(client.Topic(topic), partition, 2, &message, 1));
            }
        }
        var failed = "";
        while (Librdkafka.rd_kafka_outq_len(client.Handle) > 0)
        {
            _ = Librdkafka.rd_kafka_flush(client.Handle, 100);
            while (client.Poll(0, message => failed = KafkaClient.Describe(((KafkaMessage*)message)->Error))) { }
        }
        Assert.Equal("", failed);
    }

    public static void Write(string servers, string topic, int partition, IEnumerable<string> values) => Write(servers, topic, partition, values.Select(value => ((string?)null, (string?)value)));

    // One byte more, so that an empty text has an address.
    private static byte[] Bytes(string? text) => System.Text.Encoding.UTF8.GetBytes(text + '\0');
}
