using System.Runtime.CompilerServices;
using System.Text;
using Dataflow.Tasks;

namespace Dataflow.Storage;

/// <summary>
/// One number that the user sets bounds the private resident memory of the process, runtime included; mapped files and the page cache
/// don't count. Who wants memory reserves it here first, and what can be had again (cached blocks, idle state, finished runs) is given
/// back when somebody needs it more.
/// </summary>
/// <remarks>
/// <para><b>What is bounded, and how.</b> Native memory is known to the byte and never granted beyond the bound. The managed heap is
/// measured: what it takes is subtracted from what may be granted, at each new grant and after each collection. When the process nears the
/// bound, free buffers go back to the system, then garbage is collected, then blocks are revoked. Objects that user code makes between two
/// collections are seen only then, so the bound can be exceeded by about one generation-0 budget of the collector (a few to some tens of
/// MB). With an explicit
/// <see cref="DataflowOptions.MemoryBytes"/> the heap also gets a hard limit, under workstation collection.</para>
/// <para><b>Cost.</b> Consumers are granted 1 MB or more at a time; a reservation within it is one interlocked operation.</para>
/// <para><b>Order.</b> Requests revoke from lower <see cref="MemoryPriority"/> only, lowest first; <see cref="TryReserve"/> leaves the
/// cache 30 % of the budget.
/// <see cref="Reserve"/>, for what a task can't do without, then takes that too, asks tasks that hold more than their share, collects
/// garbage, waits for a stated time, and fails with who holds how much.</para>
/// </remarks>
public sealed class MemoryBudget : IDisposable
{
    private const long GrantBytes = 1L << 20;
    private const double CacheShare = 0.3;

    // Part of the heap that may be reserved. The rest is for what nobody reserves: elements on their way, tables, garbage. A heap full of what is
    // reserved leaves the collector nothing to collect, and user code is what meets its hard limit.
    private const double ReservableHeap = 0.75;
    private const long SmallestBytes = 8L << 20;

    // How often one that waits asks again for what could not be revoked before, because it was in use.
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(100);

    private readonly object _lock = new();
    private readonly List<MemoryConsumer> _consumers = [];
    private readonly ConditionalWeakTable<TaskContext, TaskMemory> _tasks = [];
    private readonly NativePool _pool;
    private readonly MemoryPressure? _pressure;
    private readonly TimeProvider _time;
    private readonly TimeSpan _longestWait;
    private readonly long _grantBytes;
    private HeapLimit? _heapLimit;
    private long _nativeBytes;
    private long _managedBytes;
    private int _taskCount;
    private int _waiting;

    /// <summary>Makes a budget; without a process to measure it counts reservations only.</summary>
    internal MemoryBudget(long totalBytes, NativePool pool, TimeSpan longestWait, TimeProvider? time = null, ProcessMemory? process = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(totalBytes);
        TotalBytes = totalBytes;
        _pool = pool;
        _time = time ?? TimeProvider.System;
        _longestWait = longestWait;
        _grantBytes = Math.Clamp(totalBytes / 256, 4096, GrantBytes);
        if (process is null) return;
        _pressure = new MemoryPressure(totalBytes, process, pool, _time, (bytes, objects) => Revoke((bytes, objects), MemoryPriority.Work, null, all: true));
    }

    /// <summary>The budget of an executor.</summary>
    /// <exception cref="MemoryExhaustedException"><see cref="DataflowOptions.MemoryBytes"/> is less than the process takes
    /// already.</exception>
    internal static MemoryBudget Create(DataflowOptions options, NativePool pool, TimeProvider? time = null)
    {
        if (options.EngineMemoryBytes is { } engine) return new MemoryBudget(engine, pool, options.MemoryWait, time);
        var total = options.MemoryBytes ?? MachineMemory.Bytes / 4 * 3;
        var budget = new MemoryBudget(total, pool, options.MemoryWait, time, new ProcessMemory());
        var other = budget.UnreservedBytes(0);
        if (total < other + SmallestBytes)
        {
            budget.Dispose();
            throw new MemoryExhaustedException(
                $"DataflowOptions.MemoryBytes is {Size.Of(total)}, and this process takes {Size.Of(other)} of it already (runtime, code, "
                + $"your own objects, a margin). Set it to {Size.Of(other + SmallestBytes)} at least.", total);
        }

        // The default bound is far away, and the heap of a program that did not ask for one is left alone.
        if (options.MemoryBytes is not null) budget._heapLimit = HeapLimit.TrySet(total - budget._pressure!.RuntimeBytes);
        return budget;
    }

