using Dataflow.Closures;
using Dataflow.Scheduling;
using Dataflow.Serialization;
using Dataflow.Shared;
using Dataflow.Tasks;

namespace Dataflow.TestKit;

/// <summary>
/// Threads of this process that are treated like executors elsewhere: all that a task is made of goes to them as bytes, and so does all that
/// it gives.
/// </summary>
internal sealed class ShippingBackend : IExecutorBackend, IBroadcastSource
{
    private readonly IExecutorBackend _threads;
    private readonly LoadedCode _code = new();
    private readonly FetchedBroadcasts _fetched;
    private readonly Lock _lock = new();
    private readonly Dictionary<StageBinary, byte[]> _encoded = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<StageBinary, StageBinary> _copies = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<StageBinary, StageBinary> _originals = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<TaskId, StageBinary> _running = [];
    private readonly Dictionary<long, IBroadcastValue> _broadcasts = [];
    private Action<SchedulerEvent, bool> _report = static (_, _) => { };

    public ShippingBackend(IExecutorBackend threads)
    {
        _threads = threads;
        _fetched = new FetchedBroadcasts(_code, id =>
        {
            lock (_lock) return _broadcasts[id].Encode().Bytes;
        });
    }

    /// <summary>The driver's accumulators; set before the first job.</summary>
    public Func<int, Accumulator?> FindAccumulator { get; set; } = static _ => null;

    public bool HasPlaces => _threads.HasPlaces;

    /// <summary>Bytes of all code so far.</summary>
    public long CodeBytes { get; private set; }

    /// <summary>How often the code of a stage was turned into bytes.</summary>
    public int StagesEncoded { get; private set; }

    /// <summary>Stages whose code was sent.</summary>
    public int StagesShipped { get; private set; }

    /// <summary>A copy of a context's backend, for <see cref="DataflowContext.Local(DataflowOptions, Func{IExecutorBackend, IExecutorBackend})"/>.</summary>
    public static DataflowContext Context(DataflowOptions options) => Context(options, out _);

    /// <inheritdoc cref="Context(DataflowOptions)"/>
    public static DataflowContext Context(DataflowOptions options, out ShippingBackend backend)
    {
        ShippingBackend? made = null;
        var context = DataflowContext.Local(options, threads => made = new ShippingBackend(threads));
        backend = made!;
        backend.FindAccumulator = context.FindAccumulator;
        return context;
    }

    public void Start(Action<SchedulerEvent, bool> report)
    {
        _report = report;
        _threads.Start((news, idle) => report(news is TaskEnded ended ? Travelled(ended) : news, idle));
    }

    public void Prepare(StageBinary binary, CallSite? action)
    {
        lock (_lock) Encode(binary, action);
    }

    public void Launch(ExecutorId executor, IReadOnlyList<StageTask> tasks)
    {
        var copies = new List<StageTask>();
        foreach (var task in tasks)
        {
            try
            {
                copies.Add(CopyOf(task));
            }
            catch (ClosureException error)
            {
                _report(new TaskEnded(task.Description.Id, new TaskThrew(error), new TaskMetrics(), null), false);
            }
        }
        _threads.Launch(executor, copies);
    }

    public void Kill(ExecutorId executor, TaskId task, string reason) => _threads.Kill(executor, task, reason);

    public void CheckWorker(WorkerId worker) => _threads.CheckWorker(worker);

    public void DropCached(int rdd, long epoch) => _threads.DropCached(rdd, epoch);

    public void DropShuffle(ShuffleId shuffle) => _threads.DropShuffle(shuffle);

    public void DropState(string name) => _threads.DropState(name);

    public T Get<T>(long id) => _fetched.Get<T>(id);

    public void Dispose() => _threads.Dispose();

    private byte[] Encode(StageBinary binary, CallSite? action = null)
    {
        if (_encoded.TryGetValue(binary, out var known)) return known;
        var graph = ClosureCodec.Write(binary, action);
        foreach (var broadcast in graph.Broadcasts) _broadcasts.TryAdd(broadcast.Id, broadcast);
        CodeBytes += graph.Bytes.Length;
        StagesEncoded++;
        _encoded.Add(binary, graph.Bytes);
        return graph.Bytes;
    }

    private StageTask CopyOf(StageTask task)
    {
        var context = new ReadContext(_code) { Broadcasts = this };
        lock (_lock)
        {
            // Results that a job took no care to bring back are those of tests of the scheduler.
            if (!_copies.TryGetValue(task.Binary, out var copy))
            {
                copy = ClosureCodec.Read<StageBinary>(Encode(task.Binary), context);
                StagesShipped++;
                _copies.Add(task.Binary, copy);
                _originals.Add(copy, task.Binary);
            }
            var partition = ClosureCodec.Read<Partition>(ClosureCodec.Write(task.Partition).Bytes, context);
            _running[task.Description.Id] = copy;
            return copy.MakeTask(task.Description, partition, task.Epoch);
        }
    }

    private TaskEnded Travelled(TaskEnded ended)
    {
        StageBinary copy, original;
        lock (_lock)
        {
            if (!_running.Remove(ended.Task, out copy!)) return ended;
            original = _originals[copy];
        }
        using var writer = new BlockWriter();
        TaskReport.Write(writer, copy, ended.Outcome, ended.Metrics, ended.Accumulators ?? new AccumulatorUpdates());
        var (outcome, metrics, accumulators) = TaskReport.Read(writer.Written, original, FindAccumulator);
        return new TaskEnded(ended.Task, outcome, metrics, accumulators);
    }
}
