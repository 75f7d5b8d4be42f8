using Dataflow.Scheduling;
using Dataflow.TaskScheduling;
using Dataflow.Tasks;
using TaskScheduler = Dataflow.TaskScheduling.TaskScheduler;

namespace Dataflow.TestKit;

/// <summary>Plays events to a <see cref="TaskScheduler"/> and reads what it decides, as short texts: no threads, no clock.</summary>
/// <remarks><code>
/// 0.2 on e1      (task 2 of stage 0 was launched)
/// copy of 0.2 on e2      kill 0.2 on e1      0.2 succeeded      0.2 threw      stage 0 failed: task 2, attempt 4      stage 0 drained
/// stage 0 has no place: room for 2, offered 2 slots
/// </code></remarks>
internal sealed class SlotScript
{
    private readonly Queue<SchedulerAction> _actions = new();
    private readonly Queue<SchedulerEvent> _events = new();
    private readonly List<string> _news = [];
    private readonly Dictionary<TaskId, (string Name, ExecutorId Executor)> _attempts = [];
    private readonly Dictionary<string, ExecutorId> _executors = [];
    private int _nextStage;

    public SlotScript(DataflowOptions? options = null, int seed = 1, bool grows = true)
    {
        Tasks = new TaskScheduler(options ?? DataflowOptions.Default, new Random(seed), _actions, _events, new News(DateTimeOffset.UnixEpoch, _actions), grows);
    }

    public TaskScheduler Tasks { get; }

    public TimeSpan Now { get; private set; }

    /// <summary>What was decided since the last look.</summary>
    public List<string> News
    {
        get
        {
            Launch();
            var news = _news.ToList();
            _news.Clear();
            return news;
        }
    }

    public StageDrained? Drained { get; private set; }

    public TaskSetFailed? Failed { get; private set; }

    /// <summary>The newest attempt at each task, by name.</summary>
    public Dictionary<string, TaskDescription> Newest { get; } = [];

    public void AddExecutor(string name, int slots = 1, string? host = null, params (string Name, string[] Addresses)[] resources)
    {
        var id = new ExecutorId(_executors.Count + 1);
        _executors[name] = id;
        Feed(new ExecutorAdded(id, new WorkerId(id.Value), host ?? name, slots)
        {
            Resources = resources.ToDictionary(offer => offer.Name, offer => (IReadOnlyList<string>)offer.Addresses),
        });
    }

    public void LoseExecutor(string name) => Feed(new ExecutorLost(_executors[name], "it crashed"));

    public void DrainExecutor(string name, TimeSpan? grace = null) => Feed(new ExecutorDraining(_executors[name], "its worker is draining") { Grace = grace });

    public ExecutorId Executor(string name) => _executors[name];

    /// <summary>Starts a task set and gives the number of its stage.</summary>
    public int Start(
        int tasks, int? job = null, string? pool = null, Preference[]? preferences = null, int[]? only = null, int attempt = 0, int? stage = null,
        ResourceProfile? needs = null, bool barrier = false)
    {
        var number = stage ?? _nextStage++;
        var binary = new ResultStageBinary(new TestRdd(tasks), (_, _) => null);
        Tasks.Handle(
            new StartTasks(new TaskSetRequest(new JobId(job ?? number), new StageId(number), attempt, binary, only ?? [.. Enumerable.Range(0, tasks)], 0)
            {
                Pool = pool,
                Preferences = preferences,
                Needs = needs ?? ResourceProfile.Default,
                IsBarrier = barrier,
            }),
            Now);
        Read();
        return number;
    }

    public void Do(SchedulerAction action)
    {
        Tasks.Handle(action, Now);
        Read();
    }

    public void Feed(SchedulerEvent happened)
    {
        Tasks.Handle(happened, Now);
        Read();
    }

    public void Pass(TimeSpan time)
    {
        Now += time;
        Feed(TimePassed.Instance);
    }

    /// <summary>Time goes by, and nobody is told.</summary>
    public void Wait(TimeSpan time) => Now += time;

    public void Succeed(params string[] tasks)
    {
        foreach (var task in tasks) End(task, new TaskSucceeded(null));
    }

    public void Throw(string task, Exception? exception = null) => End(task, new TaskThrew(exception ?? new FormatException("n/a")));

    /// <summary>Has the newest attempt at a task end, or the one on a given executor.</summary>
    public void End(string task, TaskOutcome outcome, string? on = null)
    {
        Launch();
        var attempt = _attempts
            .Where(pair => pair.Value.Name == task && (on is null || pair.Value.Executor == _executors[on]))
            .Select(pair => pair.Key)
            .OrderByDescending(id => id.Value)
            .First();
        _attempts.Remove(attempt);
        Feed(new TaskEnded(attempt, outcome, new TaskMetrics(), null));
    }

    /// <summary>The attempts that run now, as launched, ordered.</summary>
    public string[] Running
    {
        get
        {
            Launch();
            return [.. _attempts.Values.Select(attempt => $"{attempt.Name} on {NameOf(attempt.Executor)}").Order(StringComparer.Ordinal)];
        }
    }

    public void Launch()
    {
        Tasks.LaunchTasks(Now);
        Read();
    }

    private string NameOf(ExecutorId executor) => _executors.First(pair => pair.Value == executor).Key;

    private void Read()
    {
        while (_actions.TryDequeue(out var action))
        {
            switch (action)
            {
                case LaunchTask launch:
                    var description = launch.Task.Description;
                    var name = $"{description.Stage}.{description.Partition}";
                    _attempts[description.Id] = (name, launch.Executor);
                    Newest[name] = description;
                    _news.Add($"{(description.Speculative ? "copy of " : "")}{name} on {NameOf(launch.Executor)}");
                    break;
                case ExecutorDrained drained:
                    _news.Add($"{NameOf(drained.Executor)} is drained");
                    break;
                case KillTask kill:
                    _news.Add($"kill {_attempts[kill.Task].Name} on {NameOf(kill.Executor)}");
                    break;
            }
        }
        while (_events.TryDequeue(out var happened))
        {
            switch (happened)
            {
                case TaskSetFailed failed:
                    Failed = failed;
                    _news.Add($"stage {failed.Stage} failed: task {failed.Partition}, attempt {failed.Attempts}");
                    break;
                case TaskSetUnplaceable lacking:
                    _news.Add($"stage {lacking.Stage} has no place: room for {lacking.Room}, offered {string.Join("; ", lacking.Offers)}");
                    break;
                case StageDrained drained:
                    Drained = drained;
                    _news.Add($"stage {drained.Stage} drained");
                    break;
            }
        }
    }
}
