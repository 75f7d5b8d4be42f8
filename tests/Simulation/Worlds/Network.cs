namespace Dataflow.Simulation;

/// <summary>The network between machines: how long things take, and which ways are cut. Cuts have a direction and an end.</summary>
internal sealed class Network(World world)
{
    private readonly Dictionary<(int From, int To), TimeSpan> _cuts = [];
    private readonly List<SimulatedLink> _links = [];
    private readonly double _slowest = world.Chance(0.3) ? 200 : 5;

    /// <summary>Whether what leaves now does not arrive.</summary>
    public bool IsCut(int from, int to) => _cuts.TryGetValue((from, to), out var until) && until > world.Time.Now;

    /// <summary>Whether a question and its answer both arrive.</summary>
    public bool IsWhole(int a, int b) => !IsCut(a, b) && !IsCut(b, a);

    public TimeSpan Latency() => world.Milliseconds(0.05, world.Chance(0.02) ? _slowest * 10 : _slowest);

    /// <summary>Cuts a way for some time.</summary>
    public void Cut(int from, int to, TimeSpan time)
    {
        var until = world.Time.Now + time;
        if (_cuts.TryGetValue((from, to), out var known) && known >= until) return;
        _cuts[(from, to)] = until;
        world.Note("the way from machine {0} to {1} is cut for {2} ms", from, to, (long)time.TotalMilliseconds);
        foreach (var link in _links.ToArray()) link.OnCut(from, to);
        world.Time.After(time, () =>
        {
            if (IsCut(from, to)) return;
            foreach (var link in _links.ToArray()) link.OnHealed(from, to);
        });
    }

    /// <summary>Makes a link.</summary>
    public SimulatedLink Connect(int here, int there)
    {
        var link = new SimulatedLink(world, this, here, there);
        _links.Add(link);
        return link;
    }

    /// <summary>Forgets a link that has ended at both ends.</summary>
    public void Forget(SimulatedLink link) => _links.Remove(link);
}
