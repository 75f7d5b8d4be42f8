using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Dataflow.Cluster;
using Dataflow.Scheduling;
using Dataflow.Serialization;
using Dataflow.Shared;
using Dataflow.Shuffle;
using Dataflow.Tasks;

namespace Dataflow.Benchmarks.Cluster;

/// <summary>
/// Many executors, played by one thread: each asks where the map outputs are that its tasks read, as a real one would, and says of every task that it
/// has ended well. What they say reaches the driver as frames, which another thread decodes: that thread is the driver's.
/// </summary>
internal sealed class PlayedExecutors : IWorkerCalls, IDisposable
{
    /// <summary>What every result task gives.</summary>
    public const long Result = 17;

    private static readonly long Seed = 20251121;

    private readonly BlockingCollection<(Link Link, ControlMessage Message)> _heard = [];

    // No longer than what sockets would hold.
    private readonly BlockingCollection<(Link Link, byte[] Frame, int Length)> _said = new(boundedCapacity: 256);

    // Weak: a program that has dropped an Rdd drops the outputs of its shuffles.
    private readonly ConcurrentDictionary<StageId, WeakReference<StageBinary>> _stages = new();
    private readonly ConcurrentDictionary<StageId, ShuffleId?> _reads = new();
    private readonly List<Link> _links = [];
    private readonly Thread _player;
    private readonly Thread _receiver;
    private readonly Random _dice = new((int)Seed);
    private int _registered;
    private long _processorTime;

    public PlayedExecutors()
    {
        _player = new Thread(Play) { IsBackground = true, Name = "executors" };
        _receiver = new Thread(Receive) { IsBackground = true, Name = "links" };
        _player.Start();
        _receiver.Start();
    }

    /// <summary>What the thread that plays them has taken of the processor.</summary>
    public TimeSpan ProcessorTime => new(Interlocked.Read(ref _processorTime));

    public static string HostOf(int worker) => $"node-{worker:0000}.cluster.example";

    /// <summary>Stands before the driver's backend, to see which code a stage has.</summary>
    public IExecutorBackend Watch(ClusterBackend backend) => new Watcher(this, backend);

    /// <summary>Has an executor dial in.</summary>
    public void Add(ClusterBackend backend, int worker, int slots)
    {
        var link = new Link(this, new WorkerId(worker));
        _links.Add(link);
        backend.Accept(link);
        var url = $"http://{HostOf(worker)}:7077/";
        _said.Add(Frame(link, new RegisterExecutor(
            "benchmark", new ExecutorId(worker), new WorkerId(worker), HostOf(worker), url, $"http://{HostOf(worker)}:7078/", "/var/dataflow/shuffles", slots,
            new Dictionary<string, IReadOnlyList<string>>(), 1)));
    }

    public void WaitForAll() => SpinWait.SpinUntil(() => Volatile.Read(ref _registered) == _links.Count);

    void IWorkerCalls.Check(Uri server, Action<bool> take) => take(true);

    void IWorkerCalls.Drop(Uri server, ShuffleId shuffle) { }

    public void Dispose()
    {
        _heard.CompleteAdding();
        _player.Join();
        _said.CompleteAdding();
        _receiver.Join();
    }

    // The driver's side of all links.
    private void Receive()
    {
        foreach (var (link, frame, length) in _said.GetConsumingEnumerable())
        {
            link.Handler!.Received(ControlFrame.Decode(frame.AsSpan(0, length)));
            ArrayPool<byte>.Shared.Return(frame);
        }
    }

    private void Play()
    {
        using var writer = new BlockWriter();
        var count = 0;
        foreach (var (link, message) in _heard.GetConsumingEnumerable())
        {
            switch (message)
            {
                case Registered: Interlocked.Increment(ref _registered); break;
                case MapOutputsAnswer answer:
                    link.Known.Add(answer.Shuffle);
                    foreach (var waiting in link.Waiting.Where(waiting => _reads[waiting.Stage] == answer.Shuffle).ToArray()) End(link, waiting, writer);
                    link.Waiting.RemoveAll(waiting => _reads[waiting.Stage] == answer.Shuffle);
                    break;
                case LaunchTasks launch:
                    foreach (var task in launch.Tasks)
                    {
                        if (_reads[task.Stage] is not { } shuffle || link.Known.Contains(shuffle))
                        {
                            End(link, task, writer);
                            continue;
                        }
                        if (!link.Waiting.Exists(waiting => _reads[waiting.Stage] == shuffle)) _said.Add(Frame(link, new MapOutputsAsked(shuffle, 0)));
                        link.Waiting.Add(task);
                    }
                    break;
                case RemoveShuffle removed: link.Known.Remove(removed.Shuffle); break;
            }
            if (++count % 64 == 0 || _heard.Count == 0) Interlocked.Exchange(ref _processorTime, OwnProcessorTime().Ticks);
        }
    }

