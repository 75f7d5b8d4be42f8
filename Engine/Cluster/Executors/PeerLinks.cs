using System.Buffers;
using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using Dataflow.Collectives;

namespace Dataflow.Cluster;

/// <summary>
/// The links between executors of one application. Each executor dials those that it sends to, and only sends on the links it dialled; what comes
/// goes to the exchange. A link is made when it is first needed, and lives until one end does not.
/// </summary>
internal sealed class PeerLinks : IPeerLinks, IDisposable
{
    private const int LongestAddress = 256;

    // What tasks that end may take to say so.
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    private readonly NodeClient _client;
    private readonly string _scope;
    private readonly ClusterToken _secret;
    private readonly Exchange _exchange;
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentDictionary<string, Lazy<Task<PeerLink>>> _links = new();

    /// <param name="client">Dials.</param>
    /// <param name="here">Where others reach this process.</param>
    /// <param name="scope">The application.</param>
    /// <param name="secret">Its secret.</param>
    /// <param name="exchange">Where what comes goes.</param>
    public PeerLinks(NodeClient client, Uri here, string scope, ClusterToken secret, Exchange exchange)
    {
        _client = client;
        _scope = scope;
        _secret = secret;
        _exchange = exchange;
        Address = here.ToString();
    }

    public string Address { get; }

    public string? Send(string address, PeerHeader header, ReadOnlySpan<byte> bytes, TimeSpan timeout, CancellationToken cancellation)
    {
        var dialled = Dial(address);
        try
        {
            if (!dialled.Value.IsCompleted && !dialled.Value.Wait((int)Math.Min(timeout.TotalMilliseconds, int.MaxValue), cancellation))
                return $"no link to the executor at {address} was made in {timeout.TotalSeconds:0.###} s";
            dialled.Value.GetAwaiter().GetResult().Send(header, bytes, timeout);
            return null;
        }
        catch (Exception error) when (PeerLink.IsLoss(error) || error is ClusterException or AggregateException { InnerException: ClusterException })
        {
            _links.TryRemove(new(address, dialled));
            return $"the executor at {address} is out of reach: {(error as AggregateException)?.InnerException?.Message ?? error.Message}";
        }
    }

    public void TellEnded(string address, GangId gang, int task)
    {
        if (!_links.TryGetValue(address, out var link) || link is not { IsValueCreated: true, Value.IsCompletedSuccessfully: true }) return;
        var dialled = link.Value.Result;
        _ = Task.Run(() =>
        {
            try
            {
                dialled.Send(new PeerHeader(gang, task, PeerHeader.All, CollectiveCall.Ended, 0, 0, 0), [], Farewell);
            }
            catch (Exception error) when (PeerLink.IsLoss(error))
            {
                // The other end finds out by the loss of the link.
                _links.TryRemove(new(address, link));
            }
        });
    }

    /// <summary>Reads what an executor sends, until its link ends.</summary>
    /// <param name="socket">The link, after its handshake.</param>
    /// <param name="peer">Its address, for people.</param>
    /// <param name="cancellation">Signalled when this process ends.</param>
    public async Task ServeAsync(WebSocket socket, string peer, CancellationToken cancellation)
    {
        string? address = null;
        var why = "it ended";
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _ending.Token);
            var hello = new byte[LongestAddress];
            var length = await ReadAsync(socket, hello, 1, either.Token).ConfigureAwait(false);
            address = Encoding.UTF8.GetString(hello, 0, length);
            var header = new byte[PeerFrame.HeaderBytes];
            while (true)
            {
                await ReadAsync(socket, header, header.Length, either.Token).ConfigureAwait(false);
                await TakeAsync(socket, header, either.Token).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (PeerLink.IsLoss(error) || error is InvalidDataException or OperationCanceledException)
        {
            why = error.Message;
            socket.Abort();
        }
        finally
        {
            if (address is not null) _exchange.Lose(address, $"the link from the executor at {address} was lost: {why}");
        }
    }

