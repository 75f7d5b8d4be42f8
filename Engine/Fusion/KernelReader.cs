namespace Dataflow.Fusion;

/// <summary>A reader whose elements come out of a loop that may as well end in something other than an output chunk.</summary>
internal abstract class KernelReader<TOut> : ChunkReader<TOut>
{
    /// <summary>Whether chunks have been read: then it is too late for another end.</summary>
    public bool Begun { get; protected set; }

    /// <summary>Runs the whole partition into a sink, in place of reading it.</summary>
    /// <typeparam name="TResult">The sink's accumulator.</typeparam>
    /// <param name="sink">What is done with the elements.</param>
    /// <param name="result">The accumulator.</param>
    /// <param name="any">Whether a reduction has had an element yet.</param>
    public abstract void Drain<TResult>(KernelSink<TOut, TResult> sink, ref TResult result, ref bool any);
}
