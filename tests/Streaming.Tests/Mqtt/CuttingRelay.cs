using System.Net;
using System.Net.Sockets;

namespace Dataflow.Streaming.Tests.Mqtt;

/// <summary>Stands between a client and a broker, and cuts the connection at packets that a test names: before they are passed on or behind them.</summary>
internal sealed class CuttingRelay : IDisposable
{
    private const int PingAnswer = 13;

    private static readonly byte[] Ping = [0xC0, 0];

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ending = new();
    private readonly Lock _lock = new();
    private readonly MqttOptions _broker;
    private readonly Task _running;
    private Cut? _next;
    private TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isOpen = true;

    public CuttingRelay(MqttOptions broker)
    {
        _broker = broker;
        _listener.Start();
        _running = RunAsync();
    }

    public string Address => $"mqtt://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Every kind of packet of the handshake of quality 2, from the side that receives messages or the one that sends them, not passed on and passed on.</summary>
    public static IEnumerable<Cut> Handshake(bool clientSends)
    {
        foreach (var isPassedOn in new[] { false, true })
        {
            foreach (var kind in new[] { 3, 5, 6, 7 }) yield return new Cut(kind, FromClient: clientSends == kind is 3 or 6, isPassedOn, After: 2);
        }
    }

    /// <summary>Opens the way, and cuts it once more.</summary>
    /// <param name="cut">Where.</param>
    /// <param name="staysClosed">Whether nobody comes through afterwards, until the next call.</param>
    /// <returns>Done when it was cut.</returns>
    public Task CutAsync(Cut cut, bool staysClosed)
    {
        lock (_lock)
        {
            (_next, _isOpen, _done) = (cut with { StaysClosed = staysClosed }, true, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            return _done.Task;
        }
    }

    /// <summary>Opens the way for good.</summary>
    public void Open()
    {
        lock (_lock) (_next, _isOpen) = (null, true);
    }

    public void Dispose()
    {
        _ending.Cancel();
        _listener.Dispose();
        _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        _ending.Dispose();
    }

    private async Task RunAsync()
    {
        var passing = new List<Task>();
        while (!_ending.IsCancellationRequested)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync(_ending.Token);
            }
            catch (OperationCanceledException)
            {
                break;
            }
            passing.Add(PassAsync(client));
        }
        await Task.WhenAll(passing);
    }

    private async Task PassAsync(TcpClient client)
    {
        using var near = client;
        lock (_lock)
        {
            if (!_isOpen) return;
        }
        using var far = new TcpClient();
        await far.ConnectAsync(_broker.Host, _broker.Port);
        near.NoDelay = far.NoDelay = true;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
        var link = new Link(near.GetStream(), far.GetStream());
        var (up, down) = (PassAsync(link.Near, link.Far, link, stop.Token), PassAsync(link.Far, link.Near, link, stop.Token));
        var first = await Task.WhenAny(up, down);
        if (await first)
        {
            await DrainAsync(link, first == up ? down : up, stop);
            _done.TrySetResult();
        }
        await stop.CancelAsync();
        await Task.WhenAll(up, down);
    }

    // The broker gets to the end of what it is writing: mosquitto (2.0) sends a message of quality 2 anew, as if it had never been released, if two connections in a row are lost before it has
    // told the release again. Nothing of it arrives.
    private async Task DrainAsync(Link link, Task<bool> other, CancellationTokenSource stop)
    {
        try
        {
            link.IsCut = true;
            if (link.CutByClient)
            {
                await link.Far.WriteAsync(Ping, stop.Token);
                await other;
                return;
            }
            await stop.CancelAsync();
            await other;
            await link.Far.WriteAsync(Ping, _ending.Token);
            while ((await ScriptedBroker.ReadAsync(link.Far, _ending.Token)).First >> 4 != PingAnswer) { }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // The broker has gone.
        }
    }

    // True if it was cut here.
    private async Task<bool> PassAsync(Stream from, Stream to, Link link, CancellationToken stop)
    {
        var fromClient = from == link.Near;
        try
        {
            while (true)
            {
                var (first, body) = await ScriptedBroker.ReadAsync(from, stop);
                if (link.IsCut)
                {
                    if (first >> 4 == PingAnswer) return false;
                    continue;
                }
                var cut = Meet(first >> 4, fromClient);

                // What was passed on before the end of the connection is read before it.
                if (cut is null or { IsPassedOn: true }) await to.WriteAsync(Bytes(first, body), stop);
                if (cut is null) continue;
                link.CutByClient = fromClient;
                return true;
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // An end has gone.
            return false;
        }
    }

    private Cut? Meet(int kind, bool fromClient)
    {
        lock (_lock)
        {
            if (_next is not { } next || next.Kind != kind || next.FromClient != fromClient) return null;
            if (next.After > 0)
            {
                _next = next with { After = next.After - 1 };
                return null;
            }
            (_next, _isOpen) = (null, !next.StaysClosed);
            return next;
        }
    }

    private static byte[] Bytes(byte first, byte[] body)
    {
        var bytes = new List<byte> { first };
        var left = body.Length;
        do
        {
            bytes.Add((byte)((left & 0x7F) | (left > 0x7F ? 0x80 : 0)));
            left >>= 7;
        }
        while (left > 0);
        return [.. bytes, .. body];
    }

    // Both ends of a connection.
    private sealed class Link(Stream near, Stream far)
    {
        public readonly Stream Near = near;
        public readonly Stream Far = far;
        public volatile bool IsCut;
        public bool CutByClient;
    }

    /// <summary>Where a connection is cut.</summary>
    /// <param name="Kind">Of a packet, as in its first byte.</param>
    /// <param name="FromClient">Who sends it.</param>
    /// <param name="IsPassedOn">Whether it still arrives.</param>
    /// <param name="After">How many such packets come through before.</param>
    /// <param name="StaysClosed">Whether nobody comes through afterwards.</param>
    internal sealed record Cut(int Kind, bool FromClient, bool IsPassedOn, int After, bool StaysClosed = false);
}
