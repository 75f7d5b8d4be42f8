using Dataflow.Jobs;
using Dataflow.Scheduling;
using Dataflow.TaskScheduling;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>Tasks whose input is known to be lost are not launched: they wait until it is there again.</summary>
public sealed class HeldBackTests
{
    private static readonly ExecutorId[] Executors = [new(0), new(1), new(2)];

    private readonly SchedulerMachine _machine = new(DataflowOptions.Default, new Random(0), DateTimeOffset.UnixEpoch, places: true);
    private readonly List<SchedulerAction> _actions = [];
    private readonly Dictionary<TaskId, (ExecutorId Executor, TaskLaunched Task)> _running = [];
    private readonly TestShuffle _shuffle = new(new TestRdd(3), 6);
    private readonly List<string> _lostWithThird;
    private TimeSpan _now;

    public HeldBackTests()
    {
        // One slot on each of three workers, and a map output on each: six tasks read them, of which three wait.
        foreach (var executor in Executors) Feed(new ExecutorAdded(executor, new WorkerId(executor.Value), $"h{executor}", 1));
        var rdd = new TestRdd(6, Determinacy.Determinate, null, _shuffle);
        _ = rdd.Determinacy;
        Feed(new JobSubmitted(new JobId(0), new JobRequest(rdd, [0, 1, 2, 3, 4, 5], (partition, _) => partition.Index)));
        _lostWithThird = Names(_running.Values.Where(task => task.Executor == Executors[2]));
        foreach (var task in Running) Succeed(task);
        Assert.Equal(["1.0", "1.1", "1.2"], Names(_running.Values));
    }

    private TaskId[] Running => [.. _running.Keys.OrderBy(task => task.Value)];

    [Fact]
    public void Tasks_that_wait_are_not_launched_once_a_worker_with_their_input_is_lost()
    {
        var launched = Lose(Executors[2]);
        Assert.Empty(launched);

        // Those that run may have read it before.
        foreach (var task in Running) Assert.Empty(Succeed(task));
        Assert.Equal(_lostWithThird, Names(Pass()));
        Assert.Equal(2, Succeed(Running[0]).Count);
    }

    [Fact]
    public void A_task_that_is_to_run_again_waits_too()
    {
        // All six run, so that nothing waits when the worker is lost.
        Feed(new ExecutorAdded(new ExecutorId(3), new WorkerId(0), "h0", 3));
        Assert.Equal(6, _running.Count);
        var launched = Lose(Executors[2]);
        Assert.DoesNotContain("1", launched.Select(name => name[..1]));
        foreach (var task in Running) Assert.DoesNotContain("1", Names(End(task, new TaskThrew(new IOException("broken pipe")))).Select(name => name[..1]));
        Assert.Equal(_lostWithThird, Names(Pass()));
    }

    [Fact]
    public void A_stage_whose_tasks_all_run_goes_on()
    {
        Feed(new ExecutorAdded(new ExecutorId(3), new WorkerId(0), "h0", 3));

        // Its map output is lost with it; its executor's task has ended.
        var there = _running.Single(pair => pair.Value.Executor == Executors[2]).Key;
        Succeed(there);
        Assert.Empty(Lose(Executors[2]));
        foreach (var task in Running) Succeed(task);
        Assert.Empty(Pass());
        Assert.Equal(0, _machine.Dag.JobCount);
    }

    [Fact]
    public void The_loss_of_a_worker_that_holds_nothing_holds_up_nothing()
    {
        Feed(new ExecutorAdded(new ExecutorId(7), new WorkerId(7), "h7", 1));
        var there = _running.Single(pair => pair.Value.Executor == new ExecutorId(7)).Key;
        var launched = Lose(new ExecutorId(7));
        Assert.DoesNotContain(there, _running.Keys);
        Assert.Empty(launched);
        Assert.Single(Succeed(Running[0]));
    }

    private static List<string> Names(IEnumerable<(ExecutorId, TaskLaunched Task)> tasks) => [.. tasks.Select(task => task.Task.Name).Order()];

    private List<string> Lose(ExecutorId executor)
    {
        foreach (var task in _running.Where(pair => pair.Value.Executor == executor).Select(pair => pair.Key).ToArray()) _running.Remove(task);
        return Names(Feed(new WorkerLost(new WorkerId(executor.Value), "it crashed")));
    }

    private List<(ExecutorId, TaskLaunched)> Pass()
    {
        _now += DataflowOptions.Default.ResubmitDelay;
        return Feed(TimePassed.Instance);
    }

    private List<(ExecutorId, TaskLaunched)> Succeed(TaskId task)
    {
        var (executor, launched) = _running[task];
        return End(task, new TaskSucceeded(launched.Stage == 0 ? _shuffle.Status(new WorkerId(executor.Value), 0, task) : 0));
    }

    private List<(ExecutorId, TaskLaunched)> End(TaskId task, TaskOutcome outcome)
    {
        _running.Remove(task);
        return Feed(new TaskEnded(task, outcome, new TaskMetrics(), null));
    }

    /// <summary>Gives an event to the machine.</summary>
    /// <returns>What it launched.</returns>
    private List<(ExecutorId, TaskLaunched)> Feed(SchedulerEvent happened)
    {
        _actions.Clear();
        _machine.Handle(happened, _now, _actions);
        _machine.Launch(_now, _actions);
        var launched = new List<(ExecutorId, TaskLaunched)>();
        foreach (var launch in _actions.OfType<LaunchTask>())
        {
            var description = launch.Task.Description;
            var task = (launch.Executor, new TaskLaunched(description.Stage.Value, $"{description.Stage}.{description.Partition}"));
            _running.Add(description.Id, task);
            launched.Add(task);
        }
        return launched;
    }

    private sealed record TaskLaunched(int Stage, string Name);
}
