using Dataflow.Cluster;

namespace Dataflow.Simulation;

/// <summary>
/// The clock of a simulated run and everything that waits for it. Nothing happens between two entries; what is ready now runs before the
/// clock moves, in the order it became ready.
/// </summary>
/// <remarks>Entries are run by the simulation's own thread. Threads of driver programs may add some.</remarks>
internal sealed class VirtualTime : TimeProvider, IDispatcher
{
    private readonly object _lock = new();
    private readonly Queue<IThreadPoolWorkItem> _ready = new();
    private readonly PriorityQueue<Action, (long Ticks, long Order)> _due = new();
    private long _now;
    private long _order;

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Virtual time since the start.</summary>
    public TimeSpan Now => new(Volatile.Read(ref _now));

    /// <inheritdoc/>
    public bool RunsInline => false;

    /// <summary>Entries that were run.</summary>
    public long Steps { get; private set; }

    /// <summary>Signalled when something becomes ready, and by whoever else the simulation's thread may wait for.</summary>
    public object Sync => _lock;

    /// <summary>Whether something is to run before the clock moves.</summary>
    public bool HasReady
    {
        get
        {
            lock (_lock) return _ready.Count > 0;
        }
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + Now;

    /// <inheritdoc/>
    public override long GetTimestamp() => Volatile.Read(ref _now);

    /// <inheritdoc/>
    public void Schedule(IThreadPoolWorkItem work)
    {
        lock (_lock)
        {
            _ready.Enqueue(work);
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Has an action run later.</summary>
    public void After(TimeSpan delay, Action action)
    {
        lock (_lock) _due.Enqueue(action, (_now + Math.Max(0, delay.Ticks), _order++));
    }

    /// <summary>Runs what is ready.</summary>
    public void RunReady()
    {
        while (true)
        {
            IThreadPoolWorkItem? work;
            lock (_lock)
            {
                if (!_ready.TryDequeue(out work)) return;
            }
            Steps++;
            work.Execute();
        }
    }

    /// <summary>Moves the clock to the next entry and runs it; false if there is none.</summary>
    public bool RunNext()
    {
        Action? action;
        lock (_lock)
        {
            if (!_due.TryDequeue(out action, out var key)) return false;
            Volatile.Write(ref _now, Math.Max(_now, key.Ticks));
        }
        Steps++;
        action();
        return true;
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new VirtualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class VirtualTimer(VirtualTime time, TimerCallback callback, object? state) : ITimer
    {
        // Entries of an earlier setting do nothing.
        private int _setting;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var setting = Interlocked.Increment(ref _setting);
            if (dueTime != Timeout.InfiniteTimeSpan) Arm(setting, dueTime, period);
            return true;
        }

        public void Dispose() => Interlocked.Increment(ref _setting);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Arm(int setting, TimeSpan dueTime, TimeSpan period) => time.After(dueTime, () =>
        {
            if (Volatile.Read(ref _setting) != setting) return;
            if (period > TimeSpan.Zero) Arm(setting, period, period);
            callback(state);
        });
    }
}
