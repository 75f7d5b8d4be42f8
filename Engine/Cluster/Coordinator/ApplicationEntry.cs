using Dataflow.Scheduling;

namespace Dataflow.Cluster;

/// <summary>A program as the coordinator knows it: what it wants and what it has.</summary>
/// <param name="name">Its name.</param>
/// <param name="order">Counts programs in the order they came.</param>
internal sealed class ApplicationEntry(string name, int order)
{
    // An executor that ends so often without ever having worked would not work the next time either.
    private const int MostStartsInVain = 5;

    // Unless what stood in its way has passed, such as a cut between its worker and its driver: it is tried again now and then.
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(30);

    private readonly Dictionary<WorkerId, int> _startsInVain = [];
    private readonly Dictionary<WorkerId, TimeSpan> _restsUntil = [];
    private readonly List<(ApplicationEntry To, int Cores, TimeSpan Until)> _returns = [];
    private int? _expects;
    private int _inVain;
    private int _nextExecutor = 1;

    public string Name => name;

    public int Order => order;

    /// <summary>What it said when it registered; null if only a worker spoke of it so far.</summary>
    public RegisterApplication? Registration { get; private set; }

    public ClusterToken? Secret { get; private set; }

    /// <summary>Who fetches its files from whom; null before the first worker asks.</summary>
    public BroadcastSwarm? Files { get; set; }

    /// <summary>Its link; null while it is away.</summary>
    public CoordinatorPeer? Peer { get; set; }

    /// <summary>When it has ended if it is still away then.</summary>
    public TimeSpan? MissedAt { get; set; }

    public ExecutorWish Wish { get; set; } = new(0, 0, 0, 0, new Dictionary<string, int>());

    /// <summary>How its executors are, as it said last; null if it has not.</summary>
    public ApplicationBeat? Load { get; set; }

    /// <summary>Its executors, as far as their workers are known.</summary>
    public Dictionary<ExecutorId, GrantedExecutor> Executors { get; } = [];

    /// <summary>Executors that it says it has and whose workers have not come back yet.</summary>
    public HashSet<ExecutorId> Claimed { get; } = [];

    /// <summary>Until when they count.</summary>
    public TimeSpan? ClaimedUntil { get; set; }

    /// <summary>Executors that it has or is about to have.</summary>
    public int Held => Executors.Values.Count(executor => !executor.IsStopping) + Claimed.Count;

    public int Cores => Executors.Values.Sum(executor => executor.Cores);

    /// <summary>Until when nobody is asked to give executors back for it; null if others may be asked.</summary>
    public TimeSpan? Rests { get; private set; }

    /// <summary>Cores that it will have when it has given back what it was asked for.</summary>
    public int CoresSoon => Executors.Values.Where(executor => !executor.IsStopping).Sum(executor => executor.Cores) - _returns.Sum(each => each.Cores);

    /// <summary>Whether executors that it was asked for have not gone yet: until then it gets no others.</summary>
    public bool IsGiving => _returns.Count > 0 || Executors.Values.Any(executor => executor.GoesTo is not null);

    /// <summary>When the first of what it was asked for is not waited for any more; null if it was asked for nothing.</summary>
    public TimeSpan? ReturnsUntil => _returns.Count == 0 ? null : _returns.Min(each => each.Until);

    /// <summary>Executors that it may be asked for. It chooses itself, so each size is left out of which as many as there are have been asked for.</summary>
    public IEnumerable<GrantedExecutor> Spare()
    {
        var spare = Executors.Values.Where(executor => !executor.IsStopping).ToArray();
        return spare.Where(executor => spare.Count(other => other.Cores == executor.Cores) > _returns.Count(each => each.Cores == executor.Cores));
    }

    /// <summary>Cores of each executor that it is about to lose.</summary>
    public IEnumerable<int> Leaving => Executors.Values.Where(executor => executor.IsStopping).Select(executor => executor.Cores).Concat(_returns.Select(each => each.Cores));

    /// <summary>Whether it was asked for something for another program that has not gone yet.</summary>
    public bool IsGivingTo(ApplicationEntry to) => _returns.Exists(each => each.To == to) || Executors.Values.Any(executor => executor.GoesTo == to);

    /// <summary>Notes that it is asked for executors.</summary>
    /// <param name="asked">For which.</param>
    /// <param name="until">How long they are waited for.</param>
    public void AskedBack(FairReturn asked, TimeSpan until)
    {
        for (var i = 0; i < asked.Count; i++) _returns.Add((asked.For, asked.Cores, until));
    }

