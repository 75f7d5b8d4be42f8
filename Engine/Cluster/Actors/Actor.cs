using System.Collections.Concurrent;

namespace Dataflow.Cluster;

/// <summary>
/// A mailbox and the state behind it: one message at a time, in the order they came from each sender, so the state needs no locks.
/// It keeps no thread while it waits. After a run of messages <see cref="Flush"/> is called once: that is where answers are batched.
/// </summary>
/// <remarks>Supervision is <see cref="OnFailure"/> (go on or stop) and <see cref="ActorRef.Watch"/>; there is no deeper tree.</remarks>
internal abstract class Actor : IThreadPoolWorkItem
{
    // Messages after which a thread that only came to deliver one gives the mailbox to the dispatcher.
    private const int Turn = 256;

    private readonly IDispatcher _dispatcher;
    private readonly ConcurrentQueue<object> _mailbox = new();
    private readonly Lock _dying = new();
    private List<(ActorRef Watcher, object Message)>? _watchers = [];
    private int _busy;
    private volatile bool _stopped;

    protected Actor(IDispatcher dispatcher)
    {
        _dispatcher = dispatcher;
        Self = new ActorRef(this);
    }

    /// <summary>Its address.</summary>
    public ActorRef Self { get; }

    internal bool IsStopped => _stopped;

    /// <summary>Handles one message.</summary>
    protected abstract void Receive(object message);

    /// <summary>Called when the mailbox is empty, or after many messages: send what was gathered.</summary>
    protected virtual void Flush() { }

    /// <summary>Says what becomes of the actor after <see cref="Receive"/> or <see cref="Flush"/> threw.</summary>
    /// <param name="error">What was thrown.</param>
    /// <param name="message">The message, or null for a flush.</param>
    /// <returns>True to go on with the next message, false to stop. The default stops.</returns>
    protected virtual bool OnFailure(Exception error, object? message) => false;

    /// <summary>Called, on any thread, with each message that comes too late.</summary>
    protected virtual void OnDropped(object message) { }

    /// <summary>Called once, as the last thing the actor does.</summary>
    protected virtual void OnStopped() { }

    internal void Put(object message, bool mayRun)
    {
        if (_stopped)
        {
            OnDropped(message);
            return;
        }
        _mailbox.Enqueue(message);
        if (Interlocked.CompareExchange(ref _busy, 1, 0) != 0) return;
        if (mayRun && _dispatcher.RunsInline)
            Execute();
        else
            _dispatcher.Schedule(this);
    }

    internal void Watch(ActorRef watcher, object message)
    {
        lock (_dying)
        {
            if (_watchers is not null)
            {
                _watchers.Add((watcher, message));
                return;
            }
        }
        watcher.Tell(message);
    }

    internal sealed class StopRequest
    {
        public static StopRequest Instance { get; } = new();
    }

    public void Execute()
    {
        var handled = 0;
        while (true)
        {
            while (handled < Turn && _mailbox.TryDequeue(out var message))
            {
                handled++;
                if (_stopped)
                    OnDropped(message);
                else
                    Handle(message);
            }
            if (!_stopped) Handle(null);

            if (handled == Turn)
            {
                // Still ours (_busy stays set): someone else's thread goes on with it.
                _dispatcher.Schedule(this);
                return;
            }
            Interlocked.Exchange(ref _busy, 0);

            // A message that came between the last look and this line found the mailbox busy and relies on us.
            if (_mailbox.IsEmpty || Interlocked.CompareExchange(ref _busy, 1, 0) != 0) return;
        }
    }

    private void Handle(object? message)
    {
        try
        {
            if (message is null)
                Flush();
            else if (message is StopRequest)
                Die();
            else
                Receive(message);
        }
        catch (Exception error)
        {
            if (!OnFailure(error, message)) Die();
        }
    }

    private void Die()
    {
        _stopped = true;
        List<(ActorRef Watcher, object Message)> watchers;
        lock (_dying)
        {
            watchers = _watchers ?? [];
            _watchers = null;
        }
        foreach (var (watcher, message) in watchers) watcher.Tell(message);
        OnStopped();
    }
}

/// <summary>The address of an actor: all that others ever hold of it. Safe to use from any thread.</summary>
internal sealed class ActorRef
{
    private readonly Actor _actor;

    internal ActorRef(Actor actor) => _actor = actor;

    /// <summary>Whether it has stopped; what it is told from then on is dropped.</summary>
    public bool IsStopped => _actor.IsStopped;

    /// <summary>Puts a message into the mailbox. Costs about 40 ns, never blocks.</summary>
    public void Tell(object message) => _actor.Put(message, mayRun: false);

    /// <summary>As <see cref="Tell"/>, and runs the mailbox on this thread if it is idle and its dispatcher allows it.</summary>
    /// <remarks>For threads that have nothing better to do: one that just finished a task, one that is about to wait.</remarks>
    public void TellAndRun(object message) => _actor.Put(message, mayRun: true);

    /// <summary>Sends a message that holds a place for its answer.</summary>
    /// <param name="make">Makes the message; the actor sets the result of what it is given.</param>
    /// <param name="timeout">After this long without an answer the task faults with <see cref="TimeoutException"/>.</param>
    /// <param name="time">The clock.</param>
    public Task<T> Ask<T>(Func<TaskCompletionSource<T>, object> make, TimeSpan timeout, TimeProvider time)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Tell(make(answer));
        return answer.Task.WaitAsync(timeout, time);
    }

    /// <summary>Has <paramref name="watcher"/> told <paramref name="message"/> when this actor stops, or at once if it has.</summary>
    public void Watch(ActorRef watcher, object message) => _actor.Watch(watcher, message);

    /// <summary>Stops the actor after the messages that are in its mailbox now.</summary>
    public void Stop() => Tell(Actor.StopRequest.Instance);
}
