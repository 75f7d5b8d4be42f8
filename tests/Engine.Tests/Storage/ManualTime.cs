namespace Dataflow.Engine.Tests.Storage;

/// <summary>A clock that stands until it is told to pass.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly List<Timer> _timers = [];
    private long _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref _now);

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state));
        lock (_timers) _timers.Add(timer);
        return timer;
    }

    /// <summary>Passes in steps, with all timers firing at each, until the work that waits for them has ended.</summary>
    public void PassUntil(Task work, TimeSpan step)
    {
        while (!work.IsCompleted)
        {
            Interlocked.Add(ref _now, step.Ticks);
            Timer[] timers;
            lock (_timers) timers = [.. _timers];
            foreach (var timer in timers) timer.Fire();
            Thread.Yield();
        }
    }

    private sealed class Timer(ManualTime time, Action fire) : ITimer
    {
        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
            lock (time._timers) time._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
