namespace Dataflow.Diagnostics;

/// <summary>Writes a line when a job has waited for its first executor for some seconds: what for, and what to type.</summary>
internal sealed class WaitNotice : JobListener, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly TextWriter _output;
    private readonly Func<(string Why, string Next)?> _lack;
    private readonly ITimer _timer;
    private int _jobs;
    private bool _isArmed;
    private bool _hasSaid;

    /// <param name="output">Where it writes.</param>
    /// <param name="lack">Why there is no executor, and what to do; null if there is one.</param>
    /// <param name="time">The clock.</param>
    public WaitNotice(TextWriter output, Func<(string Why, string Next)?> lack, TimeProvider time)
    {
        _output = output;
        _lack = lack;
        _timer = time.CreateTimer(_ => OnDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public override void OnJobStarted(JobStarted news)
    {
        lock (_lock)
        {
            _jobs++;
            Arm();
        }
    }

    public override void OnJobEnded(JobEnded news)
    {
        lock (_lock) _jobs--;
    }

    public override void OnExecutorJoined(ExecutorJoined news)
    {
        lock (_lock) _hasSaid = false;
    }

    public override void OnExecutorLeft(ExecutorLeft news)
    {
        lock (_lock) Arm();
    }

    public void Dispose() => _timer.Dispose();

    private void Arm()
    {
        if (_isArmed || _hasSaid || _jobs == 0) return;
        _isArmed = true;
        _timer.Change(Patience, Timeout.InfiniteTimeSpan);
    }

    private void OnDue()
    {
        lock (_lock)
        {
            _isArmed = false;
            if (_jobs == 0 || _lack() is not var (why, next)) return;
            _hasSaid = true;
            _output.WriteLine($"Waiting for an executor: {why}; {next}");
        }
    }
}
