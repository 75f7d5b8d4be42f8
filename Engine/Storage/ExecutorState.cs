using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.Storage;

/// <summary>
/// Named, versioned objects that are built once per executor and shared by its tasks: broadcasts, the build sides of joins, pinned
/// training rows, the state of a stream. Leased while they are used, charged to the budget, dropped when idle and memory is short, if
/// their loss rule allows.
/// </summary>
/// <remarks>One version of a key is current. A newer one takes its place when it is built; the older lives on until its leases end.
/// Thread-safe.</remarks>
public sealed class ExecutorState : IDisposable
{
    private const string Placed = "near/";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<int, StateSlot> _waits = [];
    private readonly MemoryBudget _memory;

    /// <summary>Makes it without objects.</summary>
    /// <param name="memory">What the objects are charged to.</param>
    public ExecutorState(MemoryBudget memory)
    {
        ArgumentNullException.ThrowIfNull(memory);
        _memory = memory;
    }

    /// <summary>Told of each object that comes or goes. Called on the thread that made the change; must be quick and must not
    /// throw.</summary>
    public event Action<StateUpdate>? Updated;

    /// <summary>The key of an object that belongs to a partition, under which <see cref="Rdd{T}.NearState"/> finds the executor that keeps it.</summary>
    /// <param name="name">What it is called; the same for all partitions.</param>
    /// <param name="partition">Index of the partition.</param>
    public static string KeyOf(string name, int partition)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfNegative(partition);
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Placed}{name}/{partition}");
    }

    /// <summary>What the keys of all partitions' objects of a name begin with.</summary>
    internal static string PrefixOf(string name) => $"{Placed}{name}/";

    /// <summary>The key of an object that is built of the outputs of a shuffle: it goes when they do.</summary>
    /// <param name="shuffle">The shuffle.</param>
    /// <param name="name">What it is called among those of the shuffle.</param>
    public static string KeyOf(ShuffleId shuffle, string name) => $"{PrefixOf(shuffle)}{name}";

    internal static string PrefixOf(ShuffleId shuffle) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"shuffle {shuffle.Value}/");

    /// <summary>Whether a key belongs to a partition: who keeps such an object is of interest to others.</summary>
    internal static bool IsPlaced(string key) => key.StartsWith(Placed, StringComparison.Ordinal);

    /// <summary>What is here: key, version and bytes charged, by key.</summary>
    public IReadOnlyList<(string Key, long Version, long Bytes)> Objects
    {
        get
        {
            lock (_lock)
            {
                return [.. _entries.Values.Where(entry => entry.Current is not null).Select(entry => entry.Current!)
                    .OrderBy(slot => slot.Key, StringComparer.Ordinal).Select(slot => (slot.Key, slot.Version, slot.Bytes))];
            }
        }
    }

    /// <summary>How many threads wait for a factory that runs on another.</summary>
    internal int Waiters
    {
        get
        {
            lock (_lock) return _waits.Count;
        }
    }

    /// <summary>Leases an object, building it first if it is not here. Who asks while another builds it waits for that.</summary>
    /// <param name="key">What it is called; begins with what <see cref="Remove"/> is given.</param>
    /// <param name="version">Which version: equal versions are the same object, newer ones replace older.</param>
    /// <param name="factory">Builds it. If it throws, nothing is kept, and all who wait get the exception.</param>
    /// <param name="rule">What its loss means.</param>
    /// <param name="sizeOf">What to charge for it, in bytes; null charges nothing, for objects that reserve their memory
    /// themselves.</param>
    /// <param name="kind">Where these bytes lie.</param>
    /// <param name="context">The running task, whose cancellation ends the wait and whose end ends the lease; null if the caller disposes
    /// the handle.</param>
    /// <exception cref="InvalidOperationException">A newer version is here, the key holds another type, or factories wait for each
    /// other.</exception>
    /// <exception cref="MemoryExhaustedException">The budget has no room for it.</exception>
    public StateHandle<T> GetOrCreate<T>(
        string key, long version, Func<T> factory, LossRule rule,
        Func<T, long>? sizeOf = null, MemoryKind kind = MemoryKind.Managed, TaskContext? context = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        ArgumentNullException.ThrowIfNull(factory);
        var cancellation = context?.CancellationToken ?? CancellationToken.None;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            StateSlot slot;
            var build = false;
            var mine = true;
            lock (_lock)
            {
                if (!_entries.TryGetValue(key, out var entry)) _entries.Add(key, entry = new Entry());
                if (entry.Current is { } current && current.Version >= version)
                {
                    Require<T>(current, version);
                    current.Leases++;
                    return Lend<T>(current, context);
                }
                if (entry.Building is { } building)
                {
                    // Another version's building is waited for, and looked at again then.
                    mine = building.Version == version;
                    if (mine) Require<T>(building, version);
                    RefuseCircle(building);
                    building.Leases++;
                    _waits[Environment.CurrentManagedThreadId] = building;
                    slot = building;
                }
                else
                {
                    entry.Building = slot = new StateSlot(key, version, rule, typeof(T));
                    build = true;
                }
            }

            if (build)
            {
                Build(slot, factory, sizeOf, kind, cancellation);
                return Lend<T>(slot, context);
            }
            if (Wait(slot, mine, cancellation)) return Lend<T>(slot, context);
        }
    }

    /// <summary>Leases an object if it is here, built.</summary>
    /// <param name="key">What it is called.</param>
    /// <param name="context">The running task, whose end ends the lease; null if the caller disposes the handle.</param>
    /// <returns>Null if it is not here.</returns>
    /// <exception cref="InvalidOperationException">The key holds another type.</exception>
    public StateHandle<T>? TryGet<T>(string key, TaskContext? context = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out var entry) || entry.Current is not { } current) return null;
            Require<T>(current, current.Version);
            current.Leases++;
            return Lend<T>(current, context);
        }
    }

    /// <summary>Drops all objects whose key begins with a prefix; those in use are freed when their leases end.</summary>
    /// <param name="prefix">The prefix; empty drops all.</param>
    public void Remove(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        List<StateSlot> removed = [];
        lock (_lock)
        {
            foreach (var (key, entry) in _entries.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal)).ToList())
            {
                _entries.Remove(key);
                if (entry.Current is { } slot) removed.Add(slot);
            }
        }
        foreach (var slot in removed) Drop(slot);
    }

    /// <summary>Drops everything.</summary>
    public void Dispose() => Remove("");

    internal void EndLease(StateSlot slot)
    {
        lock (_lock)
        {
            if (--slot.Leases > 0) return;
        }
        slot.Charge?.Dispose();
        (slot.Value as IDisposable)?.Dispose();
    }

    private StateHandle<T> Lend<T>(StateSlot slot, TaskContext? context)
    {
        var handle = new StateHandle<T>(this, slot);
        context?.OnCompletion(_ => handle.Dispose());
        return handle;
    }

    private void Build<T>(StateSlot slot, Func<T> factory, Func<T, long>? sizeOf, MemoryKind kind, CancellationToken cancellation)
    {
        try
        {
            var value = factory();
            slot.Value = value;
            slot.Bytes = sizeOf?.Invoke(value) ?? 0;
            slot.Charge = new Charge(this, _memory, slot, kind);
            _memory.Reserve(slot.Bytes, slot.Charge, cancellation);
        }
        catch (Exception e)
        {
            lock (_lock)
            {
                if (_entries.TryGetValue(slot.Key, out var entry) && entry.Building == slot)
                {
                    entry.Building = null;
                    if (entry.Current is null) _entries.Remove(slot.Key);
                }
            }
            slot.SetFailed(e);
            EndLease(slot);
            throw;
        }

        StateSlot? replaced = null;
        var kept = false;
        lock (_lock)
        {
            // Removed meanwhile: only those who waited for it have it.
            if (_entries.TryGetValue(slot.Key, out var entry) && entry.Building == slot)
            {
                kept = slot.IsKept = true;
                slot.Leases++;
                entry.Building = null;
                replaced = entry.Current;
                entry.Current = slot;
            }
        }
        slot.SetBuilt();
        if (kept) Updated?.Invoke(new StateUpdate(slot.Key, slot.Version, slot.Rule, IsHere: true, slot.Bytes));
        if (replaced is not null) Drop(replaced);
    }

    // True if the slot is leased to the caller; false if it is another version, which is only waited for.
    private bool Wait(StateSlot slot, bool mine, CancellationToken cancellation)
    {
        try
        {
            slot.Built.Wait(cancellation);
            if (mine) return true;
        }
        catch (AggregateException) when (!mine)
        {
            // Another version's failure is told to those who asked for it.
        }
        catch (AggregateException e)
        {
            EndLease(slot);
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.InnerException!);
        }
        catch (OperationCanceledException)
        {
            EndLease(slot);
            throw;
        }
        finally
        {
            lock (_lock) _waits.Remove(Environment.CurrentManagedThreadId);
        }
        EndLease(slot);
        return false;
    }

    private void Drop(StateSlot slot)
    {
        lock (_lock)
        {
            if (!slot.IsKept) return;
            slot.IsKept = false;
        }
        EndLease(slot);
        Updated?.Invoke(new StateUpdate(slot.Key, slot.Version, slot.Rule, IsHere: false, slot.Bytes));
    }

    private long DropIfIdle(StateSlot slot)
    {
        lock (_lock)
        {
            if (slot.Rule == LossRule.Fail || slot.Leases > 1) return 0;
            if (!_entries.TryGetValue(slot.Key, out var entry) || entry.Current != slot) return 0;
            if (entry.Building is null)
                _entries.Remove(slot.Key);
            else
                entry.Current = null;
        }
        Drop(slot);
        return slot.Bytes;
    }

    private static void Require<T>(StateSlot slot, long version)
    {
        if (slot.Version != version)
        {
            throw new InvalidOperationException(
                $"Version {version} of state '{slot.Key}' was replaced by version {slot.Version}; a task of an older attempt asks for it.");
        }
        if (slot.Type != typeof(T))
            throw new InvalidOperationException($"State '{slot.Key}' is a {slot.Type}, and is asked for as a {typeof(T)}. Give each its own key.");
    }

    // This thread builds something that somebody waits for; if that somebody builds what this thread is about to wait for, both would wait
    // for ever.
    private void RefuseCircle(StateSlot wanted)
    {
        var me = Environment.CurrentManagedThreadId;
        for (StateSlot? slot = wanted; slot is not null; slot = _waits.GetValueOrDefault(slot.Builder))
        {
            if (slot.Builder == me)
            {
                throw new InvalidOperationException(
                    $"The factory of state '{slot.Key}' asks, directly or through other factories, for '{slot.Key}' itself.");
            }
        }
    }

    private sealed class Entry
    {
        public StateSlot? Current { get; set; }

        public StateSlot? Building { get; set; }
    }

    private sealed class Charge(ExecutorState state, MemoryBudget memory, StateSlot slot, MemoryKind kind)
        : MemoryConsumer(memory, $"state {slot.Key}", MemoryPriority.State, kind)
    {
        protected internal override long OnRevoke(long bytes) => state.DropIfIdle(slot);
    }
}
