using Dataflow.Tasks;

namespace Dataflow.Scheduling;

/// <summary>
/// Tasks that run the same code on different partitions, between two shuffles. A map stage writes the outputs of one shuffle and is
/// shared by all jobs that read it; a result stage belongs to one job.
/// </summary>
/// <remarks>State of the DAG scheduler; nobody else changes it. Its parents are not kept: they are worked out whenever the stage is
/// submitted, since what is missing changes.</remarks>
internal sealed class Stage
{
    private bool[]? _counted;

    public Stage(StageId id, StageBinary binary, ShuffleDependency? dependency, int taskCount)
    {
        Id = id;
        Binary = binary;
        Dependency = dependency;
        TaskCount = taskCount;
        Pending = new bool[taskCount];
    }

    public StageId Id { get; }

    public StageBinary Binary { get; }

    public Rdd Rdd => Binary.Rdd;

    /// <summary>The shuffle that it writes; null for a result stage.</summary>
    public ShuffleDependency? Dependency { get; }

    /// <summary>Tasks of the whole stage: partitions of the Rdd, or those that the job asked for.</summary>
    public int TaskCount { get; }

    /// <summary>The jobs that need it. The first is the one its tasks are accounted to.</summary>
    public List<Job> Jobs { get; } = [];

    /// <summary>The job whose results it computes; null for a map stage.</summary>
    public Job? ResultOf { get; init; }

    /// <summary>What its Rdds ask of whoever runs it.</summary>
    public StageWishes Wishes { get; init; } = StageWishes.None;

    /// <summary>Whether its tasks start together or not at all.</summary>
    public bool IsBarrier => Wishes.Gang.Count > 0;

    /// <summary>What the tasks of the newest attempt gave, until all have; of a barrier stage only.</summary>
    public StageTaskEnded?[] Held => field ??= new StageTaskEnded?[TaskCount];

    public StageState State { get; set; }

    /// <summary>Number of the newest attempt; -1 before the first.</summary>
    public int Attempt { get; set; } = -1;

    /// <summary>Results of attempts before this one were made from data that has been replaced.</summary>
    public int OldestAccepted { get; set; }

    /// <summary>Attempts at a barrier stage in a row that ended because a task failed.</summary>
    public int FailedAttempts { get; set; }

    /// <summary>How often each map output could not be read since the stage last succeeded. Outputs that are lost together, with a disk, are met one in each
    /// attempt: only the same one again and again says that writing it anew does not help.</summary>
    public Dictionary<(ShuffleId Shuffle, int Map), int> FailedFetches { get; } = [];

    /// <summary>Whether tasks give the same rows when they run again.</summary>
    public bool IsIndeterminate { get; set; }

    /// <summary>Tasks of the newest attempt that have not ended well.</summary>
    public bool[] Pending { get; }

    public int PendingCount { get; set; }

    /// <summary>Whether the task scheduler may still hold attempts at it.</summary>
    public bool HasAttempts { get; set; }

    /// <summary>Map stages it waits for.</summary>
    public HashSet<Stage> WaitsFor { get; } = [];

    /// <summary>Stages that wait for it.</summary>
    public List<Stage> Waiting { get; } = [];

    /// <summary>Map stages that a task of it found wanting, though a cached Rdd should have stood between.</summary>
    public HashSet<ShuffleDependency> FoundMissing { get; } = [];

    /// <summary>Whether a task's accumulators count: only the first time that it succeeds.</summary>
    public bool CountOnce(int task)
    {
        _counted ??= new bool[TaskCount];
        if (_counted[task]) return false;
        _counted[task] = true;
        return true;
    }

    /// <summary>The partition that a task computes.</summary>
    public int PartitionOf(int task) => ResultOf is { } job ? job.Partitions[task] : task;

    public override string ToString() => $"stage {Id}";
}

internal enum StageState
{
    /// <summary>Not wanted now: not begun, or done.</summary>
    Idle,

    /// <summary>Its parents are being computed.</summary>
    Waiting,

    /// <summary>Its newest attempt runs.</summary>
    Running,

    /// <summary>Its newest attempt failed; it is submitted again after a while.</summary>
    Failed,
}
