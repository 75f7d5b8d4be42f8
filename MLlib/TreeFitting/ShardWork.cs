using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.MLlib.TreeFitting;

/// <summary>What a job wants of each shard.</summary>
/// <param name="Trees">The trees so far.</param>
/// <param name="Iterations">How many more.</param>
internal sealed record TreeOrder(Trees.Tree[] Trees, int Iterations);

/// <summary>What a shard's job gave.</summary>
/// <param name="Trees">All trees so far: earlier ones may have changed.</param>
/// <param name="IsDone">Whether no further tree could be split, or the metric did not get better.</param>
/// <param name="BestIteration">After which iteration the metric was best; 0 if nothing was measured.</param>
/// <param name="History">What was measured in this job.</param>
/// <param name="Infos">What is remembered of the features.</param>
internal sealed record TrainedTrees(Trees.Tree[] Trees, bool IsDone, int BestIteration, Trees.TreeMeasurement[] History, TreeModels.FeatureInfo[] Infos);

/// <summary>The task of one shard in one job. Travels to executors.</summary>
internal sealed class ShardWork(string name, TreeFitPlan plan, TreeShards shards, TreeOrder order)
{
    /// <summary>What the shards of a fit are called in the executors' state.</summary>
    public static string StateOf(string fit, int layout) => $"{fit}/shard {layout}";

    /// <summary>Runs it. All shards of the stage do so at once.</summary>
    /// <param name="barrier">Where they meet.</param>
    /// <param name="leases">The shard's partitions; read only if the shard has to be made.</param>
    /// <returns>What was trained, from the first shard; from others nothing.</returns>
    public IEnumerable<TrainedTrees> Run(BarrierTaskContext barrier, IEnumerable<LoadedLease> leases)
    {
        var task = TaskContext.Current!;
        var states = task.Services.State;
        var key = ExecutorState.KeyOf(StateOf(name, shards.Layout), barrier.TaskIndex);
        var group = new CollectiveTreeGroup(barrier.TaskCount, barrier.TaskIndex);
        group.Bind(barrier.TaskCount > 1 ? barrier.Collectives : null);

        // All have their shard as it should be, or all make theirs anew: making one takes all.
        var held = states.TryGet<TreeShardState>(key, task);
        var lacking = new long[] { held is not null && held.Value.Trees == order.Trees.Length ? 0 : 1 };
        group.AllReduceSum(lacking);
        if (lacking[0] > 0)
        {
            // What is made anew is not there beside what it replaces.
            held?.Dispose();
            states.Remove(key);

            // Not charged: its memory is none of the engine's pool, and is counted with what the process has beside it.
            held = states.GetOrCreate(key, 0, () => Make(leases, states, group), LossRule.Rebuild, context: task);
        }
        var state = held!.Value;
        state.Group.Bind(barrier.TaskCount > 1 ? barrier.Collectives : null);
        state.Trees = -1;
        var training = state.Training;
        var iterations = training.Iterations;
        var isDone = false;
        for (var i = 0; i < order.Iterations && !isDone; i++)
        {
            task.ThrowIfCancelled();
            isDone = !training.Iterate();
        }
        isDone |= training.Progress.IsOver;
        state.Trees = training.Trees.Count;
        state.Group.Bind(null);
        if (barrier.TaskIndex > 0) return [];
        var history = training.Progress.History.Where(each => each.Iteration > iterations).ToArray();
        return [new TrainedTrees([.. training.Trees], isDone, training.Progress.BestIteration, history, [.. training.Finish().FeatureInfos])];
    }

    private TreeShardState Make(IEnumerable<LoadedLease> leases, ExecutorState states, CollectiveTreeGroup group)
    {
        var loaded = new List<LoadedLease>();
        try
        {
            foreach (var lease in leases) loaded.Add(lease);
            var made = TreeShardState.Build(plan, shards, loaded.ConvertAll(lease => (lease.Partition, lease.Rows.Value)), group, order.Trees, TaskContext.Current!.Services);

            // What was binned is not needed again, unless an executor is lost: then it is read again.
            foreach (var lease in loaded) states.Remove(ExecutorState.KeyOf(name, lease.Partition));
            return made;
        }
        finally
        {
            foreach (var lease in loaded) lease.Rows.Dispose();
        }
    }
}