    private static TimeSpan OwnProcessorTime() =>
        TimeSpan.FromMicroseconds(long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0], CultureInfo.InvariantCulture) / 1000.0);

    private void End(Link link, TaskLaunch task, BlockWriter writer)
    {
        if (!_stages[task.Stage].TryGetTarget(out var binary)) throw new InvalidOperationException($"Stage {task.Stage} is gone, and its task {task.Task} is not.");
        object value = new SizedResult<long>(Result, sizeof(long));
        if (binary is MapStageBinary map)
        {
            var (bytes, rows) = (new long[map.Dependency.ReducePartitions], new long[map.Dependency.ReducePartitions]);
            for (var i = 0; i < bytes.Length; i++)
            {
                rows[i] = _dice.Next(500);
                bytes[i] = rows[i] * 100;
            }
            value = new MapStatus(new MapLocation(link.Worker, task.Task), bytes, rows, (ulong)(task.Partition + 1));
        }
        writer.Reset();
        TaskReport.Write(writer, binary, new TaskSucceeded(value), new TaskMetrics(), new AccumulatorUpdates());
        _said.Add(Frame(link, task.Task, writer.Written));
    }

    // By hand: the message would cost its sender two copies, and both are garbage that the driver's collector would have to count.
    private static (Link, byte[], int) Frame(Link link, TaskId task, ReadOnlySpan<byte> report)
    {
        var frame = ArrayPool<byte>.Shared.Rent(System.Buffers.Text.Base64.GetMaxEncodedToUtf8Length(report.Length) + 100);
        var length = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""[{"t":"finished","Tasks":[{"Task":{{task.Value}},"Report":" """).AsSpan().TrimEnd(), frame);
        System.Buffers.Text.Base64.EncodeToUtf8(report, frame.AsSpan(length), out _, out var written);
        length += written;
        length += Encoding.UTF8.GetBytes("\"}]}]", frame.AsSpan(length));
        return (link, frame, length);
    }

    private static (Link, byte[], int) Frame(Link link, ControlMessage message)
    {
        using var writer = new FrameWriter(LinkLimits.Default.MaxFrameBytes);
        var next = message;
        var bytes = writer.Fill(() => next, () => next = null);
        var frame = ArrayPool<byte>.Shared.Rent(bytes.Length);
        bytes.CopyTo(frame);
        return (link, frame, bytes.Length);
    }

    /// <summary>The driver's end of a link: what it sends is encoded, as its sending loop would, and then only looked at.</summary>
    private sealed class Link(PlayedExecutors all, WorkerId worker) : IControlChannel
    {
        [ThreadStatic] private static FrameWriter? _writer;
        [ThreadStatic] private static ControlMessage? _next;

        public WorkerId Worker => worker;

        public IControlHandler? Handler { get; private set; }

        /// <summary>Shuffles whose outputs it was told of.</summary>
        public HashSet<ShuffleId> Known { get; } = [];

        /// <summary>Tasks that wait for that.</summary>
        public List<TaskLaunch> Waiting { get; } = [];

        public string Peer => HostOf(worker.Value);

        public void Start(IControlHandler handler) => Handler = handler;

        public bool Send(ControlMessage message)
        {
            _writer ??= new FrameWriter(LinkLimits.Default.MaxFrameBytes);
            _next = message;
            _writer.Fill(static () => _next, static () => _next = null);
            if (!all._heard.IsAddingCompleted) all._heard.Add((this, message));
            return true;
        }

        public ValueTask CloseAsync(string reason) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        public byte[] Seal(ReadOnlySpan<byte> secret) => secret.ToArray();

        public byte[] Unseal(ReadOnlySpan<byte> sealedSecret) => sealedSecret.ToArray();
    }

    private sealed class Watcher(PlayedExecutors all, ClusterBackend backend) : IExecutorBackend
    {
        public bool HasPlaces => backend.HasPlaces;

        public void Start(Action<SchedulerEvent, bool> report) => backend.Start(report);

        public void Prepare(StageBinary binary, CallSite? action) => backend.Prepare(binary, action);

        public void Launch(ExecutorId executor, IReadOnlyList<StageTask> tasks)
        {
            foreach (var task in tasks)
            {
                var stage = task.Description.Stage;
                if (all._stages.ContainsKey(stage)) continue;
                all._reads[stage] = ReadBy(task.Binary.Rdd);
                all._stages[stage] = new WeakReference<StageBinary>(task.Binary);
            }
            backend.Launch(executor, tasks);
        }

        public void Kill(ExecutorId executor, TaskId task, string reason) => backend.Kill(executor, task, reason);

        public void CheckWorker(WorkerId worker) => backend.CheckWorker(worker);

        public void DropCached(int rdd, long epoch) => backend.DropCached(rdd, epoch);

        public void DropShuffle(ShuffleId shuffle) => backend.DropShuffle(shuffle);

        public void DropState(string name) => backend.DropState(name);

        public void Dispose() => backend.Dispose();

        private static ShuffleId? ReadBy(Rdd rdd)
        {
            while (rdd.Dependencies is [var dependency])
            {
                if (dependency is ShuffleDependency shuffle) return shuffle.ShuffleId;
                rdd = dependency.Rdd;
            }
            return null;
        }
    }
}
