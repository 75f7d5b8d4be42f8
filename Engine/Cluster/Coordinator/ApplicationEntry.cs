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
    private int _nextExecutor = 1;

    public string Name => name;

    public int Order => order;

    /// <summary>What it said when it registered; null if only a worker spoke of it so far.</summary>
    public RegisterApplication? Registration { get; private set; }

    public ClusterToken? Secret { get; private set; }

    /// <summary>Its link; null while it is away.</summary>
    public CoordinatorPeer? Peer { get; set; }

    /// <summary>When it has ended if it is still away then.</summary>
    public TimeSpan? MissedAt { get; set; }

    public ExecutorWish Wish { get; set; } = new(0, 0, 0, 0, new Dictionary<string, int>());

    /// <summary>Its executors, as far as their workers are known.</summary>
    public Dictionary<ExecutorId, GrantedExecutor> Executors { get; } = [];

    /// <summary>Executors that it says it has and whose workers have not come back yet.</summary>
    public HashSet<ExecutorId> Claimed { get; } = [];

    /// <summary>Until when they count.</summary>
    public TimeSpan? ClaimedUntil { get; set; }

    /// <summary>Executors that it has or is about to have.</summary>
    public int Held => Executors.Values.Count(executor => !executor.IsStopping) + Claimed.Count;

    public int Cores => Executors.Values.Sum(executor => executor.Cores);

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
