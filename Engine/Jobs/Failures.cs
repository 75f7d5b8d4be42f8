using Dataflow.Diagnostics;
using Dataflow.Errors;
using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.Jobs;

/// <summary>The reasons for which jobs fail, in the words that users read.</summary>
internal static class Failures
{
    public static string Describe(TaskSetFailed e)
    {
        var where = e.Where.Length > 0 ? $", on {e.Where}" : "";
        return e.Last switch
        {
            TaskThrew threw => $"task {e.Partition} of stage {e.Stage} threw {ExceptionText.NameOf(threw.Exception)} on attempt {e.Attempts}{where}",
            TaskLost lost => $"task {e.Partition} of stage {e.Stage} lost its executor {e.Attempts} times, last: {lost.Reason}{where}",
            _ => $"task {e.Partition} of stage {e.Stage} failed: {e.Last}{where}",
        };
    }

    public static JobFailure Of(TaskSetFailed e, Stage stage, int maxAttempts)
    {
        var thrown = (e.Last as TaskThrew)?.Exception;
        var what = Describe(e);
        if (thrown is not null) what = what.Replace($"on attempt {e.Attempts}", $"on attempt {e.Attempts} of {maxAttempts}", StringComparison.Ordinal);
        return new JobFailure(JobFailureKind.Task, what)
        {
            Cause = thrown,
            Stage = stage.Id,
            Where = stage.Rdd,
            LastRead = (e.Last as TaskThrew)?.LastRead,
            ReadBy = ReaderOf(stage),
            Partition = e.Partition,
            Attempts = e.Attempts,
            Next = AfterTask(thrown),
        };
    }

    public static JobFailure OfStage(Stage stage, FetchFailed last, int times) => new(
        JobFailureKind.Stage, $"stage {stage.Id} failed {times} times to read map output {last.Map}, though it was written anew after each")
    {
        Cause = new FetchFailedException(last),
        Stage = stage.Id,
        Where = stage.Rdd,
        ReadBy = ReaderOf(stage),
        Attempts = times,
        Next = "workers or disks are failing: look at their logs. DataflowOptions.StageMaxAttempts allows more attempts.",
    };

    public static JobFailure Indeterminate(Stage writer, Stage reader, Job job) => new(
        JobFailureKind.Stage,
        $"an output of stage {writer.Id} was lost, and its tasks do not give the same rows when they run again; "
        + $"{job.FinishedCount} of {reader.TaskCount} results were made from the old rows already")
    {
        Stage = writer.Id,
        Where = writer.Rdd,
        ReadBy = ReaderOf(writer),
        Next = "make that stage repeatable (give random choices a seed, do not depend on the order of elements), or Checkpoint its result; then run the job again.",
    };

    public static JobFailure NoExecutors(TimeSpan waited, (string Why, string Next)? said) => new(
        JobFailureKind.NoExecutors, $"there was no executor to run it for {waited.TotalSeconds:0.###} s{(said is var (why, _) ? $": {why}" : "")}")
    {
        // What is to be typed comes last, for whoever copies it.
        Next = $"raise DataflowOptions.NoExecutorTimeout if workers take longer to come, or {(said is var (_, next) ? next : "add workers")}",
    };

    public static JobFailure OfGang(Stage stage, int partition, TaskOutcome why, int maxAttempts)
    {
        var thrown = (why as TaskThrew)?.Exception;
        var how = why switch
        {
            TaskThrew => $"threw {ExceptionText.NameOf(thrown!)}",
            TaskLost lost => $"lost its executor ({lost.Reason})",
            TaskKilled killed => $"was killed ({killed.Reason})",
            _ => $"failed: {why}",
        };
        var what = $"task {partition} of barrier stage {stage.Id} {how} on attempt {stage.FailedAttempts} of {maxAttempts} at the stage";
        return new JobFailure(JobFailureKind.Task, what)
        {
            Cause = thrown,
            Stage = stage.Id,
            Where = stage.Rdd,
            LastRead = (why as TaskThrew)?.LastRead,
            ReadBy = ReaderOf(stage),
            Partition = partition,
            Attempts = stage.FailedAttempts,
            Next = why is TaskThrew or TaskLost ? AfterTask(thrown) : null,
        };
    }

    public static JobFailure Unplaceable(TaskSetUnplaceable e, Stage stage)
    {
        var offers = $"Offered {(e.Offers.Count == 1 ? "is" : "are")}: {string.Join("; ", e.Offers)}";
        if (stage.IsBarrier)
        {
            var tasks = stage.TaskCount == 1 ? "1 task" : $"{stage.TaskCount} tasks, which start together";
            var needs = stage.Wishes.Needs.Equals(ResourceProfile.Default) ? "" : $", each with {stage.Wishes.Needs}";
            return new JobFailure(
                JobFailureKind.NoExecutors, $"barrier stage {stage.Id} has {tasks}{needs}, but there is room for {e.Room} at once. {offers}")
            {
                Stage = stage.Id,
                Where = stage.Rdd,
                ReadBy = ReaderOf(stage),
                Next = (e.Room > 0 ? $"Repartition({e.Room}) before Barrier, or " : "")
                    + $"offer more: {WhoOffers}.",
            };
        }
        return new JobFailure(
            JobFailureKind.NoExecutors, $"each task of stage {stage.Id} needs {stage.Wishes.Needs}, which no executor has at all. {offers}")
        {
            Stage = stage.Id,
            Where = stage.Rdd,
            ReadBy = ReaderOf(stage),
            Next = $"ask for less in WithResources, or offer more: {WhoOffers}.",
        };
    }

    private const string WhoOffers = "local mode has DataflowOptions.Threads slots and what DataflowOptions.Resources names; a worker has "
        + "what 'dataflow worker --cores N --resource NAME=COUNT' says, and where ClusterOptions.ExecutorCores is set an executor gets of it what ClusterOptions.ExecutorResources says";

    private static string? AfterTask(Exception? thrown) => thrown switch
    {
        null => "an executor dies when the process runs out of memory or the code ends it: look at its log, and give it more memory or smaller partitions.",
        IFinalError or BarrierException => null,
        _ when UserStackTrace.SaysAll(thrown) => null,
        OutOfMemoryException => "the heap is full, which DataflowOptions.MemoryBytes bounds: raise that, run fewer tasks at once (Threads), or cut the data into more partitions.",
        _ when UserStackTrace.HasUsersFrames(thrown) => "mend the code named above for this value, or drop such elements with Filter before it.",
        IOException or UnauthorizedAccessException or RemoteTaskException { IsOfFiles: true } => null,
        OverflowException or RemoteTaskException { RemoteType: "System.OverflowException" } =>
            "the numbers are too large for the type that the verb named above works with: Map them to a larger one (long, decimal, double) before it.",
        _ => "no code of yours was running: look at the elements, and at what the verbs named above are given. If both are sound, please report this error.",
    };

    private static CallSite? ReaderOf(Stage stage)
    {
        if (stage.Dependency is not { } shuffle) return stage.ResultOf!.Properties.CallSite;
        foreach (var reader in stage.Waiting)
        {
            if (StageGraph.NarrowLineage(reader.Rdd).Find(rdd => rdd.LiveDependencies.Contains(shuffle)) is { } rdd) return rdd.CallSite;
        }
        return stage.Jobs.Count > 0 ? stage.Jobs[0].Properties.CallSite : null;
    }
}
