using Dataflow.Jobs;
using Dataflow.Shared;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Scheduling;

/// <summary>Everything that can happen to the scheduler. The time at which it happened comes beside it.</summary>
internal abstract record SchedulerEvent;

// From the driver program.

/// <summary>An action begins. Partitions and determinacy of all Rdds below are known already.</summary>
internal sealed record JobSubmitted(JobId Job, JobRequest Request) : SchedulerEvent;

/// <summary>A map stage is wanted by itself: its outputs, and how large they are.</summary>
internal sealed record MapStageSubmitted(JobId Job, ShuffleDependency Dependency, JobProperties Properties) : SchedulerEvent;

/// <summary>A job is to end.</summary>
internal sealed record JobCancelled(JobId Job, string Reason) : SchedulerEvent;

/// <summary>All jobs of a group are to end.</summary>
internal sealed record GroupCancelled(string Group, string Reason) : SchedulerEvent;

/// <summary>All jobs with a tag are to end.</summary>
internal sealed record TagCancelled(string Tag, string Reason) : SchedulerEvent;

/// <summary>All jobs that need a stage are to end.</summary>
internal sealed record StageCancelled(StageId Stage, string Reason) : SchedulerEvent;

/// <summary>All jobs are to end.</summary>
internal sealed record AllJobsCancelled(string Reason) : SchedulerEvent;

/// <summary>One attempt is to end; its task is tried again.</summary>
internal sealed record AttemptKillAsked(TaskId Task, string Reason) : SchedulerEvent;

/// <summary>The driver could not take what a task gave.</summary>
internal sealed record ResultRefused(JobId Job, JobFailure Failure) : SchedulerEvent;

/// <summary>Nobody will ask for a shuffle any more. Jobs that need it keep it until they end.</summary>
internal sealed record ShuffleRemoved(ShuffleId Shuffle) : SchedulerEvent;

/// <summary>Nobody asks for the executors' objects of a name any more.</summary>
internal sealed record StateUnwanted(string Name) : SchedulerEvent;

/// <summary>An Rdd is no longer kept.</summary>
internal sealed record RddUnpersisted(int Rdd) : SchedulerEvent;

// From executors and workers.

/// <summary>An executor offers slots.</summary>
internal sealed record ExecutorAdded(ExecutorId Executor, WorkerId Worker, string Host, int Slots) : SchedulerEvent
{
    /// <summary>Name of its worker, for people; null in local mode.</summary>
    public string? WorkerName { get; init; }

    /// <summary>Addresses of the named resources that it offers too, by name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Resources { get; init; } = NoResources;

    private static readonly IReadOnlyDictionary<string, IReadOnlyList<string>> NoResources = new Dictionary<string, IReadOnlyList<string>>();
}

/// <summary>An executor is about to leave: it gets no new tasks. Those that run may end; then <see cref="ExecutorDrained"/> says so.</summary>
internal sealed record ExecutorDraining(ExecutorId Executor, string Reason) : SchedulerEvent
{
    /// <summary>How long tasks that run there may go on; then they are ended, and run again elsewhere. Null if they may end by themselves.</summary>
    public TimeSpan? Grace { get; init; }
}

/// <summary>A worker is about to leave, with all executors that it has or gets still. Others take over what it keeps; then <see cref="WorkerHandedOver"/> says so.</summary>
internal sealed record WorkerDraining(WorkerId Worker, string Reason) : SchedulerEvent;

/// <summary>An executor has done what it was asked to by <see cref="HandOver"/> or <see cref="CopyCached"/>, as far as it could.</summary>
/// <param name="Executor">The executor.</param>
/// <param name="Transfer">What it was asked for.</param>
/// <param name="Outputs">Which of the map outputs, by position, its worker serves from now on.</param>
internal sealed record TakenOver(ExecutorId Executor, long Transfer, IReadOnlyList<int> Outputs) : SchedulerEvent;

/// <summary>An executor is gone, with its tasks, state and cached blocks. Map outputs stand: its worker serves them.</summary>
internal sealed record ExecutorLost(ExecutorId Executor, string Reason) : SchedulerEvent;

