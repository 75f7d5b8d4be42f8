namespace Dataflow.Cluster;

// Two workers of one name.
internal sealed partial class CoordinatorHost
{
    private readonly List<Namesake> _namesakes = [];

    // The one that is here may be dead, which its link shows soon: then this is the one that was started in its place.
    private void Wait(CoordinatorPeer peer, RegisterWorker register)
    {
        _namesakes.Add(new Namesake(peer, register, Now() + _settings.NamePatience));
        Log("worker-waits", register.Name, $"another worker of this name is here; {peer.Channel.Peer} takes its place if its link ends within {_settings.NamePatience.TotalSeconds:0.###} s");
    }

    // In the order they came: the first takes the name, others wait for its link.
    private void AdmitNamesakes(string name)
    {
        var waited = _namesakes.FindAll(each => each.Register.Name == name);
        _namesakes.RemoveAll(waited.Contains);
        foreach (var each in waited) Register(each.Peer, each.Register);
    }

    private void RefuseNamesakes(TimeSpan now)
    {
        foreach (var late in _namesakes.FindAll(each => each.Until <= now))
        {
            _namesakes.Remove(late);
            var known = _workers.Values.FirstOrDefault(worker => worker.Offer.Name == late.Register.Name);
            Refuse(late.Peer, $"There is a worker of the name {late.Register.Name} already{(known is null ? "" : $", on {known.Offer.Host}")}, and it is alive: give this one another name (--name).");
        }
    }

    private sealed record Namesake(CoordinatorPeer Peer, RegisterWorker Register, TimeSpan Until);
}