    /// <summary>Notes that it gave an executor back.</summary>
    public void GaveBack(GrantedExecutor executor)
    {
        var at = _returns.FindIndex(each => each.Cores == executor.Cores);
        if (at < 0) return;
        executor.GoesTo = _returns[at].To;
        _returns.RemoveAt(at);
    }

    /// <summary>Stops waiting for what it was asked for long ago: those for whom it was wait before others are asked for them.</summary>
    public bool DropReturns(TimeSpan now)
    {
        foreach (var late in _returns.Where(each => each.Until <= now)) late.To.Rests = now + Rest;
        return _returns.RemoveAll(each => each.Until <= now) > 0;
    }

    /// <summary>Notes that an executor that was given back for it has ended.</summary>
    public void Expect()
    {
        _expects ??= Cores;
        _inVain++;
    }

    /// <summary>Looks whether it got anything of what was given back for it: if not, others are left in peace for a while.</summary>
    /// <param name="isMoreToCome">Whether others are still giving.</param>
    /// <param name="now">The coordinator's time.</param>
    public void CheckExpected(bool isMoreToCome, TimeSpan now)
    {
        if (_expects is not { } before) return;
        if (Cores <= before)
        {
            if (isMoreToCome && _inVain < Math.Max(MostStartsInVain, 2 * Wish.Cores)) return;
            Rests = now + Rest;
        }
        (_expects, _inVain) = (null, 0);
    }

    /// <summary>Ends its rest when the time has come.</summary>
    /// <returns>Whether it did.</returns>
    public bool EndRest(TimeSpan now)
    {
        if (!(Rests <= now)) return false;
        Rests = null;
        return true;
    }

    /// <summary>Takes what it said over a link.</summary>
    public void Register(CoordinatorPeer peer, RegisterApplication registration, ClusterToken secret, TimeSpan claimedUntil)
    {
        Peer = peer;
        MissedAt = null;
        Registration = registration;
        Secret = secret;
        Wish = registration.Wanted;
        _nextExecutor = Math.Max(_nextExecutor, registration.FirstExecutor);
        Claimed.Clear();
        Claimed.UnionWith(registration.Executors.Where(executor => !Executors.ContainsKey(executor)));
        ClaimedUntil = Claimed.Count > 0 ? claimedUntil : null;
    }

    /// <summary>A number that no executor of the program ever had.</summary>
    public ExecutorId NewExecutor() => new(_nextExecutor++);

    /// <summary>Notes an executor that a worker runs.</summary>
    public void Add(GrantedExecutor executor)
    {
        Executors.Add(executor.Id, executor);
        Claimed.Remove(executor.Id);
        _nextExecutor = Math.Max(_nextExecutor, executor.Id.Value + 1);
    }

    /// <summary>Forgets the executor that was entered last, before anybody heard of it.</summary>
    public void TakeBack(GrantedExecutor executor)
    {
        Executors.Remove(executor.Id);
        _nextExecutor = executor.Id.Value;
    }

    /// <summary>Notes that an executor works.</summary>
    public void Worked(GrantedExecutor executor)
    {
        executor.HasWorked = true;
        Forget(executor.Worker.Number);
    }

    /// <summary>Notes that an executor ended by itself.</summary>
    /// <param name="executor">The executor.</param>
    /// <param name="reason">Why.</param>
    /// <param name="now">When.</param>
    /// <returns>Why its worker is given up now; null if it is not, or was before.</returns>
    public string? Ended(GrantedExecutor executor, string reason, TimeSpan now)
    {
        var worker = executor.Worker.Number;
        var count = _startsInVain[worker] = _startsInVain.GetValueOrDefault(worker) + 1;
        if (count >= MostStartsInVain) _restsUntil[worker] = now + Rest;
        return count == MostStartsInVain ? $"its executor ended {MostStartsInVain} times without having worked, last: {reason}" : null;
    }

    /// <summary>Whether a worker gets no executors of it for now.</summary>
    public bool GaveUp(WorkerId worker) => _restsUntil.ContainsKey(worker);

    /// <summary>When a worker that was given up is tried again; null if none was.</summary>
    public TimeSpan? NextTry => _restsUntil.Count == 0 ? null : _restsUntil.Values.Min();

    /// <summary>Lets workers be tried again whose time has come.</summary>
    /// <returns>Whether there is one.</returns>
    public bool TryAgain(TimeSpan now)
    {
        var any = false;
        foreach (var (worker, until) in _restsUntil.ToArray())
        {
            if (until <= now) any |= _restsUntil.Remove(worker);
        }
        return any;
    }

    /// <summary>Forgets what was in vain on a worker: it is gone, or works.</summary>
    public void Forget(WorkerId worker)
    {
        _startsInVain.Remove(worker);
        _restsUntil.Remove(worker);
    }
}
