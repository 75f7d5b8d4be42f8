using System.Runtime.CompilerServices;

namespace Dataflow.Streaming;

/// <summary>The queries over streams of one context: <c>context.Streams</c>.</summary>
public sealed class StreamingQueries
{
    private static readonly ConditionalWeakTable<DataflowContext, StreamingQueries> Known = [];

    private readonly Lock _lock = new();
    private readonly List<StreamingQuery> _active = [];
    private readonly List<StreamingListener> _listeners = [];

    internal static StreamingQueries Of(DataflowContext context) => Known.GetValue(context, _ => new StreamingQueries());

    /// <summary>Those that go on, in the order of their starts.</summary>
    public IReadOnlyList<StreamingQuery> Active
    {
        get
        {
            lock (_lock) return [.. _active];
        }
    }

    /// <summary>The one that goes on with an id; null if there is none.</summary>
    /// <param name="id">Its <see cref="StreamingQuery.Id"/>.</param>
    public StreamingQuery? Find(Guid id)
    {
        lock (_lock) return _active.Find(query => query.Id == id);
    }

    /// <summary>Waits until one of those that go on ends; at once if there is none.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The one that ended; null if there was none.</returns>
    /// <exception cref="Exception">It failed: what ended it.</exception>
    public async Task<StreamingQuery?> AwaitAnyTerminationAsync(CancellationToken cancellationToken = default)
    {
        var active = Active;
        if (active.Count == 0) return null;
        Task[] ends = [.. active.Select(query => query.AwaitTerminationAsync(cancellationToken))];
        var ended = await Task.WhenAny(ends).ConfigureAwait(false);
        await ended.ConfigureAwait(false);
        return active[Array.IndexOf(ends, ended)];
    }

    /// <summary>Adds someone who is told of queries that start from now on, of their batches, and of their ends.</summary>
    /// <param name="listener">Called on the threads of the queries: what it throws ends the query.</param>
    public void AddListener(StreamingListener listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        lock (_lock) _listeners.Add(listener);
    }

    /// <summary>Removes a listener; queries that have begun with it go on to tell it.</summary>
    /// <param name="listener">Who was added.</param>
    public void RemoveListener(StreamingListener listener)
    {
        lock (_lock) _listeners.Remove(listener);
    }

    internal StreamingListener[] Begin(StreamingQuery query)
    {
        lock (_lock)
        {
            _active.Add(query);
            return [.. _listeners];
        }
    }

    internal void End(StreamingQuery query)
    {
        lock (_lock) _active.Remove(query);
    }
}

/// <summary>Is told of queries over streams: <c>context.Streams.AddListener(...)</c>. Override what is wanted.</summary>
public abstract class StreamingListener
{
    /// <summary>A query has begun.</summary>
    /// <param name="query">The query.</param>
    public virtual void OnStarted(StreamingQuery query) { }

    /// <summary>A batch is done.</summary>
    /// <param name="query">The query.</param>
    /// <param name="progress">What the batch did.</param>
    public virtual void OnProgress(StreamingQuery query, StreamingProgress progress) { }

    /// <summary>All that the sources have was computed. Told again with each look that finds nothing.</summary>
    /// <param name="query">The query.</param>
    public virtual void OnIdle(StreamingQuery query) { }

    /// <summary>The query has ended.</summary>
    /// <param name="query">The query.</param>
    /// <param name="error">What ended it; null if it was stopped, or ended by its trigger.</param>
    public virtual void OnTerminated(StreamingQuery query, Exception? error) { }
}
