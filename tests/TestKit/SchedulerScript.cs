using Dataflow.Jobs;
using Dataflow.Scheduling;
using Dataflow.Shared;
using Dataflow.Shuffle;
using Dataflow.Storage;
using Dataflow.TaskScheduling;
using Dataflow.Tasks;
using Dataflow.Tracking;

namespace Dataflow.TestKit;

/// <summary>
/// Plays events to a <see cref="DagScheduler"/> and reads what it decides, as short texts: no threads, no clock. Stages of a cancelled job
/// drain at once unless <see cref="DrainsByItself"/> is turned off.
/// </summary>
/// <remarks><code>
/// start stage 0 tasks 0 1 2      start stage 0 tasks 0 1 together      task 0 meets: a b      task 0 waits no more: why
/// stop launching stage 1      hold back stage 1      kill stage 1      cancel stage 1      task 2 of stage 0 is done      drop rdd 3      drop shuffle 3
/// executor 2 takes 0 1 of w1      executor 2 copies rdd_3_0 of 1      executor 1 may go      w1 may go
/// result 1 of job 0      end job 0      fail job 0: why      check worker w1      count      commit granted
/// </code></remarks>
internal sealed class SchedulerScript
{
    private readonly Queue<SchedulerAction> _actions = new();
    private readonly List<string> _news = [];
    private readonly Dictionary<int, TaskSetRequest> _sets = [];
    private readonly Dictionary<(int Stage, int Attempt), TaskSetRequest> _allSets = [];
    private readonly Dictionary<int, HashSet<int>> _waiting = [];
    private readonly Dictionary<string, WorkerId> _workers = [];
    private readonly List<(long Number, ExecutorId To)> _transfers = [];
    private int _nextJob;
    private long _nextAttempt;

    /// <summary>One two-stage job, submitted.</summary>
    public SchedulerScript(int maps, int reduces, DataflowOptions? options = null) : this(new TestShuffle(new TestRdd(maps), reduces), options) { }

    /// <summary>One two-stage job over a given shuffle, submitted.</summary>
    public SchedulerScript(TestShuffle shuffle, DataflowOptions? options = null) : this(options)
    {
        Shuffle = shuffle;
        Submit(new TestRdd(shuffle.ReducePartitions, Determinacy.Determinate, null, shuffle));
    }

    /// <summary>No job yet.</summary>
    public SchedulerScript(DataflowOptions? options = null, bool places = false)
    {
        News = new News(DateTimeOffset.UnixEpoch, _actions);
        Dag = new DagScheduler(options ?? DataflowOptions.Default, Outputs, _actions, News, places);
        AddExecutor("w1");
        _ = NewActions;
    }

    public DagScheduler Dag { get; }

    public News News { get; }

    public MapOutputTracker Outputs { get; } = new();

    public TestShuffle Shuffle { get; } = null!;

    public TimeSpan Now { get; private set; }

    public bool DrainsByItself { get; set; } = true;

    public JobFailure? Failure { get; private set; }

    public List<Diagnostics.JobEvent> Announced { get; } = [];

    /// <summary>Delivered results, as (job, index, value).</summary>
    public List<(int Job, int Index, object? Value)> Results { get; } = [];

    /// <summary>Sizes that came with the end of a map stage job.</summary>
    public MapOutputSizes? Sizes { get; private set; }

    /// <summary>What was decided since the last look, without results and accumulators.</summary>
    public List<string> NewActions
    {
        get
        {
            var news = _news.ToList();
            _news.Clear();
            return news;
        }
    }

    /// <summary>The newest task set of a stage.</summary>
    public TaskSetRequest SetOf(int stage) => _sets[stage];

    public WorkerId Worker(string name)
    {
        if (!_workers.TryGetValue(name, out var id)) _workers[name] = id = new WorkerId(_workers.Count + 1);
        return id;
    }

    public JobId Submit(Rdd rdd, int[]? partitions = null, JobProperties? properties = null)
    {
        _ = rdd.Determinacy;
        var job = new JobId(_nextJob++);
        var request = new JobRequest(rdd, partitions ?? [.. Enumerable.Range(0, rdd.PartitionCount)], (partition, _) => partition.Index)
        {
            Properties = properties ?? JobProperties.None,
        };
        Feed(new JobSubmitted(job, request));
        return job;
    }

