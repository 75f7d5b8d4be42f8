using System.Buffers;
using System.Collections.Concurrent;

namespace Dataflow.Collectives;

/// <summary>Reaches the tasks of a gang that run in other processes.</summary>
internal interface IPeerLinks
{
    /// <summary>Where others reach this process.</summary>
    string Address { get; }

    /// <summary>Sends a message, making the link first if there is none. Returns when the bytes are taken over by the system.</summary>
    /// <returns>Null if it was sent; else why the other process can't be reached.</returns>
    /// <exception cref="OperationCanceledException">The task was cancelled meanwhile.</exception>
    string? Send(string address, PeerHeader header, ReadOnlySpan<byte> bytes, TimeSpan timeout, CancellationToken cancellation);

    /// <summary>Tells another process that a task has ended, if there is a link to it. Never waits.</summary>
    void TellEnded(string address, GangId gang, int task);
}

/// <summary>The inboxes of all tasks of gangs in this process, and the way out to those in others.</summary>
internal sealed class Exchange
{
    private readonly ConcurrentDictionary<GangId, ConcurrentDictionary<int, Inbox>> _gangs = new();
    private readonly ConcurrentDictionary<GangId, string[]> _addresses = new();
    private readonly Lock _lock = new();

    /// <summary>How long the driver is given to end the attempt when another process is lost.</summary>
    public TimeSpan GraceForDriver { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The way to other processes; null where there are none.</summary>
    public IPeerLinks? Links { get; set; }

    /// <summary>Opens the inbox of a task. Messages to a gang that has no inbox here are of one that is over, and dropped.</summary>
    public Inbox Open(GangId gang, int task)
    {
        lock (_lock) return _gangs.GetOrAdd(gang, static _ => new()).GetOrAdd(task, static (_, grace) => new Inbox(grace), GraceForDriver);
    }

    /// <summary>The task has ended.</summary>
    public void Close(GangId gang, int task)
    {
        Inbox? inbox;
        lock (_lock)
        {
            if (!_gangs.TryGetValue(gang, out var inboxes) || !inboxes.TryRemove(task, out inbox)) return;
            if (inboxes.IsEmpty)
            {
                _gangs.TryRemove(gang, out _);
                _addresses.TryRemove(gang, out _);
            }
        }
        inbox.Close();
    }

    /// <summary>Hands a message to the tasks that it is for.</summary>
    /// <param name="header">What it is.</param>
    /// <param name="array">Its bytes, in an array of the shared pool that becomes the exchange's.</param>
    /// <param name="length">How many they are.</param>
    public void Deliver(PeerHeader header, byte[] array, int length)
    {
        if (!_gangs.TryGetValue(header.Gang, out var inboxes))
        {
            ArrayPool<byte>.Shared.Return(array);
            return;
        }
        if (header.To == PeerHeader.All)
        {
            var all = inboxes.Where(inbox => inbox.Key != header.From).ToArray();

            // One for this call: the array must not go back while it is handed round.
            var message = new PeerMessage(header, array, length, all.Length + 1);
            foreach (var (_, inbox) in all) inbox.Put(message);
            message.Release();
        }
        else if (inboxes.TryGetValue(header.To, out var inbox))
        {
            inbox.Put(new PeerMessage(header, array, length, 1));
        }
        else
        {
            ArrayPool<byte>.Shared.Return(array);
        }
    }

    /// <summary>Copies bytes, and hands them to the tasks here that they are for.</summary>
    public void Deliver(PeerHeader header, ReadOnlySpan<byte> bytes)
    {
        var array = ArrayPool<byte>.Shared.Rent(bytes.Length);
        bytes.CopyTo(array);
        Deliver(header, array, bytes.Length);
    }

    /// <summary>A task has ended, here or elsewhere.</summary>
    public void End(GangId gang, int task)
    {
        if (!_gangs.TryGetValue(gang, out var inboxes)) return;
        foreach (var inbox in inboxes.Values) inbox.End(task);
    }

    /// <summary>Notes in which other processes a gang has tasks.</summary>
    public void Know(GangId gang, string[] addresses)
    {
        lock (_lock)
        {
            if (_gangs.ContainsKey(gang)) _addresses[gang] = addresses;
        }
    }

    /// <summary>Another process is lost, and with it every gang that has tasks there.</summary>
    /// <param name="address">Where it was reached.</param>
    /// <param name="why">For people.</param>
    public void Lose(string address, string why)
    {
        foreach (var (gang, addresses) in _addresses)
        {
            if (!addresses.Contains(address) || !_gangs.TryGetValue(gang, out var inboxes)) continue;
            foreach (var inbox in inboxes.Values) inbox.Lose(why);
        }
    }
}
