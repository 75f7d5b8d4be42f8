using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Dataflow.Streaming.Tests;

/// <summary>As much of a Kafka broker as is asked for places, of one topic: librdkafka's own brokers know no times. It speaks the first versions of the protocol.</summary>
internal sealed class TimedBroker : IDisposable
{
    private const string Topic = "t";
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ending = new();
    private readonly DateTimeOffset[][] _times;
    private readonly Task _running;

    /// <param name="times">When messages were written, by partition.</param>
    public TimedBroker(params DateTimeOffset[][] times)
    {
        _times = times;
        _listener.Start();
        _running = RunAsync();
    }

    public KafkaSourceOptions Options => new() { Servers = $"127.0.0.1:{Port}", Topics = [Topic], Timeout = TimeSpan.FromSeconds(20) };

    public long Rows => _times.Sum(each => (long)each.Length);

    private int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Dispose()
    {
        _ending.Cancel();
        _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        _listener.Dispose();
        _ending.Dispose();
    }

    private async Task RunAsync()
    {
        var talks = new List<Task>();
        try
        {
            while (true) talks.Add(TalkAsync(await _listener.AcceptTcpClientAsync(_ending.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(talks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task TalkAsync(TcpClient client)
    {
        using var talking = client;
        var stream = client.GetStream();
        var length = new byte[4];
        while (true)
        {
            await stream.ReadExactlyAsync(length, _ending.Token);
            var request = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
            await stream.ReadExactlyAsync(request, _ending.Token);
            var answer = Answer(new Request(request));
            BinaryPrimitives.WriteInt32BigEndian(length, answer.Length);
            await stream.WriteAsync((byte[])[.. length, .. answer], _ending.Token);
        }
    }

    private byte[] Answer(Request request)
    {
        var (kind, version, answer) = (request.Int16(), request.Int16(), new Reply());
        answer.Int32(request.Int32());
        _ = request.Text();
        switch (kind)
        {
            // Which kinds there are, with their versions: an asker that speaks a newer one asks again.
            case 18:
                answer.Int16(version == 0 ? 0 : 35).Int32(4);
                foreach (var (known, last) in new[] { (1, 2), (2, 1), (3, 0), (18, 0) }) answer.Int16(known).Int16(0).Int16(last);
                break;

            // One broker, which leads all partitions.
            case 3:
                answer.Int32(1).Int32(1).Text("127.0.0.1").Int32(Port).Int32(1).Int16(0).Text(Topic).Int32(_times.Length);
                for (var partition = 0; partition < _times.Length; partition++) answer.Int16(0).Int32(partition).Int32(1).Int32(1).Int32(1).Int32(1).Int32(1);
                break;

            // Places.
            case 2:
                _ = request.Int32();
                _ = request.Int32();
                _ = request.Text();
                var count = request.Int32();
                answer.Int32(1).Text(Topic).Int32(count);
                for (var i = 0; i < count; i++)
                {
                    var (partition, time) = (request.Int32(), request.Int64());
                    answer.Int32(partition).Int16(0).Int64(-1).Int64(Find(_times[partition], time));
                }
                break;
            default:
                throw new InvalidDataException($"A request of kind {kind} came.");
        }
        return answer.ToArray();
    }

    private static long Find(DateTimeOffset[] times, long asked) => asked switch
    {
        -1 => times.Length,
        -2 => 0,
        _ => Array.FindIndex(times, time => time.ToUnixTimeMilliseconds() >= asked),
    };

    private sealed class Request(byte[] bytes)
    {
        private int _at;

        public short Int16() => BinaryPrimitives.ReadInt16BigEndian(Take(2));

        public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

        public long Int64() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

        public string Text() => Encoding.UTF8.GetString(Take(Int16()));

        private ReadOnlySpan<byte> Take(int count)
        {
            _at += count;
            return bytes.AsSpan(_at - count, count);
        }
    }

    private sealed class Reply
    {
        private readonly List<byte> _bytes = [];

        public Reply Int16(int value) => Add((ulong)value, 2);

        public Reply Int32(int value) => Add((ulong)value, 4);

        public Reply Int64(long value) => Add((ulong)value, 8);

        public Reply Text(string text)
        {
            Int16(Encoding.UTF8.GetByteCount(text));
            _bytes.AddRange(Encoding.UTF8.GetBytes(text));
            return this;
        }

        public byte[] ToArray() => [.. _bytes];

        private Reply Add(ulong value, int count)
        {
            for (var shift = 8 * (count - 1); shift >= 0; shift -= 8) _bytes.Add((byte)(value >> shift));
            return this;
        }
    }
}
