namespace Dataflow.Storage;

/// <summary>Watches what the process really takes, and acts when it nears the bound. Made and called by <see cref="MemoryBudget"/>
/// only.</summary>
internal sealed class MemoryPressure : IDisposable
{
    // Collecting everything pauses the program: at most a twentieth of the time is spent on it. What comes back sooner is the program's
    // way to work.
    private static readonly TimeSpan ShortestBetweenCollections = TimeSpan.FromSeconds(1);
    private const int TimesOfLastPause = 20;

    private readonly long _totalBytes;
    private readonly long _marginBytes;
    private readonly long _lookEveryBytes;
    private readonly ProcessMemory _process;
    private readonly NativePool _pool;
    private readonly TimeProvider _time;
    private readonly Func<long, bool, long> _revoke;
    private readonly Action _onCollection;
    private readonly long _runtimeBytes;
    private long _otherBytes;
    private long _grantedSinceLook;
    private long _released;
    private int _fullCollections;
    private int _collections;
    private long _nextCollect;
    private int _acting;
    private volatile bool _disposed;

    public MemoryPressure(long totalBytes, ProcessMemory process, NativePool pool, TimeProvider time, Func<long, bool, long> revoke)
    {
        _totalBytes = totalBytes;
        _marginBytes = Math.Clamp(totalBytes / 32, 4L << 20, 128L << 20);
        _lookEveryBytes = Math.Clamp(totalBytes / 64, 1L << 20, 64L << 20);
        _process = process;
        _pool = pool;
        _time = time;
        _revoke = revoke;
        _nextCollect = time.GetTimestamp();
        _runtimeBytes = Math.Max(process.PrivateResidentBytes(PoolBytes) - PoolBytes - process.HeapCommittedBytes, 0);
        Measure();

        // Held here, so that the notices end with this object.
        _onCollection = OnCollection;
        GcNotice.Start(_onCollection);
    }

    /// <summary>What the runtime and its code take beside the heap.</summary>
    public long RuntimeBytes => _runtimeBytes;

    /// <summary>Whether the heap holds enough that a collection would give back: what was free at the last one, and what was let go of since.</summary>
    public bool HasGarbage => _process.HeapCommittedBytes - _process.HeapLiveBytes + ReleasedBytes >= _totalBytes / 16;

    // A heap that is nearly all alive meets its hard limit before the process meets the bound.
    private long HeapExcess
    {
        get
        {
            var heap = Math.Max(_totalBytes - _runtimeBytes - PoolBytes, 0);
            return _process.HeapLiveBytes - ReleasedBytes - (heap - heap / 8);
        }
    }

    private long ReleasedBytes => Volatile.Read(ref _fullCollections) == _process.FullCollections ? Interlocked.Read(ref _released) : 0;

    private long PoolBytes => _pool.OutstandingBytes + _pool.IdleBytes;

    /// <summary>What is taken beside reservations, given how much of the heap is reserved: the runtime, the rest of the heap, a
    /// margin.</summary>
    public long UnreservedHeapBytes(long reservedHeapBytes) =>
        Math.Max(Interlocked.Read(ref _otherBytes) - reservedHeapBytes, _runtimeBytes) + _marginBytes;

    /// <summary>Measures again if much was granted or a collection ran since the last time, and acts on what it sees. Costs a few ns
    /// otherwise.</summary>
    public void Look()
    {
        if (Interlocked.Read(ref _grantedSinceLook) < _lookEveryBytes && Volatile.Read(ref _collections) == _process.Collections) return;
        if (Measure() > 0 || HeapExcess > 0) Act();
    }

    /// <summary>Notes a grant, and gives free buffers back to the system if there is no room for them beside it.</summary>
    public void Granted(long bytes, long nativeBytes)
    {
        Interlocked.Add(ref _grantedSinceLook, bytes);
        var room = _totalBytes - _marginBytes - Interlocked.Read(ref _otherBytes) - nativeBytes;
        var idle = _pool.IdleBytes;
        if (idle > 0 && idle > room) _pool.Trim(Math.Max(room, 0));
    }

