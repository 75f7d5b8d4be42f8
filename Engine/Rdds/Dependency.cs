using Dataflow.Closures;
using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>What an Rdd reads from one parent. Its kind alone decides where the scheduler cuts stages.</summary>
/// <param name="rdd">The parent.</param>
public abstract class Dependency(Rdd rdd)
{
    /// <summary>The parent that is read.</summary>
    public Rdd Rdd { get; } = rdd;
}

/// <summary>Each partition reads a few partitions of the parent, in the same task: no data moves between workers.</summary>
/// <param name="rdd">The parent.</param>
public abstract class NarrowDependency(Rdd rdd) : Dependency(rdd)
{
    /// <summary>The parent's partitions that a partition reads. Used on the driver only, to place tasks near their data.</summary>
    /// <param name="partition">Index of the child's partition.</param>
    public abstract IReadOnlyList<int> ParentsOf(int partition);
}

/// <summary>Partition i reads partition i of the parent.</summary>
/// <param name="rdd">The parent.</param>
public sealed class OneToOneDependency(Rdd rdd) : NarrowDependency(rdd)
{
    /// <inheritdoc/>
    public override IReadOnlyList<int> ParentsOf(int partition) => [partition];
}

/// <summary>A run of the child's partitions reads a run of the parent's, one to one: one input of a union.</summary>
/// <param name="rdd">The parent.</param>
/// <param name="start">First partition of the child that reads this parent.</param>
/// <param name="length">How many partitions the run has.</param>
public sealed class RangeDependency(Rdd rdd, int start, int length) : NarrowDependency(rdd)
{
    /// <inheritdoc/>
    public override IReadOnlyList<int> ParentsOf(int partition) =>
        partition >= start && partition < start + length ? [partition - start] : [];
}

/// <summary>Partition i reads the parent's partitions that a function names: coalesce, cartesian.</summary>
/// <param name="rdd">The parent.</param>
/// <param name="parentsOf">The parent's partition indices for an index of the child's.</param>
public sealed class ManyToOneDependency(Rdd rdd, Func<int, IReadOnlyList<int>> parentsOf) : NarrowDependency(rdd)
{
    [DriverOnly]
    private readonly Func<int, IReadOnlyList<int>> _parentsOf = parentsOf;

    /// <inheritdoc/>
    public override IReadOnlyList<int> ParentsOf(int partition) => _parentsOf(partition);
}

/// <summary>
/// Each partition reads a part of every partition of the parent: a map stage writes the parent's partitions cut by reduce partition,
/// and the child's tasks read them after all are written.
/// </summary>
/// <remarks>
/// The lower layer (segments, registration, fetching, loss) knows nothing of elements. The dependency supplies the upper one: how one
/// map partition is written. How it is read is up to the child Rdd, which knows its dependency.
/// </remarks>
public abstract class ShuffleDependency : Dependency
{
    [DriverOnly]
    private readonly ShuffleLifetime _lifetime;

    /// <summary>Makes a dependency with a shuffle id of its own.</summary>
    /// <param name="rdd">The parent.</param>
    /// <param name="reducePartitions">How many reduce partitions each map output is cut into; at least 1.</param>
    protected ShuffleDependency(Rdd rdd, int reducePartitions) : base(rdd)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(reducePartitions);
        ReducePartitions = reducePartitions;
        ShuffleId = rdd.Context.NewShuffleId();
        _lifetime = new ShuffleLifetime(rdd.Context, ShuffleId);
    }

    /// <summary>Names the shuffle.</summary>
    public ShuffleId ShuffleId { get; }

    /// <summary>How many reduce partitions each map output is cut into.</summary>
    public int ReducePartitions { get; }

    /// <summary>Whether the checksum of a map output is another when the same rows come in another order.</summary>
    internal virtual bool ChecksumKnowsOrder => false;

    /// <summary>Gets ready what map tasks need and only the driver can find out: the bounds of ranges, by a job that samples. Called on the
    /// driver before the map stage is first asked for; when it throws, it is called again for the next job.</summary>
    /// <param name="cancellationToken">That of the job that needs the stage.</param>
    protected internal virtual Task PrepareAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Drops what was written, on all executors, and what they built of it (<see cref="Storage.ExecutorState.KeyOf(ShuffleId, string)"/>): for
    /// who knows that no job reads it any more. Otherwise it is dropped when nothing refers to the dependency any more.</summary>
    public void Release() => Rdd.Context.DropShuffle(ShuffleId, mayRun: true);

    /// <summary>Writes the output of one map task. Runs on an executor.</summary>
    /// <param name="partition">The parent's partition.</param>
    /// <param name="output">Where segments go.</param>
    /// <param name="context">The running task.</param>
    public abstract void Write(Partition partition, MapOutputWriter output, TaskContext context);

    /// <summary>Runs one map task on an executor: writes its output and registers it, all or nothing.</summary>
    internal virtual MapStatus RunMapTask(Partition partition, TaskContext context)
    {
        using var output = new MapOutputWriter(context.Services.Shuffles, ShuffleId, partition.Index, ReducePartitions, context);
        Write(partition, output, context);
        context.ThrowIfInputLost();
        return output.Commit();
    }
}
