namespace Dataflow.Cluster;

/// <summary>
/// Bounds the bytes that have arrived and wait to be used. When only unfinished blocks hold all of it, one of them may go beyond the bound
/// until it is whole, so that blocks larger than the bound pass, and several unfinished ones never wait for each other.
/// </summary>
internal sealed class BytesInFlight(long limit = BytesInFlight.DefaultLimit)
{
    /// <summary>48 MB, as much as keeps a connection of 10 Gbit/s busy for 40 ms.</summary>
    public const long DefaultLimit = 48 << 20;

    private readonly Lock _lock = new();
    private readonly List<Waiter> _waiting = [];
    private long _held;
    private long _delivered;
    private object? _beyond;

    /// <summary>Bytes that are taken now.</summary>
    public long Held
    {
        get
        {
            lock (_lock) return _held;
        }
    }

    /// <summary>Takes bytes for a block that is arriving, waiting for others to be released.</summary>
    /// <param name="arrival">Who reads the block.</param>
    /// <param name="bytes">How many.</param>
    /// <param name="cancellation">Gives up.</param>
    public async ValueTask ReserveAsync(object arrival, long bytes, CancellationToken cancellation)
    {
        Waiter waiter;
        lock (_lock)
        {
            if (TryTake(arrival, bytes)) return;
            waiter = new Waiter(arrival, bytes);
            _waiting.Add(waiter);
        }
        using var registration = cancellation.Register(() => waiter.Ready.TrySetCanceled(cancellation));
        await waiter.Ready.Task.ConfigureAwait(false);
    }

    /// <summary>The block is whole and goes to its user, who will <see cref="Release"/> it.</summary>
    public void Deliver(object arrival, long bytes)
    {
        lock (_lock)
        {
            _delivered += bytes;
            Leave(arrival);
        }
    }

    /// <summary>The block will not be whole.</summary>
    public void Drop(object arrival, long bytes)
    {
        lock (_lock)
        {
            _held -= bytes;
            Leave(arrival);
        }
    }

    /// <summary>The user is done with bytes of whole blocks.</summary>
    public void Release(long bytes)
    {
        lock (_lock)
        {
            _held -= bytes;
            _delivered -= bytes;
            Wake();
        }
    }

    private void Leave(object arrival)
    {
        if (_beyond == arrival) _beyond = null;
        Wake();
    }

    private bool TryTake(object arrival, long bytes)
    {
        if (_held + bytes > limit)
        {
            // Someone will release what is delivered; nobody but its own arrival frees an unfinished block.
            if (_delivered > 0 || (_beyond is not null && _beyond != arrival)) return false;
            _beyond = arrival;
        }
        _held += bytes;
        return true;
    }

    private void Wake()
    {
        for (var i = 0; i < _waiting.Count;)
        {
            var waiter = _waiting[i];
            if (waiter.Ready.Task.IsCompleted)
            {
                _waiting.RemoveAt(i);
            }
            else if (TryTake(waiter.Arrival, waiter.Bytes))
            {
                // Cancelled in this moment: it does not take what it was given.
                if (!waiter.Ready.TrySetResult()) _held -= waiter.Bytes;
                _waiting.RemoveAt(i);
            }
            else
            {
                i++;
            }
        }
    }

    private sealed record Waiter(object Arrival, long Bytes)
    {
        public TaskCompletionSource Ready { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