    /// <summary>The bound, in bytes: <see cref="DataflowOptions.MemoryBytes"/> or its default.</summary>
    public long TotalBytes { get; }

    /// <summary>Bytes that all reservations together may have now: the bound less the managed heap beyond what is reserved of it, the
    /// runtime and a margin.</summary>
    public long LimitBytes
    {
        get
        {
            lock (_lock) return Math.Max(TotalBytes - UnreservedBytes(0), 0);
        }
    }

    /// <summary>Bytes granted to consumers.</summary>
    public long ReservedBytes
    {
        get
        {
            lock (_lock) return _nativeBytes + _managedBytes;
        }
    }

    /// <summary>Who holds how many bytes, largest first.</summary>
    public IReadOnlyList<(string Consumer, long Bytes)> Consumers
    {
        get
        {
            lock (_lock)
            {
                return [.. _consumers.GroupBy(consumer => consumer.Name)
                    .Select(group => (group.Key, group.Sum(consumer => consumer.UsedBytes)))
                    .Where(pair => pair.Item2 > 0).OrderByDescending(pair => pair.Item2)];
            }
        }
    }

    /// <summary>The share of a running task. Counts the task among those that share the budget, until it ends.</summary>
    /// <param name="context">The running task.</param>
    public TaskMemory ForTask(TaskContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        lock (_lock)
        {
            if (_tasks.TryGetValue(context, out var known)) return known;
            var description = context.Description;
            var task = new TaskMemory(this, $"task {description.Partition} of stage {description.Stage}");
            _tasks.Add(context, task);
            _taskCount++;
            context.OnCompletion(ended =>
            {
                ended.Metrics.PeakMemoryBytes = Math.Max(ended.Metrics.PeakMemoryBytes, task.PeakBytes);
                End(ended, task);
            });
            return task;
        }
    }

    /// <summary>Reserves memory if it is to be had now, revoking from lower priorities.</summary>
    /// <param name="bytes">Bytes.</param>
    /// <param name="consumer">Who will hold it.</param>
    /// <returns>False if there is none, or if the consumer's task has its full share: spill, or do without.</returns>
    public bool TryReserve(long bytes, MemoryConsumer consumer)
    {
        Check(bytes, consumer);
        if (consumer.TryTakeSlack(bytes)) return true;
        _pressure?.Look();
        if (TryGrant(bytes, consumer, must: false)) return true;
        if (Shortfall(bytes, consumer) is { Bytes: > 0 } missing && Revoke(missing, consumer.Priority, consumer, all: false) == 0) return false;
        return TryGrant(bytes, consumer, must: false);
    }

    /// <summary>Reserves memory that is needed to go on, waiting for it if it must.</summary>
    /// <param name="bytes">Bytes.</param>
    /// <param name="consumer">Who will hold it.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="MemoryExhaustedException">It can't be had, or not within <see cref="DataflowOptions.MemoryWait"/>.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public void Reserve(long bytes, MemoryConsumer consumer, CancellationToken cancellation = default)
    {
        if (TryReserve(bytes, consumer)) return;
        if (TryGrant(bytes, consumer, must: true)) return;
        if (Revoke(Shortfall(bytes, consumer), MemoryPriority.Work, consumer, all: true) > 0 && TryGrant(bytes, consumer, must: true)) return;
        if (_pressure is not null && _pressure.CollectGarbage() && TryGrant(bytes, consumer, must: true)) return;
        Wait(bytes, consumer, cancellation);
    }

