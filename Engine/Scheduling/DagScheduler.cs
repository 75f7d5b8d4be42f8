using Dataflow.Diagnostics;
using Dataflow.Shuffle;
using Dataflow.Storage;
using Dataflow.TaskScheduling;
using Dataflow.Tasks;
using Dataflow.Tracking;

namespace Dataflow.Scheduling;

/// <summary>
/// Cuts jobs into stages and sees them through: which stage can run, what a success makes possible, and what each kind of failure makes
/// necessary. A pure machine: events and the time go in, actions come out; it has no clock, no thread and no lock.
/// </summary>
/// <remarks>
/// A stage is submitted when every map output it reads is registered. Outputs outlive the job that made them, so a later job skips such
/// stages. Stages live as long as a job needs them; outputs until their shuffle is removed.
/// </remarks>
internal sealed partial class DagScheduler
{
    private readonly DataflowOptions _options;
    private readonly MapOutputTracker _outputs;
    private readonly Queue<SchedulerAction> _actions;
    private readonly News _news;
    private readonly bool _places;
    private readonly Dictionary<JobId, Job> _jobs = [];
    private readonly Dictionary<StageId, Stage> _stages = [];
    private readonly Dictionary<ShuffleId, Stage> _mapStages = [];
    private readonly Dictionary<ExecutorId, (WorkerId Worker, string Host)> _executors = [];
    private readonly Dictionary<WorkerId, string> _hosts = [];
    private readonly HashSet<WorkerId> _lostWorkers = [];
    private readonly CachedBlocks _cached = new();
    private readonly StatePlaces _states = new();
    private readonly Provenance _provenance = new();
    private readonly CommitArbiter _commits = new();
    private readonly Func<Rdd, bool> _isCached;
    private readonly Action<StageBinary, CallSite?>? _prepare;
    private int _nextStage;

    /// <param name="options">The knobs.</param>
    /// <param name="outputs">Who serves which map output.</param>
    /// <param name="actions">Where actions go.</param>
    /// <param name="news">Where announcements go.</param>
    /// <param name="places">Whether it matters on which executor a task runs.</param>
    /// <param name="prepare">Makes the code of a stage ready for an action, or throws; null if there is nothing to do.</param>
    public DagScheduler(
        DataflowOptions options, MapOutputTracker outputs, Queue<SchedulerAction> actions, News news, bool places, Action<StageBinary, CallSite?>? prepare = null)
    {
        _prepare = prepare;
        _options = options;
        _outputs = outputs;
        _actions = actions;
        _news = news;
        _places = places;
        _barriers = new BarrierCoordinator(actions);
        _isCached = rdd => rdd.StorageLevel.IsKept && rdd.KnownPartitions is { } partitions && _cached.HasAll(rdd.Id, partitions.Length);
    }

    /// <summary>What errors say where there is no executor.</summary>
    public Func<(string Why, string Next)?> OnNoExecutors { get; set; } = static () => null;

    /// <summary>How many jobs have not ended.</summary>
    public int JobCount => _jobs.Count;

    /// <summary>Executors that keep cached blocks.</summary>
    public HashSet<ExecutorId> CacheKeepers() => _cached.Keepers();

    /// <summary>How many stages are remembered.</summary>
    public int StageCount => _stages.Count;

    /// <summary>Of how many shuffles and kept Rdds it is remembered what they were made from.</summary>
    public int KeptCount => _provenance.Count;

    /// <summary>When it wants to be told that time passed; null if it waits for nothing.</summary>
    public TimeSpan? NextWake => Earlier(Earlier(_resubmitAt, NoExecutorDeadline()), _barriers.NextWake);

