using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.TaskScheduling;

/// <summary>Words for a task that did not end when it was cancelled.</summary>
internal static class AbandonedTask
{
    private const int MostSites = 4;

    public static TaskAbandonedException Describe(StageTask task, TimeSpan grace)
    {
        var description = task.Description;
        var lineage = StageGraph.NarrowLineage(task.Binary.Rdd);
        var lambdas = lineage.FindAll(rdd => rdd.CallSite.HasLambda);
        var within = $"did not return within {grace.TotalSeconds:0.###} s after cancellation";
        var what = lambdas switch
        {
            [var only] => $"the lambda in {only.CallSite} {within}",
            [] => $"the code of {lineage[0].CallSite} {within}",
            _ => $"a lambda in {string.Join(" or ", lambdas.Take(MostSites).Select(rdd => rdd.CallSite))} {within}",
        };
        return new TaskAbandonedException(
            $"Task {description.Partition} of stage {description.Stage} was given up: {what}. Its thread goes on until it returns. "
            + "Have long loops call TaskContext.Current.ThrowIfCancelled(), or give blocking calls TaskContext.Current.CancellationToken.",
            description.Stage,
            description.Partition);
    }
}
