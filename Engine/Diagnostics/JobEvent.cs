using Dataflow.Jobs;
using Dataflow.Scheduling;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Diagnostics;

/// <summary>Something that happened to a job, a stage, a task or an executor. A <see cref="JobListener"/> is told.</summary>
public abstract record JobEvent
{
    /// <summary>When it happened, by the driver's clock.</summary>
    public DateTimeOffset Time { get; init; }
}

/// <summary>A job began.</summary>
/// <param name="Job">The job.</param>
/// <param name="Properties">What the program said of it.</param>
/// <param name="Stages">The stages it needs, parents first. More follow if outputs of earlier jobs turn out to be lost.</param>
public sealed record JobStarted(JobId Job, JobProperties Properties, IReadOnlyList<StageSummary> Stages) : JobEvent;

/// <summary>What is known of a stage before it runs.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Rdd">The last Rdd it computes: its name or verb, and its place in the program.</param>
/// <param name="Tasks">How many tasks the whole stage has.</param>
/// <param name="IsMapStage">Whether it writes the outputs of a shuffle; otherwise it computes the results of the job.</param>
/// <param name="IsSkipped">Whether its outputs are all there from an earlier job, so that nothing runs.</param>
public sealed record StageSummary(StageId Stage, CallSite Rdd, int Tasks, bool IsMapStage, bool IsSkipped);

/// <summary>A job is over, and nothing of it runs any more.</summary>
/// <param name="Job">The job.</param>
/// <param name="Duration">Time from its submission.</param>
/// <param name="Failure">Null if it succeeded, otherwise why not.</param>
public sealed record JobEnded(JobId Job, TimeSpan Duration, string? Failure) : JobEvent;

/// <summary>Tasks of a stage are about to run.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Attempt">0 for its first run.</param>
/// <param name="Tasks">How many tasks run in this attempt: those whose result is missing.</param>
public sealed record StageSubmitted(StageId Stage, int Attempt, int Tasks) : JobEvent;

/// <summary>An attempt at a stage is over.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Attempt">Which attempt.</param>
/// <param name="Failure">Null if all its tasks succeeded, otherwise why not.</param>
public sealed record StageCompleted(StageId Stage, int Attempt, string? Failure) : JobEvent;

/// <summary>An attempt at a task was sent to an executor.</summary>
/// <param name="Task">Which attempt.</param>
/// <param name="Executor">Where it runs.</param>
public sealed record TaskStarted(TaskDescription Task, ExecutorId Executor) : JobEvent;

/// <summary>An attempt at a task ended.</summary>
/// <param name="Task">Which attempt.</param>
/// <param name="Executor">Where it ran.</param>
/// <param name="Outcome">How it ended. The value of a success is not kept.</param>
/// <param name="Metrics">What it did.</param>
/// <param name="Duration">Time from its launch, as the driver saw it.</param>
public sealed record TaskFinished(TaskDescription Task, ExecutorId Executor, TaskOutcome Outcome, TaskMetrics Metrics, TimeSpan Duration) : JobEvent;

/// <summary>An executor offers slots.</summary>
/// <param name="Executor">The executor.</param>
/// <param name="Worker">Who started it.</param>
/// <param name="Host">The node.</param>
/// <param name="Slots">How many tasks it runs at once.</param>
public sealed record ExecutorJoined(ExecutorId Executor, WorkerId Worker, string Host, int Slots) : JobEvent;

/// <summary>An executor is gone, with its tasks, state and cached blocks.</summary>
/// <param name="Executor">The executor.</param>
/// <param name="Reason">Why.</param>
public sealed record ExecutorLeft(ExecutorId Executor, string Reason) : JobEvent;

/// <summary>A worker is gone, with its executors and its map outputs.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="Reason">Why.</param>
public sealed record WorkerLeft(WorkerId Worker, string Reason) : JobEvent;

/// <summary>A cached block came, moved between memory and disk, or went.</summary>
/// <param name="Executor">Where.</param>
/// <param name="Update">Which block, and what happened.</param>
public sealed record BlockChanged(ExecutorId Executor, BlockUpdate Update) : JobEvent;

/// <summary>This listener was too slow: events after the one before this were not given to it.</summary>
/// <param name="Count">How many, since the last such notice.</param>
public sealed record EventsDropped(long Count) : JobEvent;

/// <summary>A listener threw, and is told nothing any more. The job is not affected.</summary>
/// <param name="Listener">Its type.</param>
/// <param name="Exception">What it threw.</param>
public sealed record ListenerDetached(Type Listener, Exception Exception) : JobEvent;