    public void Handle(SchedulerEvent happened, TimeSpan now)
    {
        switch (happened)
        {
            case StageTaskEnded e: OnTaskEnded(e, now); break;
            case JobSubmitted e: OnJobSubmitted(e, now); break;
            case MapStageSubmitted e: OnMapStageSubmitted(e, now); break;
            case StageDrained e: OnStageDrained(e, now); break;
            case TaskSetFailed e: OnTaskSetFailed(e, now); break;
            case TasksHeldBack e: OnTasksHeldBack(e, now); break;
            case TaskSetUnplaceable e: OnTaskSetUnplaceable(e, now); break;
            case CommitAsked e: OnCommitAsked(e); break;
            case BarrierArrived e: _barriers.Arrive(e, now); break;
            case BlockUpdated e: OnBlockUpdated(e, now); break;
            case StateMoved e when _executors.ContainsKey(e.Executor): _states.Update(e.Executor, e.Update); break;
            case TimePassed: OnTimePassed(now); break;
            case JobCancelled e: CancelWhere(job => job.Id == e.Job, e.Reason, now); break;
            case GroupCancelled e: CancelWhere(job => job.Properties.Group == e.Group, e.Reason, now); break;
            case TagCancelled e: CancelWhere(job => job.Properties.Tags.Contains(e.Tag), e.Reason, now); break;
            case StageCancelled e: CancelWhere(job => job.Stages.Any(stage => stage.Id == e.Stage), e.Reason, now); break;
            case AllJobsCancelled e: CancelWhere(_ => true, e.Reason, now); break;
            case ResultRefused e: OnResultRefused(e, now); break;
            case ExecutorAdded e: OnExecutorAdded(e, now); break;
            case ExecutorLost e: OnExecutorLost(e, now); break;
            case WorkerLost e: OnWorkerLost(e, now); break;
            case ExecutorDraining e:
                if (_executors.ContainsKey(e.Executor)) _closed.Add(e.Executor);
                break;
            case WorkerDraining e: OnWorkerDraining(e); break;
            case TakenOver e: OnTakenOver(e); break;
            case RddUnpersisted e:
                _cached.RemoveRdd(e.Rdd);
                _provenance.Remove(new Kept(IsShuffle: false, e.Rdd));
                DropCached(e.Rdd);
                break;
            case ShuffleRemoved e: OnShuffleRemoved(e.Shuffle); break;
            case StateUnwanted e: _actions.Enqueue(new DropState(e.Name)); break;
        }
    }

    private static TimeSpan? Earlier(TimeSpan? a, TimeSpan? b) => a is null || b < a ? b : a;

    private void OnJobSubmitted(JobSubmitted e, TimeSpan now)
    {
        var request = e.Request;
        var job = new Job(e.Job, request.Properties, request.Partitions, now);
        _jobs.Add(job.Id, job);
        PlanParents(request.Rdd, job);
        _ = _provenance.ReadBy(request.Rdd);
        var id = NewStageId();
        job.Final = new Stage(id, new ResultStageBinary(request.Rdd, request.Function) { Results = request.Results }, null, request.Partitions.Count)
        {
            ResultOf = job,
            Wishes = StageWishes.Of(id, request.Rdd, request.Partitions),
            IsIndeterminate = request.Rdd.Determinacy == Determinacy.Indeterminate,
        };
        _stages.Add(job.Final.Id, job.Final);
        Begin(job, now);
    }

    private void OnMapStageSubmitted(MapStageSubmitted e, TimeSpan now)
    {
        var job = new Job(e.Job, e.Properties, [], now);
        _jobs.Add(job.Id, job);
        if (!_outputs.IsComplete(e.Dependency.ShuffleId)) PlanParents(e.Dependency.Rdd, job);
        job.Final = MapStageOf(e.Dependency);
        Begin(job, now);
    }

    private void Begin(Job job, TimeSpan now)
    {
        Attach(job.Final, job);
        if (_news.IsOn)
        {
            var stages = job.Stages.OrderBy(stage => stage.Id.Value).Select(Summarize).ToArray();
            _news.Tell(new JobStarted(job.Id, job.Properties, stages) { Time = _news.At(now) });
        }

        // Better before anything has run than after.
        if (WhyRefused(job) is { } refusal)
            Abort(job, refusal, now);
        else
            Submit(job.Final, now);
    }

    private StageSummary Summarize(Stage stage) =>
        new(stage.Id, stage.Rdd.CallSite, stage.TaskCount, stage.Dependency is not null, stage.Dependency is not null && IsAvailable(stage));

    /// <summary>Makes the stages that are missing below an Rdd, parents first, so that their numbers follow the flow of data.</summary>
    private void PlanParents(Rdd root, Job job)
    {
        foreach (var shuffle in StageGraph.Order(root, _isCached, shuffle => _outputs.IsComplete(shuffle.ShuffleId)))
            Attach(MapStageOf(shuffle), job);
    }

