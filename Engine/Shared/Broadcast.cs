using Dataflow.Closures;
using Dataflow.Shared;

namespace Dataflow;

/// <summary>A read-only value that every task may use, kept once per executor instead of travelling with each task.</summary>
/// <remarks>Capture the <see cref="Broadcast{T}"/> in a lambda and read <see cref="Value"/> there. The value must not be changed.</remarks>
/// <typeparam name="T">Type of the value.</typeparam>
public sealed class Broadcast<T> : IBroadcastValue, ITraveller
{
    private readonly CallSite _site;
    [DriverOnly]
    private T _value;
    [DriverOnly]
    private IBroadcastSource? _source;
    [DriverOnly]
    private readonly Action<long, bool>? _drop;
    private volatile bool _destroyed;

    /// <param name="id">A number of its own within the context.</param>
    /// <param name="value">The value.</param>
    /// <param name="site">Where the program made it.</param>
    /// <param name="drop">Has executors forget it: its number, and whether for ever.</param>
    internal Broadcast(long id, T value, CallSite site, Action<long, bool>? drop = null)
    {
        _drop = drop;
        Id = id;
        _value = value;
        _site = site;
    }

    /// <summary>A number of its own within the context.</summary>
    public long Id { get; }

    /// <summary>The value. On an executor the first use fetches it.</summary>
    /// <exception cref="ObjectDisposedException">It was destroyed.</exception>
    public T Value
    {
        get
        {
            if (_destroyed) throw new ObjectDisposedException(null, $"The broadcast made by {_site} was destroyed.");
            return Volatile.Read(ref _source) is { } source ? Fetch(source) : _value;
        }
    }

    /// <summary>Drops the copies that executors keep; they fetch it again when it is next used.</summary>
    public void Unpersist()
    {
        ObjectDisposedException.ThrowIf(_destroyed, this);
        _drop?.Invoke(Id, false);
    }

    /// <summary>Drops the value everywhere. Any later use is an error.</summary>
    public void Destroy()
    {
        if (_destroyed) return;
        _destroyed = true;
        _value = default!;
        _drop?.Invoke(Id, true);
    }

    ShippedGraph IBroadcastValue.Encode() => BroadcastCodec.Write(Value, _site);

    void ITraveller.Arrived(ReadContext context) => _source = context.Broadcasts
        ?? throw new InvalidOperationException($"The broadcast made by {_site} was read where nobody fetches values of broadcasts.");

    // Tasks that come at once are given the same value; the source stays until it is there.
    private T Fetch(IBroadcastSource source)
    {
        _value = source.Get<T>(Id);
        Volatile.Write(ref _source, null);
        return _value;
    }
}
