using Dataflow.Tasks;

namespace Dataflow.TaskScheduling;

/// <summary>One slot: a thread that runs one attempt after the other. It starts with its first.</summary>
/// <remarks>
/// The stack is large, because lineages are read by nested calls and a loop may chain ten thousand Rdds; the system commits only what is used.
/// After an attempt the thread carries the news to the scheduler itself and usually comes back with the next attempt in hand, without a
/// change of threads.
/// </remarks>
internal sealed class LocalSlot(int number, TimeProvider time, Action<LocalSlot, LocalAttempt, TaskOutcome> onEnded)
{
    private const int StackBytes = 64 << 20;

    private readonly Lock _starting = new();
    private readonly ManualResetEventSlim _hasWork = new(false, spinCount: 30);
    private LocalAttempt? _next;
    private Thread? _thread;
    private volatile bool _ended;

    /// <summary>What it runs; null when it is idle. Kept by the backend, under its lock.</summary>
    public LocalAttempt? Attempt { get; set; }

    /// <summary>Hands over an attempt. The slot must be idle.</summary>
    public void Run(LocalAttempt attempt)
    {
        Volatile.Write(ref _next, attempt);
        if (_thread is null)
            Start();
        else if (Thread.CurrentThread != _thread)
            _hasWork.Set();
    }

    /// <summary>Has the thread end, after what it runs.</summary>
    public void End()
    {
        _ended = true;
        _hasWork.Set();
    }

    private void Start()
    {
        lock (_starting)
        {
            if (_thread is not null) return;
            _thread = new Thread(Loop, StackBytes) { Name = $"dataflow slot {number}", IsBackground = true };
            // Not Start: values that flow with the caller's async calls are none of this thread's business.
            _thread.UnsafeStart();
        }
    }

    private void Loop()
    {
        TaskContext.BecomeTaskThread();
        while (!_ended)
        {
            if (Interlocked.Exchange(ref _next, null) is { } attempt)
            {
                var outcome = TaskRunner.Run(attempt.Task, attempt.Context, time);

                // Given up meanwhile: someone else has the slot, and the scheduler has its answer.
                if (!attempt.TryEnd()) return;
                onEnded(this, attempt, outcome);
                continue;
            }
            _hasWork.Wait();
            _hasWork.Reset();
        }
    }
}

/// <summary>An attempt in this process. It ends once: by itself, or by being given up.</summary>
internal sealed class LocalAttempt(StageTask task, TaskContext context)
{
    private int _isOver;
    private ITimer? _grace;

    public StageTask Task { get; } = task;

    public TaskContext Context { get; } = context;

    /// <summary>Asks it to end, and gives it up if it has not after a while.</summary>
    public void Cancel(TimeProvider time, TimeSpan grace, Action<LocalAttempt> giveUp)
    {
        if (_grace is not null) return;
        Context.Cancel();
        _grace = time.CreateTimer(
            _ =>
            {
                if (Interlocked.Exchange(ref _isOver, 1) == 0) giveUp(this);
                _grace?.Dispose();
            },
            null,
            grace,
            Timeout.InfiniteTimeSpan);
        if (Volatile.Read(ref _isOver) != 0) _grace.Dispose();
    }

    /// <summary>Notes that it has ended by itself.</summary>
    /// <returns>False if it was given up before.</returns>
    public bool TryEnd()
    {
        var first = Interlocked.Exchange(ref _isOver, 1) == 0;
        _grace?.Dispose();
        Context.Dispose();
        return first;
    }
}