    public JobId SubmitMapStage(ShuffleDependency shuffle, JobProperties? properties = null)
    {
        _ = shuffle.Rdd.Determinacy;
        _ = shuffle.Rdd.PartitionCount;
        var job = new JobId(_nextJob++);
        Feed(new MapStageSubmitted(job, shuffle, properties ?? JobProperties.None));
        return job;
    }

    public void Feed(SchedulerEvent happened)
    {
        Dag.Handle(happened, Now);
        while (_actions.TryDequeue(out var action)) Read(action);
    }

    public void AddExecutor(string worker, int? executor = null, string? host = null) =>
        Feed(new ExecutorAdded(new ExecutorId(executor ?? Worker(worker).Value), Worker(worker), host ?? worker, 2));

    /// <summary>Has a worker leave, whose executors run nothing.</summary>
    public void Drain(string worker, params int[] executors)
    {
        Feed(new WorkerDraining(Worker(worker), "it drains"));
        foreach (var executor in executors) Idle(executor);
    }

    /// <summary>An executor that is to leave runs nothing any more.</summary>
    public void Idle(int executor)
    {
        if (!Dag.HoldsBack(new ExecutorId(executor))) _news.Add($"executor {executor} may go");
        while (_actions.TryDequeue(out var action)) Read(action);
    }

    /// <summary>Has the oldest transfer that an executor was asked for end.</summary>
    public void TakeOver(int executor, params int[] outputs)
    {
        var transfer = _transfers.First(open => open.To.Value == executor);
        _transfers.Remove(transfer);
        Feed(new TakenOver(transfer.To, transfer.Number, outputs));
    }

    public void LoseExecutor(int executor) => Feed(new ExecutorLost(new ExecutorId(executor), "it crashed"));

    public void LoseWorker(string worker) => Feed(new WorkerLost(Worker(worker), "it crashed"));

    public void Cache(Rdd rdd, int partition, int executor = 1, bool isHere = true) => Feed(new BlockUpdated(
        new ExecutorId(executor), new BlockUpdate(new RddBlockId(rdd.Id, partition), isHere ? BlockChange.Added : BlockChange.Evicted, 10, 0)));

    /// <summary>Lets time pass.</summary>
    public void Pass(TimeSpan time)
    {
        Now += time;
        Feed(TimePassed.Instance);
    }

    public void PassResubmitDelay() => Pass(DataflowOptions.Default.ResubmitDelay);

    /// <summary>Has all tasks that wait in the newest attempt at a stage succeed.</summary>
    public void Succeed(int stage, string onWorker = "w1", ulong checksum = 0)
    {
        foreach (var task in _waiting[stage].Order().ToArray()) Succeed(stage, task, onWorker, checksum: checksum);
    }

    /// <summary>Has one task succeed, in the newest attempt at its stage or an earlier one.</summary>
    public void Succeed(int stage, int task, string onWorker = "w1", int? attempt = null, ulong checksum = 0, object? value = null, AccumulatorUpdates? updates = null)
    {
        var set = attempt is { } number ? _allSets[(stage, number)] : _sets[stage];
        var id = NewAttempt();
        if (set.Binary is MapStageBinary map) value = ((TestShuffle)map.Dependency).Status(Worker(onWorker), checksum, id);
        End(stage, task, new TaskSucceeded(value ?? set.PartitionOf(task)), attempt, updates, id);
    }

    /// <summary>Has an attempt end. Gives the id of the attempt, which may be chosen.</summary>
    public TaskId End(int stage, int task, TaskOutcome outcome, int? attempt = null, AccumulatorUpdates? updates = null, TaskId? id = null)
    {
        var set = attempt is { } number ? _allSets[(stage, number)] : _sets[stage];
        if (set == _sets[stage]) _waiting[stage].Remove(task);
        var ended = new TaskEnded(id ?? NewAttempt(), outcome, new TaskMetrics(), updates);
        Feed(new StageTaskEnded(set.Stage, set.Attempt, task, ended.Task, ended));
        return ended.Task;
    }

    /// <summary>Has a task fail to read a map output: the one that is known now, unless another is named.</summary>
    public void FailFetch(
        int stage, int task, int map, FetchFailure failure = FetchFailure.Missing, int? attempt = null, ShuffleId? shuffle = null, MapLocation? location = null)
    {
        var read = shuffle ?? Shuffle.ShuffleId;
        End(stage, task, new FetchFailed(read, map, location ?? Outputs.LocationOf(read, map), failure, "it is gone"), attempt);
    }