/// <summary>A worker is gone, with its executors and its map outputs.</summary>
internal sealed record WorkerLost(WorkerId Worker, string Reason) : SchedulerEvent;

/// <summary>An attempt ended.</summary>
internal sealed record TaskEnded(TaskId Task, TaskOutcome Outcome, TaskMetrics Metrics, AccumulatorUpdates? Accumulators) : SchedulerEvent;

/// <summary>An attempt asks whether it may make its output final.</summary>
/// <param name="Task">The attempt.</param>
/// <param name="Stage">Its stage.</param>
/// <param name="StageAttempt">The attempt at the stage.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Reply">Takes the answer.</param>
internal sealed record CommitAsked(TaskId Task, StageId Stage, int StageAttempt, int Partition, Action<bool> Reply) : SchedulerEvent;

/// <summary>A task of a barrier stage waits for the others.</summary>
/// <param name="Id">The attempt.</param>
/// <param name="Stage">Its stage.</param>
/// <param name="StageAttempt">The attempt at the stage.</param>
/// <param name="Task">Index of the task: its partition.</param>
/// <param name="Meeting">How often it has waited before.</param>
/// <param name="Kind">What it called.</param>
/// <param name="Message">What it brings.</param>
/// <param name="Timeout">How long it waits.</param>
/// <param name="Reply">Takes the answer.</param>
internal sealed record BarrierArrived(
    TaskId Id, StageId Stage, int StageAttempt, int Task, int Meeting, MeetingKind Kind, byte[] Message, TimeSpan Timeout, Action<AnswerBarrier> Reply)
    : SchedulerEvent;

/// <summary>A cached block came, moved or went.</summary>
internal sealed record BlockUpdated(ExecutorId Executor, BlockUpdate Update) : SchedulerEvent;

/// <summary>An object of a partition came to an executor's state, or went.</summary>
internal sealed record StateMoved(ExecutorId Executor, StateUpdate Update) : SchedulerEvent;

/// <summary>Somebody wants to know how much there is to do. Answered by the loop, in its mailbox.</summary>
internal sealed record LoadAsked(Action<SchedulerLoad> Reply) : SchedulerEvent;

/// <summary>Time went by.</summary>
internal sealed record TimePassed : SchedulerEvent
{
    public static TimePassed Instance { get; } = new();
}

// From the task scheduler to the DAG scheduler.

/// <summary>An attempt of a stage's task ended.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="StageAttempt">The attempt at the stage.</param>
/// <param name="Task">Position of the task in its stage.</param>
/// <param name="Id">The attempt at the task.</param>
/// <param name="Ended">How it ended.</param>
internal sealed record StageTaskEnded(StageId Stage, int StageAttempt, int Task, TaskId Id, TaskEnded Ended) : SchedulerEvent;

/// <summary>Nobody can run the tasks of a stage, however long they wait.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="StageAttempt">The attempt at it.</param>
/// <param name="Room">How many of its tasks all executors could run at once, if nothing else ran.</param>
/// <param name="Offers">What executors offer, each kind once.</param>
internal sealed record TaskSetUnplaceable(StageId Stage, int StageAttempt, int Room, IReadOnlyList<string> Offers) : SchedulerEvent;

/// <summary>Tasks of a stage are not launched, since what they read is lost (<see cref="HoldBack"/>).</summary>
internal sealed record TasksHeldBack(StageId Stage, int StageAttempt) : SchedulerEvent;

/// <summary>A task failed for the last time.</summary>
internal sealed record TaskSetFailed(StageId Stage, int StageAttempt, int Partition, int Attempts, string Where, TaskOutcome Last) : SchedulerEvent;

/// <summary>Nothing of a cancelled stage runs any more.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Abandoned">Those of its attempts that did not end by themselves and were given up.</param>
internal sealed record StageDrained(StageId Stage, IReadOnlyList<Exception> Abandoned) : SchedulerEvent;
