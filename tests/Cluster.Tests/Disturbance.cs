using System.Diagnostics;
using Dataflow.Diagnostics;

namespace Dataflow.Cluster.Tests;

/// <summary>
/// What happens to workers while a job runs: one joins in the middle, executors and workers are killed, the killed ones are replaced. The moments
/// are numbers of tasks started, drawn from a seed, so that faults meet the job wherever it is, however fast the machine.
/// </summary>
internal sealed class Disturbance : JobListener, IDisposable
{
    private readonly Lock _lock = new();
    private readonly Uri _driver;
    private readonly Random _random;
    private readonly Queue<(int Tasks, Fault Fault)> _plan;
    private readonly List<WorkerProcess> _workers = [];
    private readonly List<WorkerProcess> _killed = [];
    private readonly List<string> _story = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private int _started;

    /// <param name="driver">Where workers join.</param>
    /// <param name="seed">Where random choices start.</param>
    /// <param name="tasks">How many tasks start in an undisturbed run.</param>
    /// <param name="workers">How many workers there are at first.</param>
    public Disturbance(Uri driver, int seed, int tasks, int workers)
    {
        _driver = driver;
        _random = new Random(seed);
        Fault[] faults = [Fault.WorkerJoins, Fault.ExecutorKilled, Fault.ExecutorKilled, Fault.WorkerKilled];
        _random.Shuffle(faults);
        var moments = faults.Select(_ => _random.Next(1, tasks + 1)).Order();
        _plan = new(moments.Zip(faults));
        for (var i = 0; i < workers; i++) _workers.Add(new WorkerProcess(driver.ToString()));
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
    }

    private void Do(Fault fault)
    {
        // An executor that is not there yet can't be killed.
        var candidates = fault == Fault.ExecutorKilled ? _workers.Where(worker => worker.HasExecutors).ToArray() : [.. _workers];
        Note($"{fault}, one of {candidates.Length}");
        if (fault == Fault.WorkerJoins) _workers.Add(new WorkerProcess(_driver.ToString()));
        if (fault == Fault.WorkerJoins || candidates.Length == 0) return;
        var chosen = candidates[_random.Next(candidates.Length)];
        if (fault == Fault.ExecutorKilled)
        {
            chosen.KillExecutors();
            return;
        }
        chosen.Kill();
        _killed.Add(chosen);
        _workers[_workers.IndexOf(chosen)] = new WorkerProcess(_driver.ToString());
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
    }
}
