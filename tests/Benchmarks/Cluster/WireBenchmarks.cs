using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dataflow.Benchmarks.Running;
using Dataflow.Cluster;
using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.Benchmarks.Cluster;

/// <summary>Links and blocks over loopback, both ends in this process.</summary>
internal static class WireBenchmarks
{
    public static IEnumerable<Benchmark> All { get; } =
    [
        new("blocks over loopback", PlainBlocks),
        new("blocks over loopback with TLS", TlsBlocks),
        new("control messages", Messages),
    ];

    private static IEnumerable<Measurement> PlainBlocks(Session session)
    {
        using var blocks = new ServedSegments(NodeOptions.Default, session.Size(8000));
        var (ours, peer) = session.Duel(blocks.Fetch, () => RawSockets(blocks.Bytes), repetitions: 3);
        yield return new("blocks over loopback, 2 GB in segments of 256 KB, against a raw socket copy", "GB/s",
            blocks.Bytes / ours / 1e6, blocks.Bytes / peer / 1e6, 0.25, 0.4, HigherIsBetter: true);
        yield return new("blocks over loopback, 2 GB in segments of 256 KB", "GB/s", blocks.Bytes / ours / 1e6, null, 1.2, 1.8, HigherIsBetter: true);
    }

    private static IEnumerable<Measurement> TlsBlocks(Session session)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=dataflow", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var blocks = new ServedSegments(
            NodeOptions.Default with { Tls = new TlsOptions { Certificate = certificate, Trusted = [certificate] } }, session.Size(8000));
        blocks.Fetch();
        var times = Enumerable.Range(0, 3).Select(_ =>
        {
            Session.Time(blocks.Fetch, out var milliseconds);
            return milliseconds;
        }).ToArray();
        yield return new("blocks over loopback with TLS, 2 GB in segments of 256 KB", "GB/s",
            blocks.Bytes / Session.Median(times) / 1e6, null, 0.7, 1.0, HigherIsBetter: true);
    }

    private static long RawSockets(long bytes) => Task.WhenAll(Enumerable.Range(0, Session.Cores).Select(async _ =>
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var sending = Task.Run(async () =>
        {
            using var socket = await listener.AcceptAsync();
            var buffer = new byte[ServedSegments.SegmentBytes];
            for (var left = bytes / Session.Cores; left > 0;)
                left -= await socket.SendAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)));
        });
        using var receiver = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await receiver.ConnectAsync(listener.LocalEndPoint!);
        var received = 0L;
        var target = new byte[ServedSegments.SegmentBytes];
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
        [new TaskLaunch(new(task), new(1), new(2), 0, task, 0, false, 1, 1, [1, 2, 3, 4], 0, new Dictionary<string, IReadOnlyList<string>>(), null, [], new Dictionary<string, string>())]);

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
}