    /// <summary>Ends all links.</summary>
    public void Dispose()
    {
        _ending.Cancel();
        foreach (var link in _links.Values)
        {
            if (link is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }) link.Value.Result.Dispose();
        }
        _links.Clear();
    }

    private Lazy<Task<PeerLink>> Dial(string address) =>
        _links.GetOrAdd(address, static (to, self) => new(() => Task.Run(() => self.DialAsync(to))), this);

    private async Task<PeerLink> DialAsync(string address)
    {
        var socket = await _client.ConnectPeerAsync(new Uri(address), _scope, _secret, _ending.Token).ConfigureAwait(false);
        var link = new PeerLink(socket, () => _exchange.Lose(address, $"the link to the executor at {address} was lost"), _ending.Token);
        await socket.SendAsync(Encoding.UTF8.GetBytes(Address).AsMemory(), WebSocketMessageType.Binary, true, _ending.Token).ConfigureAwait(false);
        return link;
    }

    private async ValueTask TakeAsync(WebSocket socket, byte[] header, CancellationToken cancellation)
    {
        var length = PeerFrame.LengthOf(header);
        var array = ArrayPool<byte>.Shared.Rent(length);
        PeerHeader read;
        try
        {
            if (length > 0) await ReadAsync(socket, array.AsMemory(0, length), length, cancellation).ConfigureAwait(false);
            read = PeerFrame.Read(header, array.AsSpan(0, length));
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(array);
            throw;
        }
        if (read.Call != CollectiveCall.Ended)
        {
            _exchange.Deliver(read, array, length);
            return;
        }
        ArrayPool<byte>.Shared.Return(array);
        _exchange.End(read.Gang, read.From);
    }

    /// <summary>Reads so many bytes, or to the end of a message.</summary>
    private static async ValueTask<int> ReadAsync(WebSocket socket, Memory<byte> into, int least, CancellationToken cancellation)
    {
        var read = 0;
        while (true)
        {
            var part = await socket.ReceiveAsync(into[read..], cancellation).ConfigureAwait(false);
            if (part.MessageType != WebSocketMessageType.Binary) throw new InvalidDataException(part.MessageType == WebSocketMessageType.Close ? "it said goodbye" : "it sent text");
            read += part.Count;
            if (read == into.Length || (part.EndOfMessage && read >= least)) return read;
            if (part.EndOfMessage) throw new InvalidDataException($"it ended a frame after {read:N0} of {into.Length:N0} bytes");
        }
    }
}

/// <summary>A link that this process dialled: it sends, and hears only of the end.</summary>
internal sealed class PeerLink : IDisposable
{
    private readonly WebSocket _socket;
    private readonly Lock _lock = new();
    private readonly Action _lost;

    /// <param name="socket">The link, after its handshake.</param>
    /// <param name="lost">Told once when it ends.</param>
    /// <param name="cancellation">Ends it.</param>
    public PeerLink(WebSocket socket, Action lost, CancellationToken cancellation)
    {
        _socket = socket;
        _lost = lost;
        _ = WatchAsync(cancellation);
    }

    /// <summary>Whether an error says that the link is gone.</summary>
    public static bool IsLoss(Exception error) => error is WebSocketException or IOException or ObjectDisposedException or InvalidOperationException or TimeoutException
        || (error is AggregateException { InnerException: { } inner } && IsLoss(inner));

    /// <summary>Sends a frame. Frames of several tasks go one after the other.</summary>
    /// <exception cref="TimeoutException">The other end does not read; the link is ended.</exception>
    public void Send(PeerHeader header, ReadOnlySpan<byte> bytes, TimeSpan timeout)
    {
        var length = PeerFrame.HeaderBytes + bytes.Length;
        var frame = ArrayPool<byte>.Shared.Rent(length);
        bytes.CopyTo(frame.AsSpan(PeerFrame.HeaderBytes));
        PeerFrame.WriteHeader(frame.AsSpan(0, length), header);
        lock (_lock)
        {
            var sending = _socket.SendAsync(frame.AsMemory(0, length), WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
            if (!sending.IsCompleted)
            {
                // Not given up half way when a task is cancelled: others use the link.
                var task = sending.AsTask();
                if (!task.Wait((int)Math.Min(timeout.TotalMilliseconds, int.MaxValue)))
                {
                    _socket.Abort();
                    throw new TimeoutException($"it took nothing for {timeout.TotalSeconds:0.###} s");
                }
            }
            else
            {
                sending.GetAwaiter().GetResult();
            }
        }
        ArrayPool<byte>.Shared.Return(frame);
    }

    public void Dispose()
    {
        _socket.Abort();
        _socket.Dispose();
    }

    private async Task WatchAsync(CancellationToken cancellation)
    {
        try
        {
            // Answers to keep-alives, and the end.
            await _socket.ReceiveAsync(new byte[1].AsMemory(), cancellation).ConfigureAwait(false);
        }
        catch (Exception error) when (IsLoss(error) || error is OperationCanceledException)
        {
            // Told below like any other end.
        }
        Dispose();
        _lost();
    }
}
