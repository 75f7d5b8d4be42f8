namespace Dataflow.Fusion;

/// <summary>The operations of one kernel and what their lambdas need: a run of narrow operators, or a part of a long one.</summary>
/// <remarks>Made once for all tasks of a stage. Kernels are written when they are first needed.</remarks>
internal sealed class KernelPlan
{
    /// <summary>Most operations in one kernel. The JIT stops inlining in methods with many locals, and compiles them slowly.</summary>
    public const int MostOperations = 32;

    private readonly NarrowOperation[] _operations;
    private readonly LambdaCall[] _calls;
    private readonly object?[] _lambdas;
    private readonly Rdd[] _levels;

    /// <summary>Plans a kernel.</summary>
    /// <param name="operations">What it does, in order; none for a kernel that only has a sink.</param>
    /// <param name="operators">The Rdds of the operations, for errors.</param>
    public KernelPlan(ReadOnlySpan<NarrowOperation> operations, ReadOnlySpan<Rdd> operators)
    {
        // The last call is that of the sink: storing calls nothing.
        _operations = operations.ToArray();
        _calls = new LambdaCall[operations.Length + 1];
        _lambdas = new object?[operations.Length + 1];
        var levels = new List<Rdd>();
        for (var i = 0; i < operations.Length; i++)
        {
            _calls[i] = LambdaCall.Of(operations[i].Lambda);
            _lambdas[i] = _calls[i].ArgumentOf(operations[i].Lambda);
            if (operations[i].Expansion is not null) levels.Add(operators[i]);
        }
        _levels = [.. levels];
        Storing = KernelCache.Shared.Get(_operations, typeof(StoreSink<>), _calls);
    }

    /// <summary>A plan without operations.</summary>
    public static KernelPlan Empty { get; } = new([], []);

    /// <summary>The first operation.</summary>
    public NarrowOperation First => _operations[0];

    /// <summary>The last operation.</summary>
    public NarrowOperation Last => _operations[^1];

    /// <summary>Whether an operation expands elements, so that the kernel may stop within a chunk.</summary>
    public bool Expands => _levels.Length > 0;

    /// <summary>The kernel that writes output chunks.</summary>
    public CachedKernel Storing { get; }

    /// <summary>The kernel that writes output chunks, and the state for one reader.</summary>
    public (ChunkKernel<TIn, TOut> Kernel, KernelState State) Store<TIn, TOut>() =>
        (Storing.Code<TIn, TOut>(_operations, new StoreSink<TOut>(), _calls), new KernelState(_lambdas, _levels));

    /// <summary>The kernel that ends in a sink, and the state for one run.</summary>
    public (ChunkKernel<TIn, TResult> Kernel, KernelState State) End<TIn, TResult>(KernelSink sink)
    {
        LambdaCall[] calls = [.. _calls.AsSpan(0, _operations.Length), LambdaCall.Of(sink.Lambda)];
        object?[] lambdas = [.. _lambdas.AsSpan(0, _operations.Length), calls[^1].ArgumentOf(sink.Lambda)];
        var kernel = KernelCache.Shared.Get(_operations, sink.GetType(), calls).Code<TIn, TResult>(_operations, sink, calls);
        return (kernel, new KernelState(lambdas, _levels));
    }
}
