using System.Text.Json;
using Dataflow.Cluster;

namespace Dataflow.Simulation;

/// <summary>
/// A link between two processes, as TCP gives it: messages arrive in order and once, or the link ends. What is sent while the way is cut
/// arrives when it heals; if that takes too long, keep-alives end the link, at each end when it notices.
/// </summary>
internal sealed class SimulatedLink
{
    private readonly World _world;
    private readonly Network _network;

    public SimulatedLink(World world, Network network, int here, int there)
    {
        _world = world;
        _network = network;
        Here = new End(this, here);
        There = new End(this, there);
        (Here.Other, There.Other) = (There, Here);
    }

    /// <summary>The end that dialled.</summary>
    public End Here { get; }

    public End There { get; }

    public void OnCut(int from, int to)
    {
        if (!Joins(from, to)) return;

        // No answer to a keep-alive comes through, whichever way is cut.
        Notice(Here);
        Notice(There);
    }

    public void OnHealed(int from, int to)
    {
        if (Here.Machine == from && There.Machine == to) Here.SendHeld();
        if (There.Machine == from && Here.Machine == to) There.SendHeld();
    }

    private bool Joins(int from, int to) =>
        (Here.Machine == from && There.Machine == to) || (Here.Machine == to && There.Machine == from);

    private void Notice(End end)
    {
        var cut = end.Cut = _world.Time.Now;
        _world.Time.After(TimeSpan.FromSeconds(5 + (5 * _world.Dice.NextDouble())), () =>
        {
            if (end.Cut == cut && !_network.IsWhole(end.Machine, end.Other.Machine)) end.Finish(new LinkEnd(LinkEndKind.Lost, "no keep-alive was answered"));
        });
    }

    /// <summary>One end of the link.</summary>
    internal sealed class End(SimulatedLink link, int machine) : IControlChannel
    {
        private readonly List<byte[]> _held = [];
        private readonly Queue<byte[]> _early = new();
        private IControlHandler? _handler;
        private LinkEnd? _end;
        private TimeSpan _lastArrival;
        private bool _isDead;
        private bool _losesAll;

        public End Other { get; set; } = null!;

        public int Machine => machine;

        public TimeSpan Cut { get; set; }

        public bool IsOver => _isDead || _end is not null;

        public string Peer => $"machine {Other.Machine}";

        public void Start(IControlHandler handler)
        {
            _handler = handler;
            while (_early.TryDequeue(out var bytes)) handler.Received(ControlFrame.Decode(bytes));
            if (_end is { } end) handler.Ended(end);
        }

        public bool Send(ControlMessage message)
        {
            if (IsOver) return false;
            var bytes = JsonSerializer.SerializeToUtf8Bytes([message], ControlJson.Default.ControlMessageArray);
            if (link._network.IsCut(machine, Other.Machine))
                _held.Add(bytes);
            else
                TransmitMessage(bytes);
            return true;
        }

        public ValueTask CloseAsync(string reason)
        {
            if (IsOver) return ValueTask.CompletedTask;
            if (!link._network.IsCut(machine, Other.Machine))
                Transmit(() => Other.Finish(new LinkEnd(LinkEndKind.ClosedThere, reason)));
            else
                Other.LoseLater();
            Finish(new LinkEnd(LinkEndKind.ClosedHere, $"closed: {reason}"));
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => CloseAsync("disposed");

        // The simulated network has no listeners.
        public byte[] Seal(ReadOnlySpan<byte> secret) => secret.ToArray();

        public byte[] Unseal(ReadOnlySpan<byte> sealedSecret) => sealedSecret.ToArray();

        /// <summary>The process at this end is no more.</summary>
        /// <param name="silently">Whether its machine went too, so that nobody tells the other end.</param>
        public void Die(bool silently)
        {
            if (_isDead) return;
            _isDead = true;
            _losesAll = link._world.Chance(0.5);
            _held.Clear();
            if (silently || link._network.IsCut(machine, Other.Machine))
                Other.LoseLater();
            else
                Transmit(() => Other.Finish(new LinkEnd(LinkEndKind.Lost, "the connection was reset")));
            link.ForgetIfOver();
        }

        public void SendHeld()
        {
            foreach (var bytes in _held) TransmitMessage(bytes);
            _held.Clear();
        }

        public void Finish(LinkEnd end)
        {
            if (IsOver) return;
            _end = end;
            _held.Clear();
            link._world.Note("machine {0} finds its link to machine {1} ended", machine, Other.Machine);
            link._world.Explain($"{end.Kind}: {end.Reason}");

            // Whoever ended it may hold a lock.
            link._world.Time.After(TimeSpan.Zero, () =>
            {
                if (!_isDead) _handler?.Ended(end);
            });
            if (!Other.IsOver && end.Kind is LinkEndKind.Lost)
            {
                // The other end meets a closed port when it next sends, if its way is open.
                Other.LoseLater();
            }
            link.ForgetIfOver();
        }

        private void LoseLater() => link._world.Time.After(
            TimeSpan.FromSeconds(5 + (5 * link._world.Dice.NextDouble())), () => Finish(new LinkEnd(LinkEndKind.Lost, "no keep-alive was answered")));

        private void TransmitMessage(byte[] bytes) => Transmit(() =>
        {
            if (!_losesAll) Other.Arrive(bytes);
        });

        private void Transmit(Action arrive)
        {
            var now = link._world.Time.Now;
            var arrival = now + link._network.Latency();
            if (arrival < _lastArrival) arrival = _lastArrival;
            _lastArrival = arrival;
            link._world.Time.After(arrival - now, arrive);
        }

        private void Arrive(byte[] bytes)
        {
            if (IsOver) return;
            if (_handler is null)
                _early.Enqueue(bytes);
            else
                _handler.Received(ControlFrame.Decode(bytes));
        }
    }

    private void ForgetIfOver()
    {
        if (Here.IsOver && There.IsOver) _network.Forget(this);
    }
}
