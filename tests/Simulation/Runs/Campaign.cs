using System.Globalization;

namespace Dataflow.Simulation;

/// <summary>Many seeds, some at the same time; a sample of them twice, to see that a seed is the same run each time.</summary>
internal sealed class Campaign(Arguments arguments)
{
    // One of so many is played again.
    private const int Sample = 50;

    private readonly Lock _lock = new();
    private readonly List<RunOutcome> _failed = [];
    private RunOutcome? _slowest;
    private RunOutcome? _longest;
    private long _jobs;
    private long _failedJobs;
    private long _tasks;
    private long _faults;
    private int _runs;
    private int _repeated;
    private ulong _hash;

    /// <summary>Seeds that failed.</summary>
    public IReadOnlyList<RunOutcome> Failed => _failed;

    /// <summary>Runs the seeds and says how it went.</summary>
    /// <returns>Whether all were clean.</returns>
    public bool Run(TextWriter output)
    {
        var start = TimeProvider.System.GetTimestamp();
        var next = arguments.First - 1;
        var last = arguments.First + arguments.Seeds - 1;
        var threads = Enumerable.Range(0, Math.Min(arguments.AtOnce, arguments.Seeds)).Select(_ => new Thread(() =>
        {
            while (Interlocked.Increment(ref next) is var seed && seed <= last && _failed.Count < 20) Play(seed, output);
        }, 4 << 20)).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        if (_runs == 0) return false;

        var time = TimeProvider.System.GetElapsedTime(start);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{_runs:N0} seeds in {time.TotalSeconds:N1} s: {_jobs:N0} jobs ({_failedJobs:N0} failed with a cause), {_tasks:N0} tasks, {_faults:N0} faults"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"slowest: seed {_slowest!.Seed} with {_slowest.RealTime.TotalMilliseconds:N0} ms; longest: seed {_longest!.Seed} with {_longest.VirtualTime.TotalSeconds:N1} s of virtual time"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_repeated:N0} seeds were played twice and gave the same run; hash of all runs: {_hash:x16}"));
        output.WriteLine(_failed.Count == 0 ? "clean" : $"FAILED: {string.Join(", ", _failed.Select(run => $"seed {run.Seed}"))}. See what happened with --seed N.");
        return _failed.Count == 0;
    }

    private void Play(int seed, TextWriter output)
    {
        var outcome = SimulatedRun.Play(seed, arguments.Plant);
        var again = seed % Sample == 0 && outcome.Problem is null ? SimulatedRun.Play(seed, arguments.Plant) : null;
        if (again is not null && again.Hash != outcome.Hash) outcome = outcome with { Problem = $"Played twice it gave two runs: {outcome.Hash:x16} and {again.Hash:x16}." };
        lock (_lock)
        {
            _runs++;
            if (again is not null) _repeated++;
            _jobs += outcome.Jobs;
            _failedJobs += outcome.JobsFailed;
            _tasks += outcome.Tasks;
            _faults += outcome.Faults;

            // In whatever order they end.
            _hash += outcome.Hash * (ulong)(2 * seed + 1);
            if (_slowest is null || outcome.RealTime > _slowest.RealTime) _slowest = outcome;
            if (_longest is null || outcome.VirtualTime > _longest.VirtualTime) _longest = outcome;
            if (outcome.Problem is null) return;
            _failed.Add(outcome);
            output.WriteLine($"seed {seed} failed: {outcome.Problem}");
        }
    }
}
