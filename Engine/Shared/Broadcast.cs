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
    private volatile bool _destroyed;

    internal Broadcast(long id, T value, CallSite site)
    {
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
    public void Unpersist() => ObjectDisposedException.ThrowIf(_destroyed, this);

    /// <summary>Drops the value everywhere. Any later use is an error.</summary>
    public void Destroy()
    {
        _destroyed = true;
        _value = default!;
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
