using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.TaskScheduling;

/// <summary>One attempt at a stage: the tasks whose results are missing.</summary>
/// <param name="Job">The job that they are accounted to.</param>
/// <param name="Stage">The stage.</param>
/// <param name="Attempt">Which attempt at it.</param>
/// <param name="Binary">Its code.</param>
/// <param name="Tasks">Positions in the stage, ascending.</param>
/// <param name="Epoch">Epoch of the map outputs.</param>
internal sealed record TaskSetRequest(JobId Job, StageId Stage, int Attempt, StageBinary Binary, int[] Tasks, long Epoch)
{
    /// <summary>The partition of each task of the stage; null if task i computes partition i.</summary>
    public IReadOnlyList<int>? Partitions { get; init; }

    /// <summary>The pool it queues in.</summary>
    public string? Pool { get; init; }

    /// <summary>Where each of <see cref="Tasks"/> would best run; null if it matters for none.</summary>
    public Preference[]? Preferences { get; init; }

    /// <summary>What each task takes of its executor.</summary>
    public ResourceProfile Needs { get; init; } = ResourceProfile.Default;

    /// <summary>Whether all tasks start together or none does.</summary>
    public bool IsBarrier { get; init; }

    public int PartitionOf(int task) => Partitions is null ? task : Partitions[task];
}

/// <summary>Where a task would best run: on executors that keep its data in memory, or on nodes that have it on disk.</summary>
internal readonly record struct Preference(IReadOnlyList<ExecutorId> Executors, IReadOnlyList<string> Hosts)
{
    public static Preference None { get; } = new([], []);

    /// <summary>Whether what the executors keep is an object of their state, which nobody else can fetch.</summary>
    public bool IsOfState { get; init; }

    public bool IsNone => Executors.Count == 0 && Hosts.Count == 0;
}

/// <summary>How near to its data a task may be made to run, best first.</summary>
internal enum Locality
{
    /// <summary>In the process that keeps it in memory.</summary>
    Executor,

    /// <summary>On a node that has it.</summary>
    Host,

    /// <summary>Anywhere.</summary>
    Any,
}
