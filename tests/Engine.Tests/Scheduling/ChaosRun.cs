using System.Diagnostics.CodeAnalysis;
using Dataflow.Jobs;
using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Storage;
using Dataflow.TaskScheduling;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>
/// Plays the whole world around a <see cref="SchedulerMachine"/> by a seed: workers with their map outputs, executors with their tasks and kept
/// partitions, all of which may fail at any step; messages that come late; tasks that go on after they were given up; virtual time; and what every
/// task has read, so that old and new rows that meet are found.
/// </summary>
internal sealed partial class ChaosRun
{
    private readonly int _seed;
    private readonly Random _random;
    private readonly SchedulerMachine _machine;
    private readonly List<SchedulerAction> _actions = [];
    private readonly Dictionary<WorkerId, Dictionary<(ShuffleId Shuffle, int Map), ServedOutput>> _stores = [];
    private readonly Dictionary<ExecutorId, (WorkerId Worker, int Slots)> _executors = [];
    private readonly Dictionary<ExecutorId, Dictionary<(int Rdd, int Partition), Content>> _blocks = [];
    private readonly Dictionary<ExecutorId, Queue<SchedulerEvent>> _messages = [];
    private readonly Dictionary<TaskId, ChaosTask> _running = [];
    private readonly List<ChaosTask> _zombies = [];
    private readonly Dictionary<JobId, Content?[]> _results = [];
    private readonly List<Rdd> _known = [];
    private readonly Dictionary<JobId, Rdd> _roots = [];
    private readonly HashSet<Rdd> _alive = [];
    private readonly Dictionary<(StageId Stage, int Partition), TaskId> _commits = [];
    private readonly HashSet<WorkerId> _lost = [];
    private int _nextJob;
    private int _nextWorker = 1;
    private int _nextExecutor = 1;
    private int _nextVersion = 1;
    private TimeSpan _now;

    public ChaosRun(int seed)
    {
        _seed = seed;
        _random = new Random(seed);
        var options = DataflowOptions.Default with
        {
            Speculation = seed % 2 == 0,
            SpeculationQuantile = 0.3,
            SchedulingMode = seed % 3 == 0 ? SchedulingMode.Fair : SchedulingMode.Fifo,
            StageMaxAttempts = 8,
            TaskMaxAttempts = 8,
        };
        _machine = new SchedulerMachine(options, new Random(seed), DateTimeOffset.UnixEpoch, places: true);
    }

    public int Succeeded { get; private set; }

    public List<JobFailure> Failures { get; } = [];

    /// <summary>How many versions of indeterminate tasks there were.</summary>
    public int Versions => _nextVersion;

    public void Play(int steps)
    {
        for (var i = 0; i < 3; i++) AddWorker();
        for (var i = 0; i < steps; i++) Step();

        // The storm is over: everything that is left must come to an end, soon.
        if (_executors.Count == 0) AddWorker();
        for (var i = 0; _results.Count > 0; i++)
        {
            Check(i < 5000, "a job does not end");
            if (_messages.Count > 0)
                Deliver();
            else if (_running.Count > 0)
                Finish(_running[Pick(_running.Keys)], healthy: true);
            else if (_machine.NextWake is { } wake)
                Pass(wake > _now ? wake - _now : TimeSpan.FromTicks(1));
            else
                Check(false, "nothing runs, nothing is waited for, and a job has not ended");
        }
        while (_running.Count > 0) Finish(_running[Pick(_running.Keys)], healthy: true);
        while (_messages.Count > 0) Deliver();
        _known.Clear();
        Collect();
        Check(_machine.Dag.StageCount == 0, "stages are left");
        Check(_machine.Tasks.SetCount == 0 && _machine.Tasks.RunningCount == 0, "task sets are left");
        Check(_machine.MapOutputs.Count == 0, "shuffles are left");
        Check(_machine.Dag.KeptCount == 0, "what is kept no more is remembered");
    }

    private void Step()
    {
        switch (_random.Next(100))
        {
            case < 6 when _nextJob < 6: Submit(); break;
            case < 10: LoseExecutor(); break;
            case < 13: LoseWorker(); break;
            case < 19: AddWorker(); break;
            case < 22: DropOutput(); break;
            case < 23: Feed(new JobCancelled(new JobId(_random.Next(6)), "enough")); break;
            case < 25 when _known.Count > 0:
                _known.Remove(Pick(_known));
                Collect();
                break;
            case < 27 when _alive.FirstOrDefault(rdd => rdd.StorageLevel.IsKept) is { } kept: Unpersist(kept); break;
            case < 40: Pass(TimeSpan.FromMilliseconds(_random.Next(1, 150))); break;
            case < 50 when _messages.Count > 0: Deliver(); break;
            case < 55 when _zombies.Count > 0: FinishZombie(); break;
            default:
                if (_running.Count > 0) Finish(_running[Pick(_running.Keys)], healthy: false);
                break;
        }
    }

