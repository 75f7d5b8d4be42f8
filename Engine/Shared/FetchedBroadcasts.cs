using System.Collections.Concurrent;
using Dataflow.Closures;

namespace Dataflow.Shared;

/// <summary>The values of broadcasts on an executor: each is fetched and decoded at its first use, by one of the tasks that ask at once.</summary>
/// <param name="code">Finds assemblies that values name.</param>
/// <param name="fetch">Brings the bytes of a value from whoever has them.</param>
internal sealed class FetchedBroadcasts(ICodeResolver code, Func<long, ReadOnlyMemory<byte>> fetch) : IBroadcastSource
{
    private readonly ConcurrentDictionary<long, Lazy<object?>> _values = new();
    private readonly ConcurrentDictionary<long, bool> _destroyed = new();

    public T Get<T>(long id)
    {
        if (_destroyed.ContainsKey(id)) throw new ObjectDisposedException(null, $"Broadcast {id} was destroyed while a task was about to use it.");
        var value = _values.GetOrAdd(id, key => new Lazy<object?>(() => BroadcastCodec.Read<T>(fetch(key).Span, new ReadContext(code) { Broadcasts = this })));
        try
        {
            return (T)value.Value!;
        }
        catch
        {
            // The next task may have more luck.
            _values.TryRemove(new KeyValuePair<long, Lazy<object?>>(id, value));
            throw;
        }
    }

    /// <summary>Forgets a value; it is fetched again when it is next asked for, unless it is gone for ever.</summary>
    public void Drop(long id, bool forEver = false)
    {
        if (forEver) _destroyed[id] = true;
        _values.TryRemove(id, out _);
    }
}
