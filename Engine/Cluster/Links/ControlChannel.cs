using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using System.Threading.Channels;

namespace Dataflow.Cluster;

/// <summary>
/// A link over a WebSocket, after its handshake. One loop drains the outbox into frames, so that messages which wait together travel
/// together; another reads frames and hands them over. Whatever goes wrong on a link ends this link and nothing else.
/// </summary>
internal sealed class ControlChannel : IControlChannel
{
    private const int SmallBytes = 16 << 10;

    private readonly WebSocket _socket;
    private readonly LinkSeal _seal;
    private readonly LinkLimits _limits;
    private readonly Channel<ControlMessage> _outbox = Channel.CreateUnbounded<ControlMessage>(new() { SingleReader = true });
    private readonly CancellationTokenSource _abort = new();
    private readonly TaskCompletionSource<IControlHandler> _handler = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LinkEnd? _end;
    private int _waiting;
    private string _goodbye = "closed";

    /// <summary>Takes over a socket whose handshake is done.</summary>
    public ControlChannel(WebSocket socket, string peer, LinkSeal seal, LinkLimits limits)
    {
        _socket = socket;
        _seal = seal;
        _limits = limits;
        Peer = peer;
        Completed = RunAsync();
    }

    public string Peer { get; }

    /// <summary>Completes, and never faults, when the link has ended and its handler has been told.</summary>
    public Task Completed { get; }

    /// <summary>Two ends of a link within this process.</summary>
    /// <param name="dispatcher">Where messages are delivered; a simulator gives its own.</param>
    public static (IControlChannel One, IControlChannel Other) CreatePair(IDispatcher? dispatcher = null) =>
        MemoryChannel.CreatePair(dispatcher ?? PoolDispatcher.Shared);

    public void Start(IControlHandler handler)
    {
        if (!_handler.TrySetResult(handler)) throw new InvalidOperationException($"The link to {Peer} is started already.");
    }

    public bool Send(ControlMessage message)
    {
        if (_end is not null) return false;
        if (Interlocked.Increment(ref _waiting) > _limits.MaxWaitingMessages)
        {
            Finish(new LinkEnd(LinkEndKind.Lost, $"{Peer} does not read: {_limits.MaxWaitingMessages:N0} messages wait for it"));
            return false;
        }
        return _outbox.Writer.TryWrite(message);
    }

    public async ValueTask CloseAsync(string reason)
    {
        _goodbye = reason;
        _outbox.Writer.TryComplete();
        // Without a handler the reading loop waits for one.
        _handler.TrySetResult(NoHandler.Instance);
        try
        {
            await Completed.WaitAsync(_limits.CloseTimeout, _limits.Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Finish(new LinkEnd(LinkEndKind.ClosedHere, $"closed: {reason}; {Peer} did not answer the goodbye"));
            await Completed.ConfigureAwait(false);
        }
    }

    public ValueTask DisposeAsync() => CloseAsync("disposed");

    public byte[] Seal(ReadOnlySpan<byte> secret) => _seal.Seal(secret);

    public byte[] Unseal(ReadOnlySpan<byte> sealedSecret) => _seal.Unseal(sealedSecret);

    private async Task RunAsync()
    {
        // The constructor's caller goes on.
        await Task.Yield();
        var sending = SendLoopAsync();
        var handler = await _handler.Task.ConfigureAwait(false);
        await ReceiveLoopAsync(handler).ConfigureAwait(false);
        _outbox.Writer.TryComplete();
        await sending.ConfigureAwait(false);
        _socket.Dispose();
        _abort.Dispose();
        handler.Ended(_end!);
    }

    /// <summary>Keeps the first reason, and has both loops end.</summary>
    private void Finish(LinkEnd end)
    {
        if (Interlocked.CompareExchange(ref _end, end, null) is not null) return;
        _outbox.Writer.TryComplete();
        try
        {
            // Asynchronously: who finds out goes on with its own work.
            _ = _abort.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // Both loops have ended.
        }
    }

    private async Task SendLoopAsync()
    {
        using var frame = new FrameWriter(_limits.MaxFrameBytes);
        var outbox = _outbox.Reader;
        try
        {
            while (await outbox.WaitToReadAsync(_abort.Token).ConfigureAwait(false))
            {
                var bytes = frame.Fill(
                    () => outbox.TryPeek(out var message) ? message : null,
                    () =>
                    {
                        outbox.TryRead(out _);
                        Interlocked.Decrement(ref _waiting);
                    });
                await _socket.SendAsync(bytes, WebSocketMessageType.Binary, endOfMessage: true, _abort.Token).ConfigureAwait(false);
            }
            if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, Short(_goodbye), _abort.Token).ConfigureAwait(false);
        }
        catch (InvalidDataException error)
        {
            Finish(new LinkEnd(LinkEndKind.Lost, error.Message, error));
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            Finish(new LinkEnd(LinkEndKind.Lost, $"the connection to {Peer} broke: {error.Message}", error));
        }
    }