    private Stage MapStageOf(ShuffleDependency shuffle)
    {
        if (_mapStages.TryGetValue(shuffle.ShuffleId, out var stage)) return stage;
        var maps = shuffle.Rdd.PartitionCount;
        _outputs.Declare(shuffle.ShuffleId, maps, shuffle.ReducePartitions);
        var id = NewStageId();
        stage = new Stage(id, new MapStageBinary(shuffle), shuffle, maps)
        {
            Wishes = StageWishes.Of(id, shuffle.Rdd, null),
            IsIndeterminate = shuffle.Rdd.Determinacy == Determinacy.Indeterminate || _outputs.IsIndeterminate(shuffle.ShuffleId),
        };
        _stages.Add(stage.Id, stage);
        _mapStages.Add(shuffle.ShuffleId, stage);
        _provenance.Add(shuffle);
        return stage;
    }

    private StageId NewStageId() => new(_nextStage++);

    /// <summary>Has a job need a stage, and whatever that stage is waiting for.</summary>
    private static void Attach(Stage first, Job job)
    {
        var stack = new Stack<Stage>();
        stack.Push(first);
        while (stack.TryPop(out var stage))
        {
            if (!job.Stages.Add(stage)) continue;
            stage.Jobs.Add(job);
            foreach (var parent in stage.WaitsFor) stack.Push(parent);
        }
    }

    private bool IsAvailable(Stage stage) => stage.Dependency is { } shuffle && _outputs.IsComplete(shuffle.ShuffleId);

    /// <summary>Runs a stage if all it reads is there; otherwise it waits, and what is missing is submitted first.</summary>
    private void Submit(Stage wanted, TimeSpan now)
    {
        var stack = new Stack<Stage>();
        stack.Push(wanted);
        while (stack.TryPop(out var stage))
        {
            if (stage.State != StageState.Idle || stage.Jobs.Count == 0) continue;
            foreach (var shuffle in ShufflesReadBy(stage))
            {
                var parent = MapStageOf(shuffle);
                foreach (var job in stage.Jobs) Attach(parent, job);
                if (!IsAvailable(parent) && stage.WaitsFor.Add(parent)) parent.Waiting.Add(stage);
            }
            stage.FoundMissing.Clear();

            if (stage.WaitsFor.Count == 0)
            {
                Run(stage, now);
                continue;
            }
            stage.State = StageState.Waiting;
            foreach (var parent in stage.WaitsFor.OrderByDescending(parent => parent.Id.Value)) stack.Push(parent);
        }
    }

    private IEnumerable<ShuffleDependency> ShufflesReadBy(Stage stage)
    {
        // An available map stage without missing outputs reads nothing, however long its lineage.
        if (IsAvailable(stage)) return [];
        var shuffles = StageGraph.ShufflesReadBy(stage.Rdd, _isCached);
        return stage.FoundMissing.Count == 0 ? shuffles : shuffles.Union(stage.FoundMissing);
    }

    /// <summary>Begins an attempt at the tasks of a stage whose results are missing.</summary>
    private void Run(Stage stage, TimeSpan now)
    {
        if (stage.IsIndeterminate && stage.Dependency is { } lost && !IsAvailable(stage) && _outputs.WasComplete(lost.ShuffleId))
        {
            // Someone may have read the outputs that were lost, and new ones would differ: it and its readers begin anew.
            BeginAnew(stage, now);
            return;
        }

        if (stage.Wishes.Refusal is { } refusal)
        {
            // Found out late: it stands in for something cached that was lost.
            AbortAll(stage, refusal, now);
            return;
        }

        var tasks = MissingTasks(stage);
        if (tasks.Length == 0)
        {
            Complete(stage, now);
            return;
        }
        stage.State = StageState.Running;
        stage.Attempt++;
        stage.HasAttempts = true;
        stage.PendingCount = tasks.Length;
        foreach (var task in tasks) stage.Pending[task] = true;

        if (stage.IsBarrier)
        {
            DropPartlyCached(stage);
            _barriers.Begin(stage.Id, stage.Attempt, tasks.Length);
        }
        var owner = stage.Jobs[0];
        if (_news.IsOn) _news.Tell(new StageSubmitted(stage.Id, stage.Attempt, tasks.Length) { Time = _news.At(now) });
        _actions.Enqueue(new StartTasks(new TaskSetRequest(owner.Id, stage.Id, stage.Attempt, stage.Binary, tasks, _outputs.Epoch)
        {
            Partitions = stage.ResultOf?.Partitions,
            Pool = owner.Properties.Pool,
            Preferences = _places ? PreferencesOf(stage, tasks) : null,
            Needs = stage.Wishes.Needs,
            IsBarrier = stage.IsBarrier,
        }));
    }