    /// <summary>Gives reserved memory back.</summary>
    /// <param name="bytes">Bytes; at most what was reserved.</param>
    /// <param name="consumer">Who held it.</param>
    public void Release(long bytes, MemoryConsumer consumer)
    {
        Check(bytes, consumer);
        if (consumer.IsDisposed) return;
        var slack = consumer.AddSlack(bytes);
        if (slack > consumer.GrantedBytes && IsOverdrawn(consumer))
        {
            consumer.AddSlack(-bytes);
            throw new InvalidOperationException(
                $"{consumer.Name} released {Size.Of(bytes)} and holds {Size.Of(consumer.UsedBytes)}: a reservation was released twice. Please report this.");
        }
        if (slack > 2 * _grantBytes || slack >= consumer.GrantedBytes || Volatile.Read(ref _waiting) > 0)
        {
            // One grant stays at hand, unless somebody waits or the consumer uses nothing.
            lock (_lock) TakeBack(consumer, _waiting == 0 && consumer.UsedBytes > 0 ? _grantBytes : 0);
        }
    }

    // Both numbers as they are now: without the lock another thread may have taken back what the first look saw as slack.
    private bool IsOverdrawn(MemoryConsumer consumer)
    {
        lock (_lock) return !consumer.IsDisposed && consumer.AddSlack(0) > consumer.GrantedBytes;
    }

    /// <summary>Makes room on the heap after something met its limit: a quarter of the budget is asked back and garbage collected, so that trying
    /// again helps.</summary>
    public void Relieve()
    {
        Revoke((TotalBytes / 4, true), MemoryPriority.Work, null, all: true);
        _pressure?.CollectGarbage();
    }

    /// <summary>Stops measuring. Reservations can still be released.</summary>
    public void Dispose()
    {
        _heapLimit?.Dispose();
        _pressure?.Dispose();
    }

    internal void Register(MemoryConsumer consumer)
    {
        lock (_lock)
        {
            _consumers.Add(consumer);
            consumer.Task?.Add(consumer);
        }
    }

    internal void Unregister(MemoryConsumer consumer)
    {
        lock (_lock)
        {
            _consumers.Remove(consumer);
            consumer.Task?.Remove(consumer);
            consumer.TakeAllSlack();
            Count(consumer, -consumer.GrantedBytes);
            if (_waiting > 0) Monitor.PulseAll(_lock);
        }
    }

    private void End(TaskContext context, TaskMemory task)
    {
        MemoryConsumer[] left;
        lock (_lock)
        {
            if (!_tasks.Remove(context)) return;
            _taskCount--;
            left = task.Consumers;
            if (_waiting > 0) Monitor.PulseAll(_lock);
        }
        foreach (var consumer in left) consumer.Dispose();
    }

    private static void Check(long bytes, MemoryConsumer consumer)
    {
        ArgumentNullException.ThrowIfNull(consumer);
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
    }

    private bool TryGrant(long bytes, MemoryConsumer consumer, bool must)
    {
        lock (_lock) return TryGrantLocked(bytes, consumer, must);
    }

    private bool TryGrantLocked(long bytes, MemoryConsumer consumer, bool must)
    {
        ObjectDisposedException.ThrowIf(consumer.IsDisposed, consumer);
        var slack = consumer.TakeAllSlack();
        var missing = bytes - slack;
        var rounded = (missing + _grantBytes - 1) / _grantBytes * _grantBytes;
        if (missing > 0)
        {
            var granted = Fits(rounded, consumer, must) ? rounded : Fits(missing, consumer, must) ? missing : 0;
            if (granted == 0)
            {
                foreach (var other in _consumers) TakeBack(other, 0);
                if (Fits(missing, consumer, must)) granted = missing;
            }
            if (granted == 0)
            {
                consumer.AddSlack(slack);
                return false;
            }
            Count(consumer, granted);
            _pressure?.Granted(granted, Math.Max(_nativeBytes, _pool.OutstandingBytes));
            slack += granted;
        }
        if (slack > bytes) consumer.AddSlack(slack - bytes);
        return true;
    }

