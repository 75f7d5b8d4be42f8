using Dataflow.Tasks;

namespace Dataflow.Fusion;

/// <summary>An Rdd whose partition i is computed element by element from partition i of one parent, so that runs of them can be fused.</summary>
internal interface INarrowOperator
{
    /// <summary>What it reads.</summary>
    Rdd Parent { get; }

    /// <summary>What it does with each element.</summary>
    NarrowOperation Operation { get; }

    /// <summary>Whether keys stay as they are, so that the parent's placement still holds.</summary>
    bool KeepsPartitioner { get; }
}

/// <summary>A run of narrow operators, from the Rdd they read to the one that is computed.</summary>
/// <remarks>
/// Made by walking back from an operator to the nearest source: an Rdd that is not a narrow operator, or one that is kept. The walk and
/// the building are loops, since a program may chain ten thousand operators.
/// </remarks>
internal sealed class NarrowPipeline
{
    // How many elements, in all tasks, go the slow way before their kernel is even looked for: smaller jobs are spared even that.
    private const int FirstLook = 4096;

    private readonly Rdd[] _operators;
    private readonly NarrowOperation[] _operations;
    private KernelPlan[]? _plans;
    private long _plain;

    private NarrowPipeline(Rdd source, Rdd[] operators, NarrowOperation[] operations)
    {
        Source = source;
        _operators = operators;
        _operations = operations;
    }

    /// <summary>The Rdd that the first operator reads.</summary>
    public Rdd Source { get; }

    private KernelPlan[] Plans => _plans ??= Plan();

    /// <summary>The run that ends with an operator; the last answer when its source is still the same.</summary>
    /// <param name="last">The operator that is computed, kept or not.</param>
    /// <param name="known">What this gave before, or null.</param>
    public static NarrowPipeline EndingWith(INarrowOperator last, NarrowPipeline? known)
    {
        var count = 1;
        var source = last.Parent;
        while (source is INarrowOperator step && !source.IsKept)
        {
            source = step.Parent;
            count++;
        }

        // The chain never changes; only what is kept does.
        if (known is not null && known.Source == source) return known;

        var operators = new Rdd[count];
        var operations = new NarrowOperation[count];
        var current = last;
        for (var i = count - 1; i >= 0; i--)
        {
            operators[i] = (Rdd)current;
            operations[i] = current.Operation;
            if (i > 0) current = (INarrowOperator)current.Parent;
        }
        return new NarrowPipeline(source, operators, operations);
    }

    /// <summary>Reads one partition through all operators.</summary>
    /// <typeparam name="T">Element type of the last.</typeparam>
    /// <param name="partition">The source's partition.</param>
    /// <param name="context">The running task.</param>
    public ChunkReader<T> Open<T>(Partition partition, TaskContext context)
    {
        var source = _operations[0].ReadSource(Source, partition, context);
        try
        {
            if (!FusionSupport.Fuses(context)) return (ChunkReader<T>)OpenPlain(source, context);
            return IsCold(context)
                ? new AdaptiveReader<T>(source, _operations[0].OpenHead(source, this, context), this, context)
                : (ChunkReader<T>)OpenFused(source, context);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>A reader that runs the operators one by one.</summary>
    /// <param name="source">A reader of the first one's input; disposed with the result.</param>
    /// <param name="context">The running task.</param>
    public IDisposable OpenPlain(IDisposable source, TaskContext context)
    {
        for (var i = 0; i < _operations.Length; i++) source = _operations[i].OpenPlain(source, _operators[i], context);
        return source;
    }

    /// <summary>A reader that runs the operators in as few loops as possible.</summary>
    /// <param name="source">A reader of the first one's input; disposed with the result.</param>
    /// <param name="context">The running task.</param>
    public IDisposable OpenFused(IDisposable source, TaskContext context)
    {
        foreach (var plan in Plans) source = plan.First.OpenFused(source, plan, context);
        return source;
    }

    /// <summary>Whether operators should still run one by one: writing a kernel costs as much as some ten thousand elements.</summary>
    /// <param name="context">The running task.</param>
    public bool IsCold(TaskContext context)
    {
        // A run of several kernels is fused at once: one by one it would take the stack deep.
        var warmUp = context.Services.Options.FusionWarmUp;
        return _operations.Length <= KernelPlan.MostOperations
            && (Volatile.Read(ref _plain) < Math.Min(FirstLook, warmUp) || Plans[0].Storing.IsCold(warmUp));
    }

    /// <summary>Counts elements that go the slow way.</summary>
    public void Warm(int elements)
    {
        Interlocked.Add(ref _plain, elements);
        if (_plans is { } plans) plans[0].Storing.Warm(elements);
    }

    // Long runs are cut: each part is a kernel.
    private KernelPlan[] Plan()
    {
        var plans = new KernelPlan[(_operations.Length + KernelPlan.MostOperations - 1) / KernelPlan.MostOperations];
        for (var i = 0; i < plans.Length; i++)
        {
            var start = i * KernelPlan.MostOperations;
            var count = Math.Min(KernelPlan.MostOperations, _operations.Length - start);
            plans[i] = new KernelPlan(_operations.AsSpan(start, count), _operators.AsSpan(start, count));
        }
        return plans;
    }
}