    private int MissingCount(Stage stage) =>
        stage.Dependency is { } shuffle ? _outputs.MissingCount(shuffle.ShuffleId) : stage.TaskCount - stage.ResultOf!.FinishedCount;

    private int[] MissingTasks(Stage stage)
    {
        // What a gang makes it makes together, so if anything is missing it runs whole.
        if (stage.IsBarrier) return MissingCount(stage) == 0 ? [] : [.. Enumerable.Range(0, stage.TaskCount)];
        if (stage.Dependency is { } shuffle) return _outputs.MissingOf(shuffle.ShuffleId);
        var job = stage.ResultOf!;
        var missing = new int[stage.TaskCount - job.FinishedCount];
        for (int task = 0, next = 0; next < missing.Length; task++)
        {
            if (!job.Finished[task]) missing[next++] = task;
        }
        return missing;
    }

    private void OnTaskEnded(StageTaskEnded e, TimeSpan now)
    {
        if (!_stages.TryGetValue(e.Stage, out var stage)) return;
        if (stage.IsBarrier)
        {
            OnGangTaskEnded(stage, e, now);
            return;
        }
        var partition = stage.PartitionOf(e.Task);
        switch (e.Ended.Outcome)
        {
            case TaskSucceeded success:
                var counts = Accepts(stage, e) && (stage.Dependency is null || !_lostWorkers.Contains(((MapStatus)success.Value!).Location.Server));
                _commits.Ended(stage.Id, partition, e.Id, counts);
                if (!counts) break;
                if (e.Ended.Accumulators is { } updates && stage.CountOnce(e.Task)) _actions.Enqueue(new CountAccumulators(updates, JobsOf(stage)));
                Take(stage, e, success.Value, now);
                break;
            case FetchFailed failure:
                _commits.Ended(stage.Id, partition, e.Id, counts: false);
                OnFetchFailed(stage, e, failure, now);
                break;
            default:
                _commits.Ended(stage.Id, partition, e.Id, counts: false);
                break;
        }

        // The tasks of this attempt are through, though an output may have been lost meanwhile.
        if (stage.State == StageState.Running && IsOfNewest(stage, e) && e.Ended.Outcome is TaskSucceeded && Settle(stage, e.Task))
            Complete(stage, now);
    }

    private static bool IsOfNewest(Stage stage, StageTaskEnded e) => stage.State == StageState.Running && e.StageAttempt == stage.Attempt;

    /// <summary>Whether a result counts: it is still missing, and nothing says that a later one would differ.</summary>
    private bool Accepts(Stage stage, StageTaskEnded e)
    {
        if (e.StageAttempt < stage.OldestAccepted) return false;
        if (!IsOfNewest(stage, e) && stage.IsIndeterminate) return false;
        return stage.Dependency is { } shuffle ? !_outputs.Has(shuffle.ShuffleId, e.Task) : !stage.ResultOf!.Finished[e.Task];
    }

    private static JobId[] JobsOf(Stage stage) => [.. stage.Jobs.Select(job => job.Id)];

    private void Take(Stage stage, StageTaskEnded e, object? value, TimeSpan now)
    {
        if (stage.Dependency is { } shuffle)
        {
            var isSame = _outputs.Register(shuffle.ShuffleId, e.Task, (MapStatus)value!);
            if (!isSame && !stage.IsIndeterminate && !(shuffle.ChecksumKnowsOrder && shuffle.Rdd.Determinacy == Determinacy.Unordered))
            {
                OnOutputDiffers(stage, now);
                return;
            }
        }
        else
        {
            var job = stage.ResultOf!;
            job.Finished[e.Task] = true;
            job.FinishedCount++;
            _actions.Enqueue(new DeliverResult(job.Id, e.Task, value));
        }

        if (IsOfNewest(stage, e)) return;

        // A late result of an earlier attempt spares the newest one this task.
        if (stage.State == StageState.Running)
        {
            _actions.Enqueue(new TaskDone(stage.Id, stage.Attempt, e.Task));
            if (Settle(stage, e.Task)) Complete(stage, now);
        }
        else if (MissingCount(stage) == 0)
        {
            // It was to run again, and need not.
            StopWaiting(stage);
            _failed.Remove(stage);
            Complete(stage, now);
        }
    }

