using Dataflow.Cluster;

namespace Dataflow.Diagnostics;

/// <summary>Hands events to listeners, each at its own pace, and protects jobs from them.</summary>
internal sealed class ListenerBus(int queueLength, IDispatcher dispatcher, TimeProvider time)
{
    private readonly Lock _changing = new();
    private volatile Subscriber[] _subscribers = [];

    /// <summary>Whether anyone listens.</summary>
    public bool HasAny => Array.Exists(_subscribers, static subscriber => subscriber.Listener.Listens);

    /// <summary>Events that slow listeners did not get.</summary>
    public long DroppedCount => _subscribers.Sum(subscriber => subscriber.DroppedCount);

    public void Add(JobListener listener)
    {
        lock (_changing) _subscribers = [.. _subscribers, new Subscriber(this, listener, queueLength, dispatcher)];
    }

    public void Remove(JobListener listener)
    {
        lock (_changing)
        {
            foreach (var gone in _subscribers.Where(subscriber => subscriber.Listener == listener)) gone.Self.Stop();
            _subscribers = [.. _subscribers.Where(subscriber => subscriber.Listener != listener)];
        }
    }

    public void Tell(JobEvent news)
    {
        foreach (var subscriber in _subscribers)
        {
            if (subscriber.Listener.Listens) subscriber.Offer(news);
        }
    }

    /// <summary>Completes when every listener has seen what it was told up to now, or after <paramref name="timeout"/>.</summary>
    public async Task FlushAsync(TimeSpan timeout)
    {
        foreach (var subscriber in _subscribers)
        {
            try
            {
                await subscriber.Self.Ask<bool>(answer => answer, timeout, time).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // A listener that hangs must not keep a program from ending.
            }
        }
    }

    private void Detach(JobListener listener, Exception error)
    {
        Remove(listener);
        Tell(new ListenerDetached(listener.GetType(), error) { Time = time.GetUtcNow() });
    }

    private sealed class Subscriber(ListenerBus bus, JobListener listener, int queueLength, IDispatcher dispatcher) : Actor(dispatcher)
    {
        private int _waiting;
        private long _dropped;
        private long _told;

        public JobListener Listener => listener;

        public long DroppedCount => Interlocked.Read(ref _dropped);

        public void Offer(JobEvent news)
        {
            if (Interlocked.Increment(ref _waiting) > queueLength)
            {
                Interlocked.Decrement(ref _waiting);
                Interlocked.Increment(ref _dropped);
                return;
            }
            Self.Tell(news);
        }

        protected override void Receive(object message)
        {
            if (message is TaskCompletionSource<bool> flushed)
            {
                flushed.TrySetResult(true);
                return;
            }
            Interlocked.Decrement(ref _waiting);
            var news = (JobEvent)message;
            listener.OnEvent(news);
            if (DroppedCount is var dropped && dropped > _told)
            {
                listener.OnEvent(new EventsDropped(dropped - _told) { Time = news.Time });
                _told = dropped;
            }
        }

        protected override void OnDropped(object message) => (message as TaskCompletionSource<bool>)?.TrySetResult(false);

        protected override bool OnFailure(Exception error, object? message)
        {
            bus.Detach(listener, error);
            return false;
        }
    }
}
