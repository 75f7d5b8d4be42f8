using System.Text.Json;

namespace Dataflow.Cluster;

/// <summary>A link within this process, for tests and simulation. Messages go through JSON, so that what can't travel fails here too.</summary>
internal sealed class MemoryChannel : IControlChannel, IThreadPoolWorkItem
{
    private readonly Lock _lock = new();
    private readonly Queue<byte[]> _inbox = new();
    private readonly IDispatcher _dispatcher;
    private readonly LinkSeal _seal;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private MemoryChannel _other = null!;
    private IControlHandler? _handler;
    private LinkEnd? _end;
    private bool _scheduled;
    private bool _told;

    private MemoryChannel(string peer, IDispatcher dispatcher, LinkSeal seal)
    {
        Peer = peer;
        _dispatcher = dispatcher;
        _seal = seal;
    }

    public string Peer { get; }

    public static (MemoryChannel One, MemoryChannel Other) CreatePair(IDispatcher dispatcher)
    {
        var seal = LinkSeal.Create();
        var one = new MemoryChannel("memory:other", dispatcher, seal);
        var other = new MemoryChannel("memory:one", dispatcher, seal);
        one._other = other;
        other._other = one;
        return (one, other);
    }

    public void Start(IControlHandler handler)
    {
        lock (_lock)
        {
            if (_handler is not null) throw new InvalidOperationException($"The link to {Peer} is started already.");
            _handler = handler;
        }
        Wake();
    }

    public bool Send(ControlMessage message)
    {
        lock (_lock)
        {
            if (_end is not null) return false;
        }
        var bytes = JsonSerializer.SerializeToUtf8Bytes([message], ControlJson.Default.ControlMessageArray);
        return _other.Put(bytes);
    }

    public ValueTask CloseAsync(string reason)
    {
        _other.End(new LinkEnd(LinkEndKind.ClosedThere, $"{_other.Peer} closed the link: {reason}"));
        End(new LinkEnd(LinkEndKind.ClosedHere, $"closed: {reason}"));
        return new ValueTask(_ended.Task);
    }

    /// <summary>Breaks the link: both ends lose it, and what was under way is lost.</summary>
    public void Break(string reason)
    {
        foreach (var each in (MemoryChannel[])[this, _other])
        {
            lock (each._lock) each._inbox.Clear();
            each.End(new LinkEnd(LinkEndKind.Lost, reason));
        }
    }

    public ValueTask DisposeAsync() => CloseAsync("disposed");

    public byte[] Seal(ReadOnlySpan<byte> secret) => _seal.Seal(secret);

    public byte[] Unseal(ReadOnlySpan<byte> sealedSecret) => _seal.Unseal(sealedSecret);

    /// <summary>Delivers what came, then the end.</summary>
    public void Execute()
    {
        while (true)
        {
            var frame = new List<ControlMessage>();
            IControlHandler handler;
            LinkEnd? end;
            lock (_lock)
            {
                handler = _handler!;
                while (frame.Count < FrameWriter.MaxMessages && _inbox.TryDequeue(out var bytes)) frame.AddRange(ControlFrame.Decode(bytes));
                end = _end;
                if (frame.Count == 0 && (end is null || _told))
                {
                    _scheduled = false;
                    return;
                }
                if (frame.Count == 0) _told = true;
            }
            if (frame.Count == 0)
            {
                handler.Ended(end!);
                _ended.TrySetResult();
                continue;
            }
            try
            {
                handler.Received(frame);
            }
            catch (Exception error)
            {
                lock (_lock) _inbox.Clear();
                End(new LinkEnd(LinkEndKind.Lost, $"a message from {Peer} could not be handled: {error.Message}", error));
                _other.End(new LinkEnd(LinkEndKind.Lost, $"the link to {_other.Peer} broke"));
            }
        }
    }

    private bool Put(byte[] bytes)
    {
        lock (_lock)
        {
            if (_end is not null) return false;
            _inbox.Enqueue(bytes);
        }
        Wake();
        return true;
    }

    private void End(LinkEnd end)
    {
        lock (_lock)
        {
            _end ??= end;
            // Nobody to tell.
            if (_handler is null) _ended.TrySetResult();
        }
        Wake();
    }

    private void Wake()
    {
        lock (_lock)
        {
            if (_scheduled || _handler is null || (_inbox.Count == 0 && (_end is null || _told))) return;
            _scheduled = true;
        }
        _dispatcher.Schedule(this);
    }
}
