using Dataflow.Scheduling;

namespace Dataflow.Cluster;

/// <summary>
/// Dynamic allocation: looks at the scheduler's load when a job or an executor comes and when <see cref="ExecutorDemand"/> says so, asks the coordinator for
/// the executors that are wanted, and has those that can be spared drained and given back. A program that has what it needs looks never.
/// </summary>
/// <remarks>What it decides it decides in the scheduler's mailbox, which answers each look.</remarks>
internal sealed class DemandWatch : IDisposable
{
    /// <summary>Why executors are given back, as logs say it.</summary>
    public const string Reason = "it had nothing to do";

    private readonly ClusterBackend _backend;
    private readonly DriverLink _link;
    private readonly ExecutorWish _wish;
    private readonly ExecutorDemand _demand;
    private readonly ITimer _timer;
    private int _asked;

    /// <param name="options">The limits.</param>
    /// <param name="wish">What the program wanted at first.</param>
    /// <param name="backend">Its executors.</param>
    /// <param name="link">Its link to the coordinator.</param>
    /// <param name="time">The clock.</param>
    public DemandWatch(ClusterOptions options, ExecutorWish wish, ClusterBackend backend, DriverLink link, TimeProvider time)
    {
        (_wish, _asked, _backend, _link) = (wish, wish.Most, backend, link);
        _demand = new ExecutorDemand(options);
        _timer = time.CreateTimer(_ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        backend.JobSubmitted += Look;
        backend.Changed += OnChanged;
    }

    /// <summary>Looks no more.</summary>
    public void Dispose()
    {
        _backend.JobSubmitted -= Look;
        _backend.Changed -= OnChanged;
        _timer.Dispose();
    }

    private void OnChanged(ExecutorId executor, bool isHere) => Look();

    private void Look() => _backend.Report(new LoadAsked(Answer));

    private void Answer(SchedulerLoad load)
    {
        var (wanted, release, next) = _demand.Look(load);

        // First that fewer are wanted, or the coordinator would grant another one for each that is given back.
        if (wanted != _asked) _link.Want(_wish with { Most = _asked = wanted });
        foreach (var executor in release) _backend.GiveBack(executor, Reason);
        if (next is { } at)
            _timer.Change(TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling((at - load.Now).TotalMilliseconds))), Timeout.InfiniteTimeSpan);
        else
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }
}
