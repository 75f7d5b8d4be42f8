using Dataflow.Diagnostics;
using Dataflow.Jobs;
using Dataflow.Shared;
using Dataflow.Storage;
using Dataflow.TaskScheduling;
using Dataflow.Tasks;
using Dataflow.Tracking;

namespace Dataflow.Scheduling;

/// <summary>Everything the scheduler can decide.</summary>
internal abstract record SchedulerAction;

// For the loop to carry out.

/// <summary>Have a task run.</summary>
internal sealed record LaunchTask(ExecutorId Executor, StageTask Task) : SchedulerAction;

/// <summary>Ask an attempt to end.</summary>
internal sealed record KillTask(ExecutorId Executor, TaskId Task, string Reason) : SchedulerAction;

/// <summary>Hand a result to its job.</summary>
internal sealed record DeliverResult(JobId Job, int Index, object? Value) : SchedulerAction;

/// <summary>A job is over: it succeeded, unless there is a failure.</summary>
internal sealed record EndJob(JobId Job, JobFailure? Failure, MapOutputSizes? Sizes) : SchedulerAction;

/// <summary>Add what the accumulators of a task gathered.</summary>
/// <param name="Updates">What the task gathered.</param>
/// <param name="Jobs">The jobs that need its stage: they fail if the user's code can't merge it.</param>
internal sealed record CountAccumulators(AccumulatorUpdates Updates, JobId[] Jobs) : SchedulerAction;

/// <summary>Answer an attempt that asked to commit.</summary>
internal sealed record AnswerCommit(CommitAsked Question, bool Granted) : SchedulerAction;

/// <summary>Answer a task that waits for the others of its barrier stage.</summary>
/// <param name="Question">Who waits.</param>
/// <param name="Messages">What each task brought, by index; null if they do not meet.</param>
/// <param name="Failure">Why they do not; null if they do.</param>
internal sealed record AnswerBarrier(BarrierArrived Question, byte[][]? Messages, string? Failure) : SchedulerAction;

/// <summary>A worker did not answer a task: find out whether it is gone.</summary>
internal sealed record CheckWorker(WorkerId Worker) : SchedulerAction;

/// <summary>An executor that was to leave runs no task any more, and what it keeps is with others where that was possible: it may be let go.</summary>
internal sealed record ExecutorDrained(ExecutorId Executor) : SchedulerAction;

/// <summary>Drop the cached partitions of an Rdd: they were made from data that is being made anew and may differ.</summary>
/// <param name="Rdd">The Rdd.</param>
/// <param name="Epoch">Tasks of stages that were submitted before this epoch keep nothing of it any more.</param>
internal sealed record DropCached(int Rdd, long Epoch) : SchedulerAction;

/// <summary>Have an executor keep a copy of a cached partition.</summary>
/// <param name="Block">The partition.</param>
/// <param name="From">Who has it.</param>
/// <param name="To">Who is to have it too.</param>
/// <param name="Replicas">On how many executors it is to be.</param>
/// <param name="Epoch">A drop of a later epoch overrides this.</param>
internal sealed record CopyCached(RddBlockId Block, ExecutorId From, ExecutorId To, int Replicas, long Epoch) : SchedulerAction
{
    /// <summary>The number by which <see cref="TakenOver"/> says that it was done; null if nobody waits for that.</summary>
    public long? Transfer { get; init; }
}

/// <summary>Have an executor fetch map outputs of another worker, so that its own serves them.</summary>
/// <param name="Transfer">The number by which <see cref="TakenOver"/> says that it was done.</param>
/// <param name="From">Who serves them.</param>
/// <param name="To">Who fetches them.</param>
/// <param name="Outputs">Which.</param>
internal sealed record HandOver(long Transfer, WorkerId From, ExecutorId To, IReadOnlyList<MovedOutput> Outputs) : SchedulerAction;

/// <summary>One map output that moves.</summary>
/// <param name="Shuffle">The shuffle.</param>
/// <param name="Map">The map output.</param>
/// <param name="Writer">The attempt that wrote it.</param>
/// <param name="Ends">Where to cut it: ends of runs of reduce partitions, the last one their number.</param>
internal sealed record MovedOutput(ShuffleId Shuffle, int Map, TaskId Writer, int[] Ends);

/// <summary>Nothing more is taken of a worker that is about to leave.</summary>
internal sealed record WorkerHandedOver(WorkerId Worker) : SchedulerAction;

/// <summary>Drop the outputs of a shuffle that nobody reads any more.</summary>
internal sealed record DropShuffle(ShuffleId Shuffle) : SchedulerAction;

/// <summary>Drop the executors' objects of a name.</summary>
internal sealed record DropState(string Name) : SchedulerAction;

/// <summary>Tell the listeners.</summary>
internal sealed record Announce(JobEvent Event) : SchedulerAction;

// From the DAG scheduler to the task scheduler.

/// <summary>Run tasks of a stage.</summary>
internal sealed record StartTasks(TaskSetRequest Request) : SchedulerAction;

/// <summary>Launch no more tasks of an attempt at a stage; those that run may finish.</summary>
internal sealed record StopLaunching(StageId Stage, int StageAttempt) : SchedulerAction;

/// <summary>Map outputs that a stage reads are lost: say so if tasks of it are still to be launched, now or later (<see cref="TasksHeldBack"/>).</summary>
internal sealed record HoldBack(StageId Stage, int StageAttempt) : SchedulerAction;

/// <summary>Kill the tasks of all attempts at a stage; nobody waits for them.</summary>
internal sealed record KillAttempts(StageId Stage, string Reason) : SchedulerAction;

/// <summary>Kill the tasks of all attempts at a stage and say when none is left.</summary>
internal sealed record CancelStage(StageId Stage, string Reason) : SchedulerAction;

/// <summary>A task need not run: its result came from an earlier attempt at the stage.</summary>
internal sealed record TaskDone(StageId Stage, int StageAttempt, int Task) : SchedulerAction;
