using Dataflow.Closures;
using Dataflow.Cluster;
using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>The one door to the engine: makes Rdds, broadcasts and accumulators, runs jobs, and owns the lifetime of all of them.</summary>
/// <remarks>Its members may be called from several threads at once.</remarks>
public sealed partial class DataflowContext : IDriverOnly, IDisposable, IAsyncDisposable
{
    private readonly CallSite _madeAt;
    private CallSite? _stoppedAt;
    private int _nextRdd;
    private int _nextShuffle;
    private int _nextSeed;
    private long _nextBroadcast;

    /// <summary>The options it was made with.</summary>
    public DataflowOptions Options { get; }

    /// <summary>Whether jobs run on threads of this process; if not, each task is sent to an executor.</summary>
    public bool IsLocal => _node is null;

    /// <summary>Partitions that <see cref="Parallelize{T}(IEnumerable{T}, int)"/> makes when the program names no number.</summary>
    public int DefaultParallelism => Options.DefaultParallelism ?? _node?.Backend.SlotCount ?? Options.Threads;

    /// <summary>About how many bytes one executor may take, by which plans choose what must fit in memory: that of this process, or what the program asked
    /// executors to have; as much as this process where it asked for none.</summary>
    public long ExecutorMemoryBytes => _node?.ExecutorMemoryBytes ?? _services.Memory.TotalBytes;

    /// <summary>Runs jobs on threads of this process.</summary>
    /// <param name="threads">How many tasks run at once; 0 takes the processors of the machine.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="threads"/> is negative.</exception>
    public static DataflowContext Local(int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        return Local(threads == 0 ? DataflowOptions.Default : DataflowOptions.Default with { Threads = threads });
    }

    /// <summary>Runs jobs on threads of this process.</summary>
    /// <param name="options">Every knob.</param>
    public static DataflowContext Local(DataflowOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new DataflowContext(options, static backend => backend);
    }

    /// <summary>As <see cref="Local(DataflowOptions)"/>, with something between the scheduler and the threads that run its tasks.</summary>
    internal static DataflowContext Local(DataflowOptions options, Func<IExecutorBackend, IExecutorBackend> wrap) => new(options, wrap);

    /// <summary>Runs jobs on a backend, a dispatcher and a clock of somebody's own: everything that a driver program waits for is in their hands.</summary>
    internal static DataflowContext On(IExecutorBackend backend, DataflowOptions options, IDispatcher dispatcher, TimeProvider time) =>
        new(options, _ => backend, null, dispatcher, time);

    /// <summary>Cuts elements of the driver program into partitions.</summary>
    /// <remarks>Slice i of n holds the positions from floor(i * length / n) to floor((i + 1) * length / n), exclusive.</remarks>
    /// <typeparam name="T">The element type.</typeparam>
    /// <param name="items">Read now, unless it is an array or list: those are used in place and must not be changed afterwards.</param>
    /// <param name="partitions">How many partitions; 0 takes <see cref="DefaultParallelism"/>.</param>
    public Rdd<T> Parallelize<T>(IEnumerable<T> items, int partitions = 0)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentOutOfRangeException.ThrowIfNegative(partitions);
        return new ParallelizeRdd<T>(this, items as T[] ?? [.. items], partitions == 0 ? DefaultParallelism : partitions);
    }

    /// <summary>The numbers from <paramref name="start"/> to <paramref name="end"/>, exclusive. Never materialised as a whole.</summary>
    /// <param name="start">First number.</param>
    /// <param name="end">Where the numbers stop; it is not among them.</param>
    /// <param name="step">Difference between neighbours; not 0.</param>
    /// <param name="partitions">How many partitions; 0 takes <see cref="DefaultParallelism"/>.</param>
    public Rdd<long> Range(long start, long end, long step = 1, int partitions = 0)
    {
        ArgumentOutOfRangeException.ThrowIfZero(step);
        ArgumentOutOfRangeException.ThrowIfNegative(partitions);
        var span = (Int128)end - start;
        var count = span > 0 == step > 0 && span != 0 ? (span + step - Math.Sign(step)) / step : 0;
        if (count > long.MaxValue)
            throw new ArgumentOutOfRangeException(nameof(end), end, $"The range from {start} by {step} has more than {long.MaxValue:N0} numbers.");
        return new RangeRdd(this, start, (long)count, step, partitions == 0 ? DefaultParallelism : partitions);
    }

    /// <summary>An Rdd without partitions and elements.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    public Rdd<T> Empty<T>() => new EmptyRdd<T>(this);

    /// <summary>The partitions of several Rdds, one after the other; duplicates stay.</summary>
    /// <remarks>If all have equal partitioners, partition i of the result reads partition i of each, and the partitioner is kept.</remarks>
    /// <typeparam name="T">The element type.</typeparam>
    /// <param name="rdds">Of this context.</param>
    public Rdd<T> Union<T>(params IReadOnlyList<Rdd<T>> rdds)
    {
        ArgumentNullException.ThrowIfNull(rdds);
        if (rdds.Count == 0) return Empty<T>();
        Rdd<T>[] inputs = [.. rdds];
        foreach (var rdd in inputs) Own(rdd);
        return inputs[0].Partitioner is { } partitioner && inputs.All(rdd => partitioner.Equals(rdd.Partitioner))
            ? new ZippedRdd<T>("Union", inputs, (partition, context) => new ConcatenatedReader<T>(inputs, partition.Parents, context), true)
            : new UnionRdd<T>(this, inputs);
    }

    /// <summary>Gives every executor a copy of a value, kept once however many tasks use it.</summary>
    /// <typeparam name="T">Type of the value.</typeparam>
    /// <param name="value">Must not be changed from now on.</param>
    public Broadcast<T> Broadcast<T>(T value)
    {
        ThrowIfStopped();
        return new Broadcast<T>(Interlocked.Increment(ref _nextBroadcast) - 1, value, CallSite.Here("Broadcast"), _node is { } node ? node.Backend.DropBroadcast : null);
    }

    /// <summary>Refuses Rdds of other contexts.</summary>
    internal void Own(Rdd rdd)
    {
        ArgumentNullException.ThrowIfNull(rdd);
        if (rdd.Context != this) throw new ArgumentException($"{rdd} belongs to another context, made by {rdd.Context._madeAt}, than this one, made by {_madeAt}.", nameof(rdd));
    }

    /// <summary>A start for random numbers where the program names none: another one with each call, the same ones in each run.</summary>
    internal long NewSeed() => new PartitionRandom(Options.Seed, Interlocked.Increment(ref _nextSeed)).NextLong(long.MaxValue);

    internal int NewRddId() => Interlocked.Increment(ref _nextRdd) - 1;

    internal ShuffleId NewShuffleId() => new(Interlocked.Increment(ref _nextShuffle) - 1);

    /// <summary>Whether it was disposed: nothing can be computed any more.</summary>
    public bool IsStopped => Volatile.Read(ref _stopping) != 0;

    internal void ThrowIfStopped()
    {
        if (_stoppedAt is { } site) throw new ObjectDisposedException(nameof(DataflowContext), $"The context made by {_madeAt} was stopped by {site}.");
    }
}