    /// <summary>Has the task scheduler give a task up.</summary>
    public void FailForGood(int stage, int task, Exception exception, int? attempt = null)
    {
        var set = attempt is { } number ? _allSets[(stage, number)] : _sets[stage];
        Feed(new TaskSetFailed(set.Stage, set.Attempt, set.PartitionOf(task), 4, "", new TaskThrew(exception)));
    }

    /// <summary>Asks for the right to commit.</summary>
    public bool Ask(int stage, int partition, long attempt, int? stageAttempt = null)
    {
        bool? granted = null;
        Feed(new CommitAsked(new TaskId(attempt), new StageId(stage), stageAttempt ?? _sets[stage].Attempt, partition, answer => granted = answer));
        return granted ?? throw new InvalidOperationException("The question was not answered.");
    }

    /// <summary>Brings a task of a barrier stage to a meeting.</summary>
    public void Arrive(
        int stage, int task, int meeting = 0, MeetingKind kind = MeetingKind.Barrier, string message = "", TimeSpan? timeout = null, int? attempt = null) =>
        Feed(new BarrierArrived(
            new TaskId(2000 + task), new StageId(stage), attempt ?? _sets[stage].Attempt, task, meeting, kind, System.Text.Encoding.UTF8.GetBytes(message),
            timeout ?? TimeSpan.FromHours(1), answer => _news.Add(answer.Messages is { } messages
                ? $"task {task} meets: {string.Join(' ', messages.Select(System.Text.Encoding.UTF8.GetString))}".TrimEnd()
                : $"task {task} waits no more: {answer.Failure}")));

    private string NameOf(WorkerId worker) => _workers.First(pair => pair.Value == worker).Key;

    private TaskId NewAttempt() => new(1000 + _nextAttempt++);

    private void Read(SchedulerAction action)
    {
        switch (action)
        {
            case StartTasks start:
                var set = start.Request;
                _sets[set.Stage.Value] = _allSets[(set.Stage.Value, set.Attempt)] = set;
                _waiting[set.Stage.Value] = [.. set.Tasks];
                _news.Add($"start stage {set.Stage} {(set.Tasks.Length == 1 ? "task" : "tasks")} {string.Join(' ', set.Tasks)}{(set.IsBarrier ? " together" : "")}");
                break;
            case StopLaunching stop: _news.Add($"stop launching stage {stop.Stage}"); break;
            case HoldBack hold: _news.Add($"hold back stage {hold.Stage}"); break;
            case KillAttempts kill: _news.Add($"kill stage {kill.Stage}"); break;
            case TaskDone done: _news.Add($"task {done.Task} of stage {done.Stage} is done"); break;
            case CancelStage cancel:
                _news.Add($"cancel stage {cancel.Stage}");
                if (DrainsByItself) Dag.Handle(new StageDrained(cancel.Stage, []), Now);
                break;
            case DeliverResult result: Results.Add((result.Job.Value, result.Index, result.Value)); break;
            case EndJob end:
                Failure = end.Failure;
                Sizes = end.Sizes;
                _news.Add(end.Failure is null ? $"end job {end.Job}" : $"fail job {end.Job}: {end.Failure.What}");
                break;
            case CheckWorker check: _news.Add($"check worker {NameOf(check.Worker)}"); break;
            case DropShuffle drop: _news.Add($"drop shuffle {drop.Shuffle}"); break;
            case CopyCached copy:
                _news.Add($"executor {copy.To} copies {copy.Block} of {copy.From}");
                if (copy.Transfer is { } copied) _transfers.Add((copied, copy.To));
                break;
            case HandOver wanted:
                _news.Add($"executor {wanted.To} takes {string.Join(' ', wanted.Outputs.Select(output => output.Map))} of {NameOf(wanted.From)}");
                _transfers.Add((wanted.Transfer, wanted.To));
                break;
            case ExecutorDrained drained: _news.Add($"executor {drained.Executor} may go"); break;
            case WorkerHandedOver done: _news.Add($"{NameOf(done.Worker)} may go"); break;
            case DropCached drop: _news.Add($"drop rdd {drop.Rdd}"); break;
            case CountAccumulators: _news.Add("count"); break;
            case AnswerBarrier answer: answer.Question.Reply(answer); break;
            case AnswerCommit answer: answer.Question.Reply(answer.Granted); break;
            case Announce announce: Announced.Add(announce.Event); break;
            default: throw new InvalidOperationException($"No words for {action}.");
        }
    }
}