    // A few shuffles over each other, some through kept Rdds, some over those of an earlier job.
    private void Submit()
    {
        List<Rdd> sources = [.. _known.SelectMany(rdd => Below(rdd)).Distinct().Where(_ => _random.Next(2) == 0)];
        List<TestShuffle> shuffles = [.. sources.SelectMany(rdd => rdd.Dependencies).OfType<TestShuffle>().Distinct()];
        List<TestRdd> kept = [.. sources.OfType<TestRdd>().Where(rdd => rdd.StorageLevel.IsKept)];
        for (var i = _random.Next(1, 5); i > 0; i--)
        {
            if (_random.Next(2) == 0 && shuffles.Count > 0)
            {
                var cached = new TestRdd(_random.Next(1, 5), Determinacy.Determinate, null, Pick(shuffles));
                cached.SetStorageLevel(StorageLevel.MemoryOnly);
                kept.Add(cached);
            }
            else
            {
                shuffles.Add(new TestShuffle(Source(), _random.Next(1, 4)));
            }
        }

        var job = new JobId(_nextJob++);
        if (_random.Next(6) == 0)
        {
            var shuffle = shuffles[^1];
            Know(job, new TestRdd(1, shuffle));
            _ = shuffle.Rdd.Determinacy;
            _results.Add(job, []);
            Feed(new MapStageSubmitted(job, shuffle, JobProperties.None));
            return;
        }
        var rdd = Source();
        _ = rdd.Determinacy;
        Know(job, rdd);
        _results.Add(job, new Content?[rdd.PartitionCount]);
        Feed(new JobSubmitted(job, new JobRequest(rdd, [.. Enumerable.Range(0, rdd.PartitionCount)], (_, _) => null)
        {
            Properties = new JobProperties { Pool = $"pool {_random.Next(2)}" },
        }));

        TestRdd Source()
        {
            Dependency[] reads = [.. shuffles.Where(_ => _random.Next(2) == 0).Take(2)];
            var partitions = _random.Next(1, 5);
            if (kept.Count > 0 && _random.Next(3) > 0)
            {
                var cached = Pick(kept);
                partitions = cached.PartitionCount;
                reads = [.. reads, new OneToOneDependency(cached)];
            }
            return new TestRdd(partitions, _random.Next(3) == 0 ? Determinacy.Indeterminate : Determinacy.Determinate, null, reads);
        }
    }

    private void Know(JobId job, Rdd root)
    {
        _known.Add(root);
        _roots.Add(job, root);
        _alive.UnionWith(Below(root));
    }

    /// <summary>Removes what neither the program nor a job that runs can reach, as the garbage collector would.</summary>
    private void Collect()
    {
        var reachable = _known.Concat(_roots.Values).SelectMany(Below).ToHashSet();
        var gone = _alive.Except(reachable).ToArray();
        var read = reachable.SelectMany(rdd => rdd.Dependencies).ToHashSet();
        _alive.IntersectWith(reachable);
        foreach (var shuffle in gone.SelectMany(rdd => rdd.Dependencies).OfType<ShuffleDependency>().Where(shuffle => !read.Contains(shuffle)).Distinct())
            Feed(new ShuffleRemoved(shuffle.ShuffleId));
        foreach (var rdd in gone.Where(rdd => rdd.StorageLevel.IsKept)) Unpersist(rdd);
    }

    private void Unpersist(Rdd rdd)
    {
        rdd.SetStorageLevel(StorageLevel.None);
        DropBlocks(rdd.Id);
        Feed(new RddUnpersisted(rdd.Id));
    }

    private static HashSet<Rdd> Below(Rdd root)
    {
        var found = new HashSet<Rdd>();
        var stack = new Stack<Rdd>([root]);
        while (stack.TryPop(out var rdd))
        {
            if (!found.Add(rdd)) continue;
            foreach (var dependency in rdd.Dependencies) stack.Push(dependency.Rdd);
        }
        return found;
    }

    private void AddWorker()
    {
        var worker = _stores.Count > 0 && _random.Next(2) == 0 ? Pick(_stores.Keys) : new WorkerId(_nextWorker++);
        _stores.TryAdd(worker, []);
        var executor = new ExecutorId(_nextExecutor++);
        _executors.Add(executor, (worker, _random.Next(1, 4)));
        _blocks.Add(executor, []);
        Feed(new ExecutorAdded(executor, worker, $"host {worker}", _executors[executor].Slots));
    }

