using System.Collections.Concurrent;
using Dataflow.Closures;
using Dataflow.Cluster;
using Dataflow.Diagnostics;
using Dataflow.Scheduling;
using Dataflow.Storage;
using Dataflow.TaskScheduling;
using Dataflow.Tasks;
using Microsoft.Extensions.Logging;

namespace Dataflow;

// What the context owns, from its start to its end.
public sealed partial class DataflowContext
{
    private readonly ConcurrentDictionary<Type, object> _state = new();
    private readonly List<IDisposable> _owned = [];
    private readonly ExecutorServices _services;
    private readonly IDispatcher _dispatcher;
    private readonly IExecutorBackend _backend;
    private readonly ListenerBus _listeners;
    private readonly SchedulerLoop _loop;
    private int _stopping;

    private DataflowContext(DataflowOptions options, Func<IExecutorBackend, IExecutorBackend> wrap, DriverNode? node = null, IDispatcher? dispatcher = null, TimeProvider? time = null)
    {
        _node = node;
        Options = options;
        _madeAt = CallSite.Here("DataflowContext.Local");
        time ??= TimeProvider.System;
        _services = new ExecutorServices(new ExecutorId(0), new WorkerId(0), options, time: time);
        _listeners = new ListenerBus(options.ListenerQueueLength, dispatcher ?? PoolDispatcher.Shared, time);
        _dispatcher = dispatcher ?? new ThreadDispatcher("dataflow scheduler");
        _backend = wrap(new LocalBackend(_services, options.Threads, time));
        _loop = new SchedulerLoop(options, _backend, _dispatcher, time, new Random(options.Seed), _listeners);
        _services.Commits = _loop;
        _services.Meetings = _loop;
        _services.MapOutputs = _loop.MapOutputs;
        if (node is not null) node.Backend.MapOutputs = _loop.MapOutputs;
        try
        {
            Listen(options, time);
        }
        catch
        {
            Dispose();
            throw;
        }
        Warm();
    }

    /// <summary>Tells a listener what happens from now on.</summary>
    /// <param name="listener">Called one event at a time, on a thread of its own; a slow one loses events, which are counted.</param>
    public void AddListener(JobListener listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        ThrowIfStopped();
        _listeners.Add(listener);
    }

    /// <summary>Tells a listener nothing any more.</summary>
    /// <param name="listener">Added before.</param>
    public void RemoveListener(JobListener listener) => _listeners.Remove(listener);

    internal ExecutorServices Services => _services;

    /// <summary>What schedules its jobs, for whoever plays the world around it.</summary>
    internal SchedulerLoop Loop => _loop;

    /// <summary>What is kept of cached Rdds.</summary>
    public IReadOnlyList<CachedRdd> CachedRdds => _services.Blocks.Cached;

    /// <summary>One object per subsystem: what a layer on top of the engine must remember of this context.</summary>
    /// <remarks>Made at first use. Disposed with the context if it is disposable.</remarks>
    /// <typeparam name="TState">Its type, of which there is one per context.</typeparam>
    public TState State<TState>()
        where TState : class, new()
    {
        ThrowIfStopped();
        return (TState)_state.GetOrAdd(typeof(TState), static _ => new TState());
    }

    /// <summary>Ends running jobs and frees everything the context holds. Safe to call twice.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Ends running jobs and frees everything the context holds. Safe to call twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _stopping, 1) != 0) return;
        _stoppedAt = CallSite.Here("Dispose");
        await _loop.StopAsync($"the context was stopped by {_stoppedAt}").ConfigureAwait(false);
        foreach (var state in _state.Values.OfType<IDisposable>()) state.Dispose();
        _backend.Dispose();
        if (_node is not null) await _node.DisposeAsync().ConfigureAwait(false);
        await _listeners.FlushAsync(TimeSpan.FromSeconds(5)).ConfigureAwait(false);
        foreach (var owned in _owned) owned.Dispose();
        (_dispatcher as IDisposable)?.Dispose();
        _services.Dispose();
    }

    /// <summary>Drops what is kept of an Rdd. Called by Unpersist, and by the garbage collector's thread when nobody can ask for it any more.</summary>
    internal void DropBlocks(int rdd)
    {
        if (Volatile.Read(ref _stopping) != 0) return;
        _services.Blocks.Remove(rdd);
        _loop.Unpersist(rdd);
    }

    /// <summary>Drops the outputs of a shuffle that nobody can read any more.</summary>
    /// <param name="shuffle">The shuffle.</param>
    /// <param name="mayRun">Whether this thread may do it: not that of the garbage collector. To wake another one costs more.</param>
    internal void DropShuffle(ShuffleId shuffle, bool mayRun)
    {
        if (Volatile.Read(ref _stopping) == 0) _loop.RemoveShuffle(shuffle, mayRun);
    }

    /// <summary>Drops what tasks keep in the <see cref="Storage.ExecutorState"/> of their executors for partitions, under keys of a name.</summary>
    /// <remarks>Returns at once. Objects that tasks use live on until those end; a task that asks for one afterwards makes it anew.</remarks>
    /// <param name="name">As given to <see cref="Storage.ExecutorState.KeyOf(string, int)"/>.</param>
    public void DropState(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (Volatile.Read(ref _stopping) == 0) _loop.DropState(name);
    }

    private void Listen(DataflowOptions options, TimeProvider time)
    {
        var metrics = new EngineMetrics(_services.Pool, _services.Memory);
        _owned.Add(metrics);
        if (options.Progress && ConsoleProgress.OfConsole(time) is { } progress)
        {
            _listeners.Add(progress);
            if (_node is { } node)
            {
                var notice = new WaitNotice(Console.Error, () => node.View.ExecutorCount == 0 ? node.View.DescribeJoining() : null, time);
                _owned.Add(notice);
                _listeners.Add(notice);
            }
        }
        if (options.EventLogFolder is { } folder)
        {
            var log = new EventLog(folder, options.Name, time);
            _owned.Add(log);
            _listeners.Add(log);
        }
        if (options.LoggerFactory is { } factory) _listeners.Add(new JobLogger(factory.CreateLogger("Dataflow")));
        _listeners.Add(metrics);
    }

    // The first call site and the first look at a lambda compile code for some milliseconds: it may as well happen while the program goes on.
    private static void Warm() => ThreadPool.UnsafeQueueUserWorkItem(
        static _ =>
        {
            var captured = Environment.ProcessId;
            _ = CallSite.Here("Map");
            ClosureGuard.Check((int x) => x + captured, "Map");
        },
        null);
}
