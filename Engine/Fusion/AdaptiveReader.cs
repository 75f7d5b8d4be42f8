using Dataflow.Tasks;

namespace Dataflow.Fusion;

/// <summary>Runs operators one by one until enough elements have come to make compiling them worth while, then all in one loop.</summary>
/// <remarks>
/// A small job ends before it pays for a kernel (0.3 to 0.7 ms, some 20 ms for the first of a process). The switch comes between two chunks
/// of the source: the plain operators read a head of it and are read to their end, then the fused ones read the rest.
/// </remarks>
/// <param name="source">A reader of the source.</param>
/// <param name="head">The first chunks of <paramref name="source"/>.</param>
/// <param name="pipeline">What is run.</param>
/// <param name="context">The running task.</param>
internal sealed class AdaptiveReader<TOut>(IDisposable source, IHeadReader head, NarrowPipeline pipeline, TaskContext context) : KernelReader<TOut>
{
    private ChunkReader<TOut>? _plain;
    private ChunkReader<TOut>? _fused;
    private bool _ended;

    public override bool TryRead(out ReadOnlySpan<TOut> chunk)
    {
        Begun = true;
        chunk = default;
        return !_ended && ((_fused is null && TryReadHead(out chunk)) || (OpenRest() is { } rest && rest.TryRead(out chunk)));
    }

    public override void Drain<TResult>(KernelSink<TOut, TResult> sink, ref TResult result, ref bool any)
    {
        while (TryReadHead(out var chunk)) sink.Take(chunk, ref result, ref any);
        OpenRest()?.Run(sink, ref result, ref any, context);
    }

    protected override void Dispose(bool disposing)
    {
        _ended = true;
        try
        {
            _plain?.Dispose();
        }
        finally
        {
            (_fused ?? source).Dispose();
        }
    }

    private bool TryReadHead(out ReadOnlySpan<TOut> chunk)
    {
        _plain ??= (ChunkReader<TOut>)pipeline.OpenPlain(head, context);
        return _plain.TryRead(out chunk);
    }

    // Null if the source ended within its head.
    private ChunkReader<TOut>? OpenRest()
    {
        if (_fused is not null) return _fused;
        _plain!.Dispose();
        _plain = null;
        _ended = head.Ended;
        return _ended ? null : _fused = (ChunkReader<TOut>)pipeline.OpenFused(source, context);
    }
}

/// <summary>The first chunks of a source.</summary>
internal interface IHeadReader : IDisposable
{
    /// <summary>Whether the source has no more.</summary>
    bool Ended { get; }
}

/// <summary>Lends the chunks of a source until enough have gone the slow way; leaves the source open.</summary>
internal sealed class HeadReader<T>(ChunkReader<T> source, NarrowPipeline pipeline, TaskContext context) : ChunkReader<T>, IHeadReader
{
    public bool Ended { get; private set; }

    public override bool TryRead(out ReadOnlySpan<T> chunk)
    {
        chunk = default;
        if (Ended || !pipeline.IsCold(context)) return false;
        Ended = !source.TryRead(out chunk);
        pipeline.Warm(chunk.Length);
        return !Ended;
    }
}