    /// <summary>Notes that objects were let go of. The heap counts them as alive until it is collected whole.</summary>
    public void Released(long bytes)
    {
        var collections = _process.FullCollections;
        if (Interlocked.Exchange(ref _fullCollections, collections) != collections) Interlocked.Exchange(ref _released, 0);
        Interlocked.Add(ref _released, bytes);
    }

    /// <summary>Collects garbage if there is enough to be worth a pause and the last time is long ago.</summary>
    /// <param name="allWait">Whether nobody could use the time that a pause takes: then only enough to collect has to be there.</param>
    /// <returns>Whether it did.</returns>
    public bool CollectGarbage(bool allWait = false)
    {
        if (!HasGarbage) return false;
        var next = Interlocked.Read(ref _nextCollect);
        var now = _time.GetTimestamp();
        if (now < next && (next == long.MaxValue || !allWait || ReleasedBytes < _totalBytes / 16)) return false;
        if (Interlocked.CompareExchange(ref _nextCollect, long.MaxValue, next) != next) return false;
        _process.Collect();
        var end = _time.GetTimestamp();
        var shortest = (long)(ShortestBetweenCollections.TotalSeconds * _time.TimestampFrequency);
        Interlocked.Exchange(ref _nextCollect, end + Math.Max(shortest, TimesOfLastPause * (end - now)));
        Measure();
        return true;
    }

    /// <summary>No more notices of collections.</summary>
    public void Dispose() => _disposed = true;

    /// <summary>Measures.</summary>
    /// <returns>By how many bytes the process exceeds what it should take.</returns>
    private long Measure()
    {
        Interlocked.Exchange(ref _grantedSinceLook, 0);
        Volatile.Write(ref _collections, _process.Collections);
        var pool = PoolBytes;
        var resident = _process.PrivateResidentBytes(pool);
        Interlocked.Exchange(ref _otherBytes, Math.Max(resident - pool, _process.HeapCommittedBytes + _runtimeBytes));
        return resident - (_totalBytes - _marginBytes / 2);
    }

    // Cheapest first: free buffers cost nothing to give back; garbage a pause; blocks must be read or computed again.
    private void Act()
    {
        if (Interlocked.Exchange(ref _acting, 1) != 0) return;
        try
        {
            if (Measure() > 0 && _pool.Trim() > 0) Measure();
            if (Measure() > 0) CollectGarbage();
            var excess = Measure();
            if (excess > 0 && _revoke(excess, false) > 0) _pool.Trim();
            if (HeapExcess is var objects and > 0) _revoke(objects, true);
            Measure();
        }
        finally
        {
            Volatile.Write(ref _acting, 0);
        }
    }

    private void OnCollection()
    {
        // On the finalizer's thread: measuring is quick, acting is not.
        if (_disposed || (Measure() <= 0 && HeapExcess <= 0)) return;
        ThreadPool.UnsafeQueueUserWorkItem(static pressure => pressure.ActIfAlive(), this, preferLocal: false);
    }

    private void ActIfAlive()
    {
        if (!_disposed) Act();
    }
}

/// <summary>Calls back after each garbage collection, on the finalizer's thread: be quick there.</summary>
/// <remarks>An object that nobody holds is finalized by the next collection of its generation; a new one is left for the one
/// after.</remarks>
internal sealed class GcNotice
{
    private readonly WeakReference<Action> _callback;

    private GcNotice(WeakReference<Action> callback) => _callback = callback;

    /// <summary>Starts; ends when <paramref name="callback"/> is no longer held by anybody else.</summary>
    public static void Start(Action callback) => _ = new GcNotice(new WeakReference<Action>(callback));

    ~GcNotice()
    {
        if (Environment.HasShutdownStarted || !_callback.TryGetTarget(out var callback)) return;
        callback();
        _ = new GcNotice(_callback);
    }
}
