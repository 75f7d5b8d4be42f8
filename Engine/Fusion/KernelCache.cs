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
    public ChunkKernel<TIn, TResult> Code<TIn, TResult>(NarrowOperation[] operations, KernelSink sink, LambdaCall[] calls)
    {
        if (!Written)
        {
            lock (_gate) _code ??= KernelEmitter.Compile<TIn, TResult>(operations, sink, calls);
        }
        return (ChunkKernel<TIn, TResult>)_code!;
    }
}

/// <summary>Kernels by what they are made of: the operations with their types, and the methods of their lambdas.</summary>
/// <remarks>
/// What lambdas captured is not part of it, so a loop in the program that makes the same lambdas again finds its kernels. Those used last
/// are kept, up to a limit. A kernel of types that may be unloaded is not kept here: it would keep them.
/// </remarks>
/// <param name="capacity">Most kernels that are kept.</param>
internal sealed class KernelCache(int capacity)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Key, LinkedListNode<(Key Key, CachedKernel Kernel)>> _kernels = [];
    private readonly LinkedList<(Key Key, CachedKernel Kernel)> _lastUsedFirst = [];

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
            if (_kernels.TryGetValue(key, out var node))
            {
                _lastUsedFirst.Remove(node);
            }
            else
            {
                if (_kernels.Count == capacity)
                {
                    _kernels.Remove(_lastUsedFirst.Last!.Value.Key);
                    _lastUsedFirst.RemoveLast();
                }
                node = new((key, new CachedKernel()));
                _kernels.Add(key, node);
            }
            _lastUsedFirst.AddFirst(node);
            return node.Value.Kernel;
        }
    }

    /// <summary>The type of an operation tells what it does and between which element types.</summary>
    private readonly struct Key : IEquatable<Key>
    {
        private readonly (Type Kind, MethodInfo? Method, Type? Target)[] _parts;
        private readonly int _hash;

        public Key(NarrowOperation[] operations, Type sink, LambdaCall[] calls)
        {
            _parts = new (Type, MethodInfo?, Type?)[calls.Length];
            var hash = default(HashCode);
            for (var i = 0; i < calls.Length; i++)
            {
                var kind = i < operations.Length ? operations[i].GetType() : sink;
                _parts[i] = (kind, calls[i].Method, calls[i].Target);
                hash.Add(kind);
                hash.Add(calls[i].Method);
            }
            _hash = hash.ToHashCode();
        }

        public bool Equals(Key other) => _hash == other._hash && _parts.AsSpan().SequenceEqual(other._parts);

        public override bool Equals(object? obj) => obj is Key other && Equals(other);

        public override int GetHashCode() => _hash;
    }
}
