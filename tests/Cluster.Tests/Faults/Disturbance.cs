using System.Diagnostics;
using Dataflow.Diagnostics;

namespace Dataflow.Cluster.Tests;

/// <summary>
/// What happens to a cluster while a job runs: a worker joins in the middle; executors, workers and the coordinator, if it is a process of its own, are
/// killed and replaced. The moments are numbers of tasks started, drawn from a seed, so that faults meet the job wherever it is, however fast the machine.
/// </summary>
internal sealed class Disturbance : JobListener, IDisposable
{
    public const int WorkersAtFirst = 2;

    private readonly Lock _lock = new();
    private readonly string _url;
    private readonly Random _random;
    private readonly Queue<(int Tasks, Fault Fault)> _plan;
    private readonly List<WorkerProcess> _workers = [];
    private readonly List<WorkerProcess> _killed = [];
    private readonly List<string> _story = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private ToolProcess? _coordinator;
    private int _started;

    /// <param name="url">Where workers join.</param>
    /// <param name="coordinator">Who listens there; null if the driver does.</param>
    /// <param name="seed">Where random choices start.</param>
    /// <param name="tasks">How many tasks start in an undisturbed run.</param>
    public Disturbance(string url, ToolProcess? coordinator, int seed, int tasks)
    {
        _url = url;
        _coordinator = coordinator;
        _random = new Random(seed);
        Fault[] faults = [Fault.WorkerJoins, Fault.ExecutorKilled, Fault.ExecutorKilled, Fault.WorkerKilled, .. coordinator is null ? (Fault[])[] : [Fault.CoordinatorKilled]];
        _random.Shuffle(faults);
        var moments = faults.Select(_ => _random.Next(1, tasks + 1)).Order();
        _plan = new(moments.Zip(faults));
        for (var i = 0; i < WorkersAtFirst; i++) _workers.Add(new WorkerProcess(url));
    }

    /// <summary>What was done so far, and when.</summary>
    public string Story
    {
        get
        {
            lock (_lock) return string.Join('\n', _story);
        }
    }

    /// <summary>Faults that are still to come.</summary>
    public int Left
    {
        get
        {
            lock (_lock) return _plan.Count;
        }
    }

    /// <summary>All workers that were ever started, the killed ones too.</summary>
    public IReadOnlyList<WorkerProcess> Everybody
    {
        get
        {
            lock (_lock) return [.. _workers, .. _killed];
        }
    }

    public override void OnTaskStarted(TaskStarted news)
    {
        lock (_lock)
        {
            _started++;
            while (_plan.TryPeek(out var next) && next.Tasks <= _started)
            {
                _plan.Dequeue();
                Do(next.Fault);
            }
        }
    }

    public override void OnExecutorJoined(ExecutorJoined news) => Note($"{news.Executor} joined");

    public override void OnJobEnded(JobEnded news) => Note($"job {news.Job} took {news.Duration.TotalSeconds:F1} s");

    public override void OnExecutorLeft(ExecutorLeft news) => Note($"{news.Executor} left: {news.Reason}");

    public override void OnStageCompleted(StageCompleted news)
    {
        if (news.Failure is not null) Note($"stage {news.Stage} failed: {news.Failure}");
    }

    public void Dispose()
    {
        foreach (var worker in Everybody) worker.Dispose();
        _coordinator?.Dispose();
    }

    private void Do(Fault fault)
    {
        Note($"{fault}");
        switch (fault)
        {
            case Fault.WorkerJoins:
                _workers.Add(new WorkerProcess(_url));
                break;
            case Fault.ExecutorKilled:
                // One that is not there yet can't be killed.
                if (_workers.Where(worker => worker.HasExecutors).ToArray() is { Length: > 0 } running) running[_random.Next(running.Length)].KillExecutors();
                break;
            case Fault.WorkerKilled:
                var at = _random.Next(_workers.Count);
                _workers[at].Kill();
                _killed.Add(_workers[at]);
                _workers[at] = new WorkerProcess(_url);
                break;
            case Fault.CoordinatorKilled:
                _coordinator!.Kill();
                _coordinator.Dispose();
                (_coordinator, _) = ToolProcess.Coordinator(new Uri(_url).Port);
                break;
        }
    }

    private void Note(string what)
    {
        lock (_lock) _story.Add($"{_clock.Elapsed.TotalSeconds:F1} s, {_started} tasks: {what}");
    }

    private enum Fault
    {
        WorkerJoins,
        ExecutorKilled,
        WorkerKilled,
        CoordinatorKilled,
    }
}
