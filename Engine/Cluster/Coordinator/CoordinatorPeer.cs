namespace Dataflow.Cluster;

/// <summary>The coordinator's end of a link. What it first says tells whether a worker, a program or a person is at the other end.</summary>
/// <param name="coordinator">Takes what is heard.</param>
/// <param name="channel">The link.</param>
internal sealed class CoordinatorPeer(ActorRef coordinator, IControlChannel channel) : IControlHandler
{
    public IControlChannel Channel => channel;

    /// <summary>The worker at the other end, if it is one.</summary>
    public WorkerEntry? Worker { get; set; }

    /// <summary>The program at the other end, if it is one.</summary>
    public ApplicationEntry? Application { get; set; }

    public void Received(IReadOnlyList<ControlMessage> messages)
    {
        foreach (var message in messages) coordinator.Tell(new PeerHeard(this, message));
    }

    public void Ended(LinkEnd end) => coordinator.Tell(new PeerGone(this, end));

    /// <summary>Refuses what the other end asked, for good, and ends the link.</summary>
    public void Refuse(string reason)
    {
        channel.Send(new Refused(reason));
        _ = channel.CloseAsync("refused");
    }
}

/// <summary>A message came over a link.</summary>
internal sealed record PeerHeard(CoordinatorPeer Peer, ControlMessage Message);

/// <summary>A link ended.</summary>
internal sealed record PeerGone(CoordinatorPeer Peer, LinkEnd End);
