using Dataflow.Diagnostics;
using Dataflow.Errors;

namespace Dataflow.Tasks;

/// <summary>Runs one attempt on the thread that calls it and says how it ended. Nothing that a task throws gets past it.</summary>
internal static class TaskRunner
{
    public static TaskOutcome Run(StageTask task, TaskContext context, TimeProvider time)
    {
        var start = time.GetTimestamp();
        var paused = GC.GetTotalPauseDuration();
        TaskOutcome outcome;
        using (context.Enter())
        {
            try
            {
                context.ThrowIfCancelled();
                var value = task.Run(context);
                context.ThrowIfInputLost();
                outcome = new TaskSucceeded(value);
            }
            catch (Exception error)
            {
                context.HasFailed = true;
                outcome = OutcomeOf(error, context);
            }

            // A success whose cleaning up failed may have left half of its work undone.
            if (context.Complete() is { } left && outcome is TaskSucceeded) outcome = OutcomeOf(left, context);

            // What others keep on the heap is still there when it is tried again.
            if (outcome is TaskThrew { Exception: OutOfMemoryException }) context.Services.Memory.Relieve();
        }
        context.Metrics.RunTime = time.GetElapsedTime(start);
        context.Metrics.GcPauseTime = GC.GetTotalPauseDuration() - paused;
        return outcome;
    }

    private static TaskOutcome OutcomeOf(Exception error, TaskContext context)
    {
        // Whatever a cancelled task throws, being cancelled is why.
        if (context.CancellationToken.IsCancellationRequested) return new TaskKilled("cancelled");

        // User code likes to wrap: a lost map output must not become an ordinary error, or it would never be written again.
        for (var at = error; at is not null; at = at.InnerException)
        {
            if (at is FetchFailedException fetch) return fetch.ToOutcome();
            if (at is CommitDeniedException) return new CommitDenied();
        }

        // Errors of our own kinds name the file themselves, where it matters.
        return new TaskThrew(error) { LastRead = UserStackTrace.SaysAll(error) ? null : context.LastRead?.ToString() };
    }
}
