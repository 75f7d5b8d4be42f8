namespace Dataflow;

/// <summary>A read-only value that every task may use, kept once per executor instead of travelling with each task.</summary>
/// <remarks>Capture the <see cref="Broadcast{T}"/> in a lambda and read <see cref="Value"/> there. The value must not be changed.</remarks>
/// <typeparam name="T">Type of the value.</typeparam>
public sealed class Broadcast<T>
{
    private readonly CallSite _site;
    private T _value;
    private volatile bool _destroyed;

    internal Broadcast(long id, T value, CallSite site)
    {
        Id = id;
        _value = value;
        _site = site;
    }

    /// <summary>A number of its own within the context.</summary>
    public long Id { get; }

    /// <summary>The value.</summary>
    /// <exception cref="ObjectDisposedException">It was destroyed.</exception>
    public T Value => _destroyed ? throw new ObjectDisposedException(null, $"The broadcast made by {_site} was destroyed.") : _value;

    /// <summary>Drops the copies that executors keep; they fetch it again when it is next used.</summary>
    public void Unpersist() => ObjectDisposedException.ThrowIf(_destroyed, this);

    /// <summary>Drops the value everywhere. Any later use is an error.</summary>
    public void Destroy()
    {
        _destroyed = true;
        _value = default!;
    }
}
