using Dataflow.Closures;
using Dataflow.Scheduling;

namespace Dataflow;

/// <summary>The one door to the engine: makes Rdds, broadcasts and accumulators, runs jobs, and owns the lifetime of all of them.</summary>
public sealed partial class DataflowContext : IDriverOnly, IDisposable, IAsyncDisposable
{
    private int _nextRdd;
    private int _nextShuffle;

    private DataflowContext(DataflowOptions options)
    {
        Options = options;
    }

    /// <summary>The options it was made with.</summary>
    public DataflowOptions Options { get; }

    internal int NewRddId() => Interlocked.Increment(ref _nextRdd) - 1;

    internal ShuffleId NewShuffleId() => new(Interlocked.Increment(ref _nextShuffle) - 1);

    internal void ThrowIfStopped()
    {
    }

    /// <summary>Ends running jobs and frees everything the context holds.</summary>
    public void Dispose()
    {
    }

    /// <summary>Ends running jobs and frees everything the context holds.</summary>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }
}