    private async Task ReceiveLoopAsync(IControlHandler handler)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(SmallBytes);
        try
        {
            while (true)
            {
                var length = 0;
                ValueWebSocketReceiveResult part;
                do
                {
                    if (length == buffer.Length) buffer = Larger(buffer, length);
                    part = await _socket.ReceiveAsync(buffer.AsMemory(length), _abort.Token).ConfigureAwait(false);
                    length += part.Count;
                    if (length > _limits.MaxFrameBytes)
                        throw new InvalidDataException($"a frame is longer than {_limits.MaxFrameBytes:N0} bytes");
                }
                while (!part.EndOfMessage);

                if (part.MessageType == WebSocketMessageType.Close)
                {
                    Hang(part);
                    return;
                }
                if (part.MessageType != WebSocketMessageType.Binary) throw new InvalidDataException("a frame is text; messages travel in binary frames");
                handler.Received(ControlFrame.Decode(buffer.AsSpan(0, length)));
                if (buffer.Length > 1 << 20)
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = ArrayPool<byte>.Shared.Rent(SmallBytes);
                }
            }
        }
        catch (InvalidDataException error)
        {
            await AccuseAsync(error.Message).ConfigureAwait(false);
            Finish(new LinkEnd(LinkEndKind.Violation, $"{Peer} broke the protocol: {error.Message}", error));
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            Finish(new LinkEnd(LinkEndKind.Lost, $"the connection to {Peer} broke: {error.Message}", error));
        }
        catch (Exception error)
        {
            // The handler's own fault; the messages that it did not take can't be taken by anyone else.
            Finish(new LinkEnd(LinkEndKind.Lost, $"a message from {Peer} could not be handled: {error.Message}", error));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Hang(ValueWebSocketReceiveResult part)
    {
        var ours = _outbox.Reader.Completion.IsCompleted || _socket.State == WebSocketState.Closed;
        var said = _socket.CloseStatusDescription;
        var end = _socket.CloseStatus is WebSocketCloseStatus.NormalClosure
            ? new LinkEnd(ours ? LinkEndKind.ClosedHere : LinkEndKind.ClosedThere, ours ? $"closed: {_goodbye}" : $"{Peer} closed the link: {said}")
            : new LinkEnd(LinkEndKind.Violation, $"{Peer} closed the link with {_socket.CloseStatus}: {said}");
        // Not Finish: the sending loop still has to answer the goodbye.
        Interlocked.CompareExchange(ref _end, end, null);
        _goodbye = "goodbye";
    }

    /// <summary>Tells the other end what it did wrong, if it still listens.</summary>
    private async Task AccuseAsync(string what)
    {
        using var patience = new CancellationTokenSource(_limits.CloseTimeout, _limits.Time);
        try
        {
            await _socket.CloseOutputAsync(WebSocketCloseStatus.PolicyViolation, Short(what), patience.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // It will see the connection break instead.
        }
    }

    private byte[] Larger(byte[] buffer, int length)
    {
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(buffer.Length * 2L, _limits.MaxFrameBytes + 1L));
        buffer.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }

    // A WebSocket takes at most 123 bytes of UTF-8 with a goodbye.
    private static string Short(string text)
    {
        const int most = 120;
        if (Encoding.UTF8.GetByteCount(text) <= most) return text;
        var length = Math.Min(text.Length, most);
        while (Encoding.UTF8.GetByteCount(text.AsSpan(0, length)) > most || char.IsHighSurrogate(text[length - 1])) length--;
        return text[..length];
    }

    private sealed class NoHandler : IControlHandler
    {
        public static NoHandler Instance { get; } = new();

        public void Received(IReadOnlyList<ControlMessage> messages) { }

        public void Ended(LinkEnd end) { }
    }
}

/// <summary>What a link may cost.</summary>
internal sealed record LinkLimits
{
    public static LinkLimits Default { get; } = new();

    /// <summary>No frame is longer.</summary>
    public int MaxFrameBytes { get; init; } = 16 << 20;

    /// <summary>A link on which more messages wait to be sent is given up: its other end does not read.</summary>
    public int MaxWaitingMessages { get; init; } = 1 << 20;

    /// <summary>How often an idle link is tried.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A link that does not answer for so long is lost. With the interval, and the coarse clock that looks after both, a cut link is
    /// noticed within 10 s.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a handshake may take.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a goodbye is waited for.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
