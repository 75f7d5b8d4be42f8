using System.Diagnostics;
using Dataflow.MLlib.Data;
using Dataflow.MLlib.Trees;
using Dataflow.Storage;
using Dataflow.Tasks;
using Dataflow.TaskScheduling;

namespace Dataflow.MLlib.TreeFitting;

/// <summary>
/// Trains trees on a frame: a job loads its partitions into executors, then barrier stages of one task an executor, with all its slots, grow some trees each. Between
/// jobs the rows stay where they are, as bins, with their scores. An executor that is lost costs the job it was lost in: the next one reads the rows again where
/// needed, bins them alike, applies the trees so far and goes on, and the model is the same.
/// </summary>
internal sealed class TreeFit
{
    // Jobs are short enough to show progress and to lose little, and long enough to cost nothing.
    private static readonly TimeSpan JobTime = TimeSpan.FromSeconds(1);
    private const int MostLayouts = 5;

    private readonly Func<double, TreeFitPlan, TreeFitPlan> _complete;
    private readonly Action<IReadOnlyList<TreeMeasurement>>? _measured;
    private TreeFitPlan _plan;
    private readonly string _name = $"trees-{Guid.NewGuid():n}";
    private readonly Rdd<LoadedLease> _rows;
    private readonly Rdd<LoadedPartition> _loaded;

    private TreeFit(TreeFitPlan plan, Func<double, TreeFitPlan, TreeFitPlan> complete, DataFrame selected, Action<IReadOnlyList<TreeMeasurement>>? measured)
    {
        _complete = complete;
        _measured = measured;
        _plan = plan;
        var (name, features, categorical, others, watched, user) = (_name, plan.Features, plan.IsCategorical, plan.OtherCount, plan.ValidationAt, plan.User);
        _rows = selected.MapBatches((partition, batches) => Load(name, partition, batches, features, categorical, others, watched, user)).NearState(name);
        var queryAt = plan.QueryAt;
        _loaded = _rows.Map(lease => lease.Summary(queryAt));
    }

    /// <summary>Trains.</summary>
    /// <param name="context">Where.</param>
    /// <param name="plan">What on and how; made complete when the greatest label is known.</param>
    /// <param name="complete">Does so: sets the objective.</param>
    /// <param name="selected">The columns that <paramref name="plan"/> names: features, then others.</param>
    /// <param name="measured">Told what was measured after each job.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public static async Task<TreeFitResult> RunAsync(
        DataflowContext context, TreeFitPlan plan, Func<double, TreeFitPlan, TreeFitPlan> complete, DataFrame selected,
        Action<IReadOnlyList<TreeMeasurement>>? measured, CancellationToken cancellationToken)
    {
        var fit = new TreeFit(plan, complete, selected, measured);
        try
        {
            return await fit.RunAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            context.DropState(fit._name);
        }
    }

    private async Task<TreeFitResult> RunAsync(CancellationToken cancellationToken)
    {
        FitProgress? progress = null;
        for (var layout = 0; ; layout++)
        {
            var partitions = await _loaded.CollectAsync(cancellationToken).ConfigureAwait(false);
            var shards = TreeShards.Of(partitions, layout, _plan);
            using var watch = new ExecutorWatch(_loaded.Context, shards, cancellationToken);
            if (progress is null)
            {
                _plan = _complete(partitions.Max(partition => double.IsNaN(partition.GreatestLabel) ? 0 : partition.GreatestLabel), _plan);
                progress = new FitProgress(_plan);
            }
            TreeMemory.Check(partitions, _plan.Options.Objective.Scores, _plan.User);
            try
            {
                while (!progress.IsDone)
                {
                    var clock = Stopwatch.StartNew();
                    var trained = await TrainAsync(shards, progress, watch.Token).ConfigureAwait(false);
                    progress = progress.With(trained, clock.Elapsed, JobTime);
                    _measured?.Invoke(trained.History);
                }
                return progress.Result(shards);
            }
            catch (Exception e) when (e is JobFailedException or OperationCanceledException && watch.HasLost && layout + 1 < MostLayouts && !cancellationToken.IsCancellationRequested)
            {
                // Executors are gone. Those that are there now share the rows among them.
            }
        }
    }

    // A job of one barrier stage.
    private async Task<TrainedTrees> TrainAsync(TreeShards shards, FitProgress progress, CancellationToken cancellationToken)
    {
        var groups = shards.Groups;
        var work = new ShardWork(_name, _plan, shards, progress.Order);
        var stage = _rows.Coalesce(groups.Length, (_, _) => groups).WithResources(new ResourceProfile(shards.Slots)).Barrier();
        var trained = stage.MapPartitions((barrier, leases) => work.Run(barrier, leases)).NearState(ShardWork.StateOf(_name, shards.Layout));
        var results = await trained.CollectAsync(cancellationToken).ConfigureAwait(false);
        return results[0];
    }

    private static IEnumerable<LoadedLease> Load(string name, int partition, IEnumerable<Sql.Columns.ColumnBatch> batches, FeatureColumns features, bool[] categorical, int others, int watched, string user)
    {
        var task = TaskContext.Current!;
        return [new LoadedLease(partition, task.Services.State.GetOrCreate(
            ExecutorState.KeyOf(name, partition), 0, () => RowLoader.Load(batches, features, categorical, others, watched, user, task.Services), LossRule.Rebuild, loaded => loaded.Bytes, MemoryKind.Managed, task))];
    }
}
