using Dataflow.Scheduling;

namespace Dataflow.Jobs;

/// <summary>Why a job did not succeed: facts only. The text is made from them when someone reads it.</summary>
internal sealed record JobFailure(JobFailureKind Kind, string What)
{
    /// <summary>What was thrown.</summary>
    public Exception? Cause { get; init; }

    /// <summary>The stage that failed.</summary>
    public StageId? Stage { get; init; }

    /// <summary>The last Rdd of that stage, whose chain says where in the program it comes from.</summary>
    public Rdd? Where { get; init; }

    /// <summary>What the task had taken from a file last.</summary>
    public string? LastRead { get; init; }

    /// <summary>The verb that reads the stage's output.</summary>
    public CallSite? ReadBy { get; init; }

    public int? Partition { get; init; }

    public int Attempts { get; init; }

    /// <summary>What to do about it.</summary>
    public string? Next { get; init; }

    /// <summary>Tasks that did not end when they were asked to.</summary>
    public IReadOnlyList<Exception> Abandoned { get; init; } = [];
}

internal enum JobFailureKind
{
    /// <summary>A task failed for the last time.</summary>
    Task,

    /// <summary>A stage could not be completed.</summary>
    Stage,

    /// <summary>On request.</summary>
    Cancelled,

    /// <summary>There was nobody to run it.</summary>
    NoExecutors,

    /// <summary>The driver could not take a result.</summary>
    Driver,

    /// <summary>Its code can't be sent to an executor; nothing of it ran. The program gets the cause itself.</summary>
    Refused,
}