    private static bool Settle(Stage stage, int task)
    {
        if (!stage.Pending[task]) return false;
        stage.Pending[task] = false;
        return --stage.PendingCount == 0;
    }

    /// <summary>All tasks of a stage are done. Its children run, or its job ends; or some of it runs again, if it was lost meanwhile.</summary>
    private void Complete(Stage stage, TimeSpan now)
    {
        if (stage.State == StageState.Running && _news.IsOn)
            _news.Tell(new StageCompleted(stage.Id, stage.Attempt, null) { Time = _news.At(now) });
        stage.State = StageState.Idle;
        if (stage.ResultOf is { } job)
        {
            Finish(job, null, now);
            return;
        }
        if (!IsAvailable(stage))
        {
            Submit(stage, now);
            return;
        }

        stage.FailedAttempts = 0;
        stage.FailedFetches.Clear();
        var waiting = stage.Waiting.ToArray();
        stage.Waiting.Clear();
        foreach (var child in waiting)
        {
            if (!child.WaitsFor.Remove(stage) || child.WaitsFor.Count > 0 || child.State != StageState.Waiting) continue;
            child.State = StageState.Idle;
            Submit(child, now);
        }
        foreach (var wanting in stage.Jobs.Where(wanting => wanting.Final == stage).ToArray())
            Finish(wanting, _outputs.SizesOf(stage.Dependency!.ShuffleId)!.Snapshot(), now);
    }

    private void OnCommitAsked(CommitAsked e)
    {
        var granted = _stages.TryGetValue(e.Stage, out var stage)
            && stage.State == StageState.Running
            && e.StageAttempt == stage.Attempt
            && _commits.TryGrant(e.Stage, e.Partition, e.Task);
        _actions.Enqueue(new AnswerCommit(e, granted));
    }

    private void OnBlockUpdated(BlockUpdated e, TimeSpan now)
    {
        var block = e.Update.Id;
        if (e.Update.IsHere && _executors.ContainsKey(e.Executor))
        {
            _cached.Add(block.Rdd, block.Partition, e.Executor, e.Update.Replicas);
            Replicate(e);
        }
        else
            _cached.Remove(block.Rdd, block.Partition, e.Executor);
        if (_news.IsOn) _news.Tell(new BlockChanged(e.Executor, e.Update) { Time = _news.At(now) });
    }

    // A partition of a replicated level came.
    private void Replicate(BlockUpdated e)
    {
        var block = e.Update.Id;
        if (e.Update is not { Change: BlockChange.Added, Replicas: > 1 }) return;
        var here = _cached.ExecutorsOf(block.Rdd, block.Partition);
        if (here.Count < e.Update.Replicas) Copy(block, e.Executor, here, e.Update.Replicas);
    }

    // Executors came or went: what lost a copy gets another one.
    private void ReplicateAgain()
    {
        foreach (var (block, keepers, replicas) in _cached.Scarce()) Copy(block, keepers[0], keepers, replicas);
    }

    // Another executor fetches it, of another worker if there is one.
    private void Copy(RddBlockId block, ExecutorId from, IReadOnlyList<ExecutorId> here, int replicas)
    {
        var worker = _executors[from].Worker;
        var others = _executors.Where(other => !here.Contains(other.Key) && !_closed.Contains(other.Key))
            .OrderBy(other => other.Value.Worker == worker).ThenBy(other => other.Key.Value).ToArray();
        if (others.Length == 0) return;

        // Spread by partition over those that are as good.
        var best = others.TakeWhile(other => (other.Value.Worker == worker) == (others[0].Value.Worker == worker)).ToArray();
        _actions.Enqueue(new CopyCached(block, from, best[block.Partition % best.Length].Key, replicas, _outputs.Epoch));
    }

    // Tasks that run now may be about to keep what is dropped.
    private void DropCached(int rdd)
    {
        _outputs.Advance();
        _actions.Enqueue(new DropCached(rdd, _outputs.Epoch));
    }
}
