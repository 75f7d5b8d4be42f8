using Dataflow.Scheduling;
using Dataflow.Shuffle;

namespace Dataflow.Tasks;

/// <summary>
/// The code of one stage: functions and lineage, the same for all its tasks, sent to an executor once. It never holds the list of
/// partitions, so it serves again when only those change.
/// </summary>
internal abstract class StageBinary(Rdd rdd)
{
    /// <summary>The last Rdd of the stage.</summary>
    public Rdd Rdd { get; } = rdd;

    /// <summary>Makes the task of one partition.</summary>
    public abstract StageTask MakeTask(TaskDescription description, Partition partition, long epoch);
}

/// <summary>Writes the map outputs of one shuffle.</summary>
internal sealed class MapStageBinary(ShuffleDependency dependency) : StageBinary(dependency.Rdd)
{
    public ShuffleDependency Dependency { get; } = dependency;

    public override StageTask MakeTask(TaskDescription description, Partition partition, long epoch) =>
        new ShuffleMapTask(description, partition, epoch, this);
}

/// <summary>Computes the results of a job.</summary>
internal sealed class ResultStageBinary(Rdd rdd, Func<Partition, TaskContext, object?> function) : StageBinary(rdd)
{
    public Func<Partition, TaskContext, object?> Function { get; } = function;

    /// <summary>How results come back from an executor in another process; null where none is.</summary>
    public ResultCodec? Results { get; init; }

    public override StageTask MakeTask(TaskDescription description, Partition partition, long epoch) =>
        new ResultTask(description, partition, epoch, this);
}

/// <summary>One attempt at one task, as it goes to an executor: who it is, its partition, and the code of its stage by reference.</summary>
/// <param name="description">Which attempt this is.</param>
/// <param name="partition">The partition, with all that computing it needs.</param>
/// <param name="epoch">Locations of map outputs that an executor learned before this epoch are out of date.</param>
internal abstract class StageTask(TaskDescription description, Partition partition, long epoch)
{
    public TaskDescription Description { get; } = description;

    public Partition Partition { get; } = partition;

    public long Epoch { get; } = epoch;

    public abstract StageBinary Binary { get; }

    /// <summary>Computes the partition on the executor.</summary>
    /// <returns>The value of <see cref="TaskSucceeded"/>.</returns>
    public abstract object? Run(TaskContext context);
}

/// <summary>Writes one map output.</summary>
internal sealed class ShuffleMapTask(TaskDescription description, Partition partition, long epoch, MapStageBinary binary)
    : StageTask(description, partition, epoch)
{
    public override StageBinary Binary => binary;

    public override object Run(TaskContext context) => binary.Dependency.RunMapTask(Partition, context);
}

/// <summary>Computes one result of a job.</summary>
internal sealed class ResultTask(TaskDescription description, Partition partition, long epoch, ResultStageBinary binary)
    : StageTask(description, partition, epoch)
{
    public override StageBinary Binary => binary;

    public override object? Run(TaskContext context) => binary.Function(Partition, context);
}