    private bool Fits(long bytes, MemoryConsumer consumer, bool must)
    {
        var limit = TotalBytes - UnreservedBytes(consumer.Kind == MemoryKind.Managed ? bytes : 0);
        if (_nativeBytes + _managedBytes + bytes > limit) return false;
        if (consumer.Kind == MemoryKind.Managed && _managedBytes + bytes > ReservableHeapBytes) return false;
        if (consumer.Task is not { } task || _taskCount <= 1) return true;

        // A task takes 1/n; what it can't do without may exceed that, as long as 1/2n is left for each of the others.
        var share = must ? limit - (_taskCount - 1) * limit / (2 * _taskCount) : limit / _taskCount;
        return task.GrantedBytes + bytes <= share;
    }

    // What is taken and was not reserved: the runtime, the heap beyond what is reserved of it, native buffers beyond what is reserved of
    // them.
    private long UnreservedBytes(long moreManaged)
    {
        if (_pressure is null) return 0;
        return _pressure.UnreservedHeapBytes(_managedBytes + moreManaged) + Math.Max(_pool.OutstandingBytes - _nativeBytes, 0);
    }

    private long ReservableHeapBytes => _pressure is null ? long.MaxValue : (long)((TotalBytes - _pressure.RuntimeBytes) * ReservableHeap);

    // How much has to come back, and whether only objects would help.
    private (long Bytes, bool Objects) Shortfall(long bytes, MemoryConsumer consumer)
    {
        lock (_lock)
        {
            var limit = TotalBytes - UnreservedBytes(consumer.Kind == MemoryKind.Managed ? bytes : 0);
            var missing = Math.Max(_nativeBytes + _managedBytes + bytes - limit, 0);
            var objects = consumer.Kind == MemoryKind.Managed ? _managedBytes + bytes - ReservableHeapBytes : 0;
            return objects > missing ? (objects, missing == 0) : (missing, false);
        }
    }

    private void TakeBack(MemoryConsumer consumer, long keep)
    {
        var slack = consumer.TakeAllSlack();
        if (consumer.IsDisposed) return;
        var kept = Math.Min(slack, keep);
        if (kept > 0) consumer.AddSlack(kept);
        if (slack == kept) return;
        Count(consumer, kept - slack);
        if (_waiting > 0) Monitor.PulseAll(_lock);
    }

    private void Count(MemoryConsumer consumer, long bytes)
    {
        consumer.AddGranted(bytes);
        consumer.Task?.AddGranted(bytes);
        if (consumer.Kind == MemoryKind.Managed)
        {
            _managedBytes += bytes;
            if (bytes < 0) _pressure?.Released(-bytes);
        }
        else
        {
            _nativeBytes += bytes;
        }
    }

    /// <summary>Asks consumers to give back, lowest priority first.</summary>
    /// <param name="missing">How much is wanted, and whether only of those who hold objects.</param>
    /// <param name="below">Only consumers below this priority are asked; work is asked too when all is true and its task has more than its
    /// share.</param>
    /// <param name="requester">Who wants it: never asked itself.</param>
    /// <param name="all">Whether the cache's protected share may be taken.</param>
    /// <returns>Bytes given back.</returns>
    private long Revoke((long Bytes, bool Objects) missing, MemoryPriority below, MemoryConsumer? requester, bool all)
    {
        var bytes = missing.Bytes;
        if (bytes <= 0) return 0;
        MemoryConsumer[] candidates;
        long cached;
        lock (_lock)
        {
            candidates = [.. _consumers
                .Where(consumer => consumer != requester && consumer.GrantedBytes > 0
                    && (!missing.Objects || consumer.Kind == MemoryKind.Managed)
                    && (consumer.Priority < below || (all && HasMoreThanItsShare(consumer))))
                .OrderBy(consumer => consumer.Priority)];
            cached = candidates.Where(consumer => consumer.Priority == MemoryPriority.Cache).Sum(consumer => consumer.UsedBytes);
        }
        var protectedBytes = all ? 0 : (long)(TotalBytes * CacheShare);
        var freed = 0L;
        foreach (var consumer in candidates)
        {
            var wanted = bytes - freed;
            if (consumer.Priority == MemoryPriority.Cache) wanted = Math.Min(wanted, cached - protectedBytes);
            if (wanted <= 0) continue;
            var given = consumer.OnRevoke(wanted);
            if (consumer.Priority == MemoryPriority.Cache) cached -= given;
            freed += given;
            lock (_lock) TakeBack(consumer, 0);
            if (freed >= bytes) break;
        }
        return freed;
    }