    private void LoseExecutor()
    {
        if (_executors.Count == 0) return;
        var executor = Pick(_executors.Keys);

        // Perhaps it is merely out of reach, and its tasks go on.
        if (_random.Next(2) == 0) _zombies.AddRange(_running.Values.Where(task => task.Executor == executor));
        Forget(executor);
        Feed(new ExecutorLost(executor, "it crashed"));
    }

    private void LoseWorker()
    {
        if (_stores.Count == 0) return;
        var worker = Pick(_stores.Keys);
        _stores.Remove(worker);
        _lost.Add(worker);
        _zombies.RemoveAll(task => task.Worker == worker);
        foreach (var executor in _executors.Where(pair => pair.Value.Worker == worker).Select(pair => pair.Key).ToArray()) Forget(executor);
        Feed(new WorkerLost(worker, "it crashed"));
    }

    private void Forget(ExecutorId executor)
    {
        _executors.Remove(executor);
        _blocks.Remove(executor);
        _messages.Remove(executor);
        foreach (var task in _running.Where(pair => pair.Value.Executor == executor).Select(pair => pair.Key).ToArray()) _running.Remove(task);
    }

    private void DropOutput()
    {
        if (_stores.Values.Where(store => store.Count > 0).ToArray() is not { Length: > 0 } stores) return;
        var store = Pick(stores);
        store.Remove(Pick(store.Keys));
    }

    private void DropBlocks(int rdd)
    {
        foreach (var blocks in _blocks.Values)
        {
            foreach (var id in blocks.Keys.Where(id => id.Rdd == rdd).ToArray()) blocks.Remove(id);
        }
        foreach (var kept in _running.Values.Concat(_zombies).SelectMany(task => task.Kept))
        {
            if (kept.Id.Rdd == rdd) kept.IsDropped = true;
        }
    }

    private void Pass(TimeSpan time)
    {
        _now += time;
        Feed(TimePassed.Instance);
    }

    /// <summary>An executor says something; the driver may hear it later, but in order.</summary>
    private void Send(ExecutorId executor, SchedulerEvent message)
    {
        if (!_messages.TryGetValue(executor, out var queue)) _messages[executor] = queue = [];
        queue.Enqueue(message);
        while (_random.Next(3) > 0 && _messages.ContainsKey(executor)) Deliver(executor);
    }

    private void Deliver() => Deliver(Pick(_messages.Keys));

    private void Deliver(ExecutorId executor)
    {
        var queue = _messages[executor];
        var message = queue.Dequeue();
        if (queue.Count == 0) _messages.Remove(executor);
        Feed(message);
    }

    private void Feed(SchedulerEvent happened)
    {
        _machine.Handle(happened, _now, _actions);
        _machine.Launch(_now, _actions);
        var actions = _actions.ToArray();
        _actions.Clear();
        foreach (var action in actions) CarryOut(action);
    }

    private void CarryOut(SchedulerAction action)
    {
        switch (action)
        {
            case LaunchTask launch:
                Launch(launch);
                break;
            case KillTask kill when _running.TryGetValue(kill.Task, out var killed):
                killed.IsKilled = true;
                break;
            case AnswerCommit answer:
                answer.Question.Reply(answer.Granted);
                break;
            case DropCached drop:
                DropBlocks(drop.Rdd);
                break;
            case DropShuffle drop:
                foreach (var store in _stores.Values)
                {
                    foreach (var key in store.Keys.Where(key => key.Shuffle == drop.Shuffle).ToArray()) store.Remove(key);
                }
                break;
            case DeliverResult result:
                Check(_results[result.Job][result.Index] is null, $"result {result.Index} of job {result.Job} came twice");
                _results[result.Job][result.Index] = (Content)result.Value!;
                break;
            case EndJob end:
                if (end.Failure is null)
                    CheckResults(end.Job);
                else
                    Failures.Add(end.Failure);
                _results.Remove(end.Job);
                _roots.Remove(end.Job);
                break;
        }
    }

    private void CheckResults(JobId job)
    {
        var merged = Content.Empty;
        foreach (var result in _results[job])
        {
            Check(result is not null, $"a result of job {job} is missing");
            merged = merged.Merge(result);
        }
        Check(merged.IsConsistent, $"the results of job {job} were made from rows of different versions");
        Succeeded++;
    }

    private T Pick<T>(ICollection<T> items) => items.ElementAt(_random.Next(items.Count));

    private void Check([DoesNotReturnIf(false)] bool holds, string what)
    {
        if (!holds) throw new Xunit.Sdk.XunitException($"Seed {_seed}: {what}, at {_now}.");
    }
}
