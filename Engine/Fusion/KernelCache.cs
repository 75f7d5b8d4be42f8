using System.Reflection;

namespace Dataflow.Fusion;

/// <summary>A kernel that has been written, or will be once enough elements have gone the slow way to make it worth while.</summary>
internal sealed class CachedKernel
{
    private readonly Lock _gate = new();
    private Delegate? _code;
    private long _plain;

    /// <summary>Whether it has been written.</summary>
    public bool Written => Volatile.Read(ref _code) is not null;

    /// <summary>Whether operators should still run one by one: writing a kernel costs as much as some ten thousand elements.</summary>
    /// <param name="warmUp">How many elements are to go the slow way first, in all tasks together.</param>
    public bool IsCold(int warmUp) => !Written && Volatile.Read(ref _plain) < warmUp;

    /// <summary>Counts elements that went the slow way.</summary>
    public void Warm(int elements) => Interlocked.Add(ref _plain, elements);

    /// <summary>The kernel, written now if need be; tasks that ask at once wait for one of them.</summary>
    public ChunkKernel<TIn, TResult> Code<TIn, TResult>(NarrowOperation[] operations, KernelSink sink, LambdaCall[] calls) =>
        Written ? (ChunkKernel<TIn, TResult>)_code! : Code(() => KernelEmitter.Compile<TIn, TResult>(operations, sink, calls));

    /// <summary>The kernel in another form than that of operators.</summary>
    /// <param name="write">Writes it.</param>
    public TKernel Code<TKernel>(Func<TKernel> write)
        where TKernel : Delegate
    {
        if (!Written)
        {
            lock (_gate) _code ??= write();
        }
        return (TKernel)_code!;
    }
}

/// <summary>Kernels by what they are made of: the operations with their types, and the methods of their lambdas.</summary>
/// <remarks>
/// What lambdas captured is not part of it, so a loop in the program that makes the same lambdas again finds its kernels. Those used last
/// are kept, up to a limit. A kernel of types that may be unloaded is not kept here: it would keep them.
/// </remarks>
/// <param name="capacity">Most kernels that are kept; at the limit, the half that was not used for longest goes.</param>
internal sealed class KernelCache(int capacity)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Key, Entry> _kernels = [];
    private long _uses;

    /// <summary>The cache of the process. A kernel takes some KB.</summary>
    public static KernelCache Shared { get; } = new(1024);

    /// <summary>How many kernels it keeps.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _kernels.Count;
        }
    }

    /// <summary>Finds a kernel or makes room for it.</summary>
    /// <param name="operations">What it does.</param>
    /// <param name="sink">Type of its sink.</param>
    /// <param name="calls">How it calls the lambdas of the operations and, last, that of the sink.</param>
    public CachedKernel Get(NarrowOperation[] operations, Type sink, LambdaCall[] calls)
    {
        if (sink.IsCollectible || Array.Exists(operations, operation => operation.GetType().IsCollectible)) return new CachedKernel();

        var key = new Key(operations, sink, calls);
        lock (_gate)
        {
            if (!_kernels.TryGetValue(key, out var entry))
            {
                if (_kernels.Count == capacity) Evict();
                _kernels.Add(key, entry = new Entry());
            }
            entry.LastUse = ++_uses;
            return entry.Kernel;
        }
    }

    private void Evict()
    {
        var oldest = _kernels.ToArray();
        Array.Sort(oldest, (a, b) => a.Value.LastUse.CompareTo(b.Value.LastUse));
        foreach (var (key, _) in oldest.AsSpan(0, (oldest.Length + 1) / 2)) _kernels.Remove(key);
    }

    private sealed class Entry
    {
        public CachedKernel Kernel { get; } = new();

        public long LastUse { get; set; }
    }

    // A class, like the entry: .NET brings compiled code for a dictionary of objects.
    private sealed class Key : IEquatable<Key>
    {
        private readonly object?[] _parts;
        private readonly int _hash;

        public Key(NarrowOperation[] operations, Type sink, LambdaCall[] calls)
        {
            // The type of an operation tells what it does and between which element types.
            _parts = new object?[3 * calls.Length];
            var hash = default(HashCode);
            for (var i = 0; i < calls.Length; i++)
            {
                _parts[3 * i] = i < operations.Length ? operations[i].GetType() : sink;
                _parts[(3 * i) + 1] = calls[i].Method;
                _parts[(3 * i) + 2] = calls[i].Target;
            }
            foreach (var part in _parts) hash.Add(part);
            _hash = hash.ToHashCode();
        }

        public bool Equals(Key? other) => other is not null && _hash == other._hash && _parts.AsSpan().SequenceEqual(other._parts);

        public override bool Equals(object? obj) => Equals(obj as Key);

        public override int GetHashCode() => _hash;
    }
}