    private bool HasMoreThanItsShare(MemoryConsumer consumer) =>
        consumer is { Priority: MemoryPriority.Work, Task: { } task } && task.GrantedBytes > TotalBytes / Math.Max(_taskCount, 1);

    private void Wait(long bytes, MemoryConsumer consumer, CancellationToken cancellation)
    {
        var start = _time.GetTimestamp();
        void Wake()
        {
            lock (_lock) Monitor.PulseAll(_lock);
        }
        using var timer = _time.CreateTimer(_ => Wake(), null, AskAgain, AskAgain);
        using var registration = cancellation.Register(Wake);
        Interlocked.Increment(ref _waiting);
        try
        {
            while (true)
            {
                lock (_lock)
                {
                    cancellation.ThrowIfCancellationRequested();
                    if (TryGrantLocked(bytes, consumer, must: true)) return;
                    var waited = _time.GetElapsedTime(start);
                    if (IsHopeless(bytes, consumer) || waited >= _longestWait) throw Exhausted(bytes, consumer, waited);
                    Monitor.Wait(_lock);
                    if (TryGrantLocked(bytes, consumer, must: true)) return;
                }
                _pressure?.Look();
                if (Revoke(Shortfall(bytes, consumer), MemoryPriority.Work, consumer, all: true) == 0) _pressure?.CollectGarbage(allWait: Volatile.Read(ref _waiting) >= _taskCount);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    // Nobody else holds anything that could come back, and no other task's end would make the share larger.
    private bool IsHopeless(long bytes, MemoryConsumer consumer) =>
        bytes > TotalBytes
        || (_nativeBytes + _managedBytes <= consumer.GrantedBytes && _taskCount <= 1 && _pressure is not { HasGarbage: true });

    private MemoryExhaustedException Exhausted(long bytes, MemoryConsumer consumer, TimeSpan waited)
    {
        var text = new StringBuilder();
        text.Append($"No memory: {consumer.Name} needs {Size.Of(bytes)} more and holds {Size.Of(consumer.UsedBytes)}");
        if (consumer.Task is { } task) text.Append($", for {task.Name}");
        text.AppendLine(waited > TimeSpan.Zero ? $"; it waited {waited.TotalSeconds:0.#} s." : ".");
        text.AppendLine($"  budget: {Size.Of(TotalBytes)} (DataflowOptions.MemoryBytes), shared by {_taskCount} running tasks.");
        var unreserved = UnreservedBytes(0);
        if (unreserved > 0) text.AppendLine($"  not the engine's: {Size.Of(unreserved)} (your own objects, garbage, the runtime, a margin).");
        foreach (var holder in _consumers.Where(other => other.GrantedBytes > 0).OrderByDescending(other => other.GrantedBytes).Take(10))
            text.AppendLine($"  held: {Size.Of(holder.GrantedBytes)} by {holder.Name} ({holder.Priority.ToString().ToLowerInvariant()})");
        text.Append("  next: raise DataflowOptions.MemoryBytes, run fewer tasks at once (threads), or cut the data into more partitions.");
        return new MemoryExhaustedException(text.ToString(), bytes);
    }
}
