using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Dataflow.Benchmarks.Running;
using Dataflow.Cluster;
using Dataflow.Scheduling;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Benchmarks.Cluster;

/// <summary>Links and blocks over loopback, both ends in this process.</summary>
internal static class WireBenchmarks
{
    private const string Application = "bench";
    private const int SegmentBytes = 256 << 10;

    public static IEnumerable<Benchmark> All { get; } =
    [
        new("blocks over loopback", Blocks),
        new("control messages", Messages),
    ];

    private static IEnumerable<Measurement> Blocks(Session session)
    {
        var segments = session.Size(8000);
        var total = (long)segments * SegmentBytes;
        using var pool = new NativePool();
        using var memory = pool.Rent(4 << 20);
        memory.Span.Fill(7);
        var secret = ClusterToken.Create();
        var server = NodeServer.StartAsync(NodeOptions.Default, _ => { }).GetAwaiter().GetResult();
        server.Admit(Application, secret, new Segments(memory));
        using var client = new NodeClient();
        var source = new BlockSource(server.Url, Application, secret);

        // Two reduce tasks at once, each with one request for a segment of every map.
        long Fetch() => Task.WhenAll(Enumerable.Range(0, Session.Cores).Select(task => Task.Run(async () =>
        {
            var read = 0L;
            var reader = new RemoteBlockReader(client, pool);
            var names = Enumerable.Range(0, segments / Session.Cores).Select(map => BlockName.Shuffle(new ShuffleId(task), map, new TaskId(map), 0, 1)).ToArray();
            await foreach (var block in reader.FetchAsync(source, names, new BytesInFlight()))
            {
                if (block.Failure is not null) throw new InvalidOperationException(block.Problem);
                read += block.Bytes;
                block.Dispose();
            }
            return read;
        }))).GetAwaiter().GetResult().Sum();

        var bytes = total / Session.Cores / SegmentBytes * SegmentBytes * Session.Cores;
        var (ours, peer) = session.Duel(Fetch, () => RawSockets(bytes), repetitions: 3);
        yield return new("blocks over loopback, 2 GB in segments of 256 KB, against a raw socket copy", "GB/s",
            bytes / ours / 1e6, bytes / peer / 1e6, 0.25, 0.4, HigherIsBetter: true);
        yield return new("blocks over loopback, 2 GB in segments of 256 KB", "GB/s", bytes / ours / 1e6, null, 1.2, 1.8, HigherIsBetter: true);
        server.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    private static long RawSockets(long bytes) => Task.WhenAll(Enumerable.Range(0, Session.Cores).Select(async _ =>
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var sending = Task.Run(async () =>
        {
            using var socket = await listener.AcceptAsync();
            var buffer = new byte[SegmentBytes];
            for (var left = bytes / Session.Cores; left > 0;)
                left -= await socket.SendAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)));
        });
        using var receiver = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await receiver.ConnectAsync(listener.LocalEndPoint!);
        var received = 0L;
        var target = new byte[SegmentBytes];
        while (await receiver.ReceiveAsync(target.AsMemory()) is > 0 and var count) received += count;
        await sending;
        return received;
    })).GetAwaiter().GetResult().Sum();

    private static IEnumerable<Measurement> Messages(Session session)
    {
        var count = session.Size(500_000);
        var accepted = new TaskCompletionSource<IControlChannel>();
        var server = NodeServer.StartAsync(NodeOptions.Default, link => accepted.TrySetResult(link.Channel)).GetAwaiter().GetResult();
        using var client = new NodeClient();
        var executor = client.ConnectAsync(server.Url, ScopeName.Cluster, ClusterToken.Open).GetAwaiter().GetResult();
        executor.Start(new Echo(executor));
        var driver = accepted.Task.GetAwaiter().GetResult();
        var answers = new Counter();
        driver.Start(answers);

        // Windows as a scheduler has them: so many tasks run at once.
        int Trip(int window)
        {
            var start = answers.Count;
            for (var sent = 0; sent < count;)
            {
                var step = Math.Min(Math.Max(1, window / 4), count - sent);
                for (var i = 0; i < step; i++) driver.Send(Launch(sent + i));
                sent += step;
                answers.WaitFor(start + sent - window);
            }
            answers.WaitFor(start + count);
            return count;
        }

        foreach (var window in (int[])[8, 256, 4096])
        {
            Trip(window);
            var best = double.MaxValue;
            for (var i = 0; i < 3; i++)
            {
                Trip(window);
                Session.Time(() => Trip(window), out var milliseconds);
                best = Math.Min(best, milliseconds);
            }
            yield return new($"launch and finish messages, {window:N0} tasks under way", "tasks/s", count / best * 1000, null, 20_000, 60_000, HigherIsBetter: true);
        }
        executor.DisposeAsync().AsTask().GetAwaiter().GetResult();
        server.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    private static LaunchTasks Launch(int task) => new(
        [new TaskLaunch(new(task), new(1), new(2), 0, task, 0, false, 1, 1, [1, 2, 3, 4], 0, new Dictionary<string, IReadOnlyList<string>>(), null, new Dictionary<string, string>())]);

    /// <summary>Ends every task at once.</summary>
    private sealed class Echo(IControlChannel channel) : IControlHandler
    {
        // About as long as that of a small result.
        private static readonly byte[] Report = new byte[100];

        public void Received(IReadOnlyList<ControlMessage> messages)
        {
            foreach (var message in messages)
            {
                foreach (var task in ((LaunchTasks)message).Tasks)
                    channel.Send(new TasksFinished([new TaskFinish(task.Task, Report)]));
            }
        }

        public void Ended(LinkEnd end) { }
    }

    private sealed class Counter : IControlHandler
    {
        private readonly AutoResetEvent _more = new(false);
        private long _count;

        public long Count => Interlocked.Read(ref _count);

        public void Received(IReadOnlyList<ControlMessage> messages)
        {
            Interlocked.Add(ref _count, messages.Count);
            _more.Set();
        }

        public void Ended(LinkEnd end) => _more.Set();

        public void WaitFor(long count)
        {
            while (Count < count) _more.WaitOne();
        }
    }

    /// <summary>Any segment, always the same memory.</summary>
    private sealed class Segments(NativeBuffer memory) : IBlockProvider
    {
        public ServedBlock Open(BlockName name, bool near) => ServedBlock.Of(memory.Memory.Slice(name.Second % 15 * SegmentBytes, SegmentBytes));
    }
}
