using System.Diagnostics;
using System.Runtime;

namespace Dataflow.Benchmarks.Running;

/// <summary>How this run measures: sizes, repetitions and the order of ours and the peer.</summary>
/// <param name="Quick">A twentieth of the data and fewer repetitions: shows that everything works, not how fast.</param>
internal sealed record Session(bool Quick)
{
    public const int Cores = 2;

    /// <summary>A number of records, less in a quick run.</summary>
    public int Size(int full) => Quick ? full / 20 : full;

    /// <summary>A context of its own for one benchmark.</summary>
    public static DataflowContext Context(int threads, long? memoryBytes = null) => DataflowContext.Local(new DataflowOptions
    {
        Threads = threads,
        DefaultParallelism = threads == 1 ? 1 : threads * 2,
        MemoryBytes = memoryBytes,
        Progress = false,
    });

    /// <summary>Runs ours and the peer in turns after a warm-up of each, with a collection before every run.</summary>
    /// <remarks>
    /// The figures are medians: on a machine that others use, both sides meet the same load. The results must be equal, so that no
    /// side wins by doing less.
    /// </remarks>
    /// <param name="ours">Our work and its result.</param>
    /// <param name="peer">The peer's work and its result.</param>
    /// <param name="repetitions">How many of each; fewer in a quick run.</param>
    /// <param name="warmUps">How many before that count for nothing: the JIT needs a few calls.</param>
    /// <returns>Median milliseconds of each.</returns>
    public (double Ours, double Peer) Duel<TResult>(Func<TResult> ours, Func<TResult> peer, int repetitions = 5, int warmUps = 1)
    {
        for (var i = 0; i < warmUps; i++) Check(ours(), peer());
        if (Quick) repetitions = Math.Min(repetitions, 3);
        var (mine, theirs) = (new double[repetitions], new double[repetitions]);
        for (var i = 0; i < repetitions; i++)
        {
            // Who goes first alternates, so that a clock that falls with heat favours neither.
            TResult a, b;
            if (i % 2 == 0)
            {
                a = Time(ours, out mine[i]);
                b = Time(peer, out theirs[i]);
            }
            else
            {
                b = Time(peer, out theirs[i]);
                a = Time(ours, out mine[i]);
            }

            Check(a, b);
        }

        return (Median(mine), Median(theirs));
    }

    /// <summary>Milliseconds of one call, after a collection.</summary>
    public static TResult Time<TResult>(Func<TResult> work, out double milliseconds)
    {
        Collect();
        var start = Stopwatch.GetTimestamp();
        var result = work();
        milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        return result;
    }

    /// <summary>Leaves the heap as small as it gets.</summary>
    public static void Collect()
    {
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    public static double Median(IEnumerable<double> figures)
    {
        var sorted = figures.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static void Check<TResult>(TResult ours, TResult peer)
    {
        if (!EqualityComparer<TResult>.Default.Equals(ours, peer))
            throw new InvalidOperationException($"Ours gave {ours} and the peer {peer}: they must do the same work.");
    }
}
