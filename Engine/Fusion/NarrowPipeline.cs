using Dataflow.Tasks;

namespace Dataflow.Fusion;

/// <summary>A run of narrow operators, from the Rdd they read to the one that is computed.</summary>
/// <remarks>
/// Made by walking back from an operator to the nearest source: an Rdd that is not a narrow operator, or one that is kept. The walk and
/// the building are loops, since a program may chain ten thousand operators.
/// </remarks>
internal sealed class NarrowPipeline
{
    private readonly Rdd[] _operators;
    private readonly NarrowOperation[] _operations;

    private NarrowPipeline(Rdd source, Rdd[] operators, NarrowOperation[] operations)
    {
        Source = source;
        _operators = operators;
        _operations = operations;
    }

    /// <summary>The Rdd that the first operator reads.</summary>
    public Rdd Source { get; }

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
        var reader = _operations[0].ReadSource(Source, partition, context);
        try
        {
            for (var i = 0; i < _operations.Length; i++) reader = _operations[i].OpenPlain(reader, _operators[i], context);
            return (ChunkReader<T>)reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }
}
