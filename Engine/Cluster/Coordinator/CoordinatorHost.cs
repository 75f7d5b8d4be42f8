using System.Reflection;
using Dataflow.Scheduling;
using Microsoft.Extensions.Logging;

namespace Dataflow.Cluster;

/// <summary>
/// Knows workers and programs, and grants executors: part of a driver program that listens, or a process of its own that many programs
/// share. A soft registry: whoever's link is lost dials in again and says what it has, so a coordinator that starts anew knows as much soon.
/// Running programs go on without it.
/// </summary>
/// <remarks>
/// A link that breaks is not the end of who is behind it: that comes after a goodbye, or when patience is over. Numbers of workers are
/// drawn by lot, so that one that starts anew gives none that an earlier one gave; executors are numbered by their program
/// (<see cref="RegisterApplication.FirstExecutor"/>).
/// </remarks>
internal sealed partial class CoordinatorHost : Actor
{
    private const int LongestMemory = 10_000;

    // How long after the grace of its tasks a program may take to give an executor back.
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(30);

    private readonly CoordinatorSettings _settings;
    private readonly Dictionary<WorkerId, WorkerEntry> _workers = [];
    private readonly Dictionary<string, ApplicationEntry> _applications = new(StringComparer.Ordinal);
    private readonly Memory<WorkerId> _goneWorkers = new(LongestMemory);
    private readonly Memory<string> _endedApplications = new(LongestMemory);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _start;
    private readonly ITimer _timer;
    private int _order;
    private bool _dirty;

    public CoordinatorHost(CoordinatorSettings? settings = null)
        : base((settings ?? new CoordinatorSettings()).Dispatcher)
    {
        _settings = settings ?? new CoordinatorSettings();
        _start = _settings.Time.GetTimestamp();
        _timer = _settings.Time.CreateTimer(_ => Self.Tell(TimePassed.Instance), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Version of the engine, as workers, programs and coordinators compare it.</summary>
    public static string EngineVersion { get; } =
        typeof(CoordinatorHost).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    /// <summary>Takes a link whose other end holds the cluster's token.</summary>
    public void Accept(IControlChannel channel) => channel.Start(new CoordinatorPeer(Self, channel));

    /// <summary>Ends. Completes when all have been told that are to be.</summary>
    /// <param name="dismiss">Why workers are to end too; null if they are to wait for another coordinator at the same address.</param>
    public Task EndAsync(string? dismiss)
    {
        if (dismiss is not null) Self.Tell(new Shutdown(dismiss));
        Self.Stop();
        return _ended.Task;
    }

    protected override void Receive(object message)
    {
        switch (message)
        {
            case PeerHeard heard: Handle(heard.Peer, heard.Message); break;
            case PeerGone gone: OnPeerGone(gone.Peer, gone.End); break;
            case Shutdown shutdown:
                foreach (var worker in _workers.Values) worker.Peer?.Channel.Send(shutdown);
                break;
        }
    }

    protected override void Flush()
    {
        var now = Now();
        foreach (var worker in _workers.Values.Where(worker => worker.MissedAt <= now).ToArray())
            Forget(worker, $"it did not come back for {_settings.WorkerPatience.TotalSeconds:0.###} s");
        foreach (var application in _applications.Values.ToArray())
        {
            if (application.MissedAt <= now) End(application, $"its program did not come back for {_settings.ApplicationPatience.TotalSeconds:0.###} s");
            if (application.ClaimedUntil <= now) DropClaims(application);
            _dirty |= application.TryAgain(now) | application.DropReturns(now) | application.EndRest(now);
        }
        if (_dirty)
        {
            Grant();
            EvenOut(now);
        }
        _dirty = false;
        Arm(now);
    }

    // A mistake about one link must not end the service of all others.
    protected override bool OnFailure(Exception error, object? message)
    {
        _settings.Logger.LogError(error, "The coordinator failed at {Message}; the link that it came from is closed.", message?.GetType().Name ?? "a grant");
        if (message is PeerHeard heard) heard.Peer.Refuse($"the coordinator failed: {error.Message}");
        return true;
    }

    protected override void OnStopped()
    {
        _timer.Dispose();
        _ended.TrySetResult();
    }

    private void Handle(CoordinatorPeer peer, ControlMessage message)
    {
        if (peer.Worker is { } worker)
        {
            // Of a link that another one has replaced.
            if (worker.Peer == peer) HandleWorker(worker, peer, message);
        }
        else if (peer.Application is { } application)
        {
            if (application.Peer == peer) HandleApplication(application, peer, message);
        }
        else
        {
            HandleStranger(peer, message);
        }
    }

    private void HandleStranger(CoordinatorPeer peer, ControlMessage message)
    {
        switch (message)
        {
            case RegisterWorker register: Register(peer, register); break;
            case RegisterApplication register: Register(peer, register); break;
            case AskStatus: peer.Channel.Send(Status()); break;
            case KillApplication kill: Kill(peer, kill); break;
            default: _ = peer.Channel.CloseAsync($"{message.GetType().Name} before registration"); break;
        }
    }

    private void OnPeerGone(CoordinatorPeer peer, LinkEnd end)
    {
        var isGoodbye = end.Kind is LinkEndKind.ClosedThere or LinkEndKind.Violation;
        if (peer.Worker is { } worker && worker.Peer == peer)
        {
            worker.Peer = null;
            PassOver(worker);
            worker.MissedAt = Now() + (isGoodbye ? TimeSpan.Zero : _settings.WorkerPatience);
            Log("worker-link-lost", worker.Offer.Name, end.Reason);
        }
        else if (peer.Application is { } application && application.Peer == peer)
        {
            application.Peer = null;
            application.MissedAt = Now() + _settings.ApplicationPatience;
            Log("application-link-lost", application.Name, end.Reason);
        }
    }

    private void Grant()
    {
        var applications = _applications.Values.Where(application => application.Peer is not null).ToArray();
        var granted = ExecutorAllocation.Grant(applications, _workers.Values);
        foreach (var of in granted.GroupBy(executor => executor.Application))
        {
            var application = _applications[of.Key];

            // First the program: its executors may be quick.
            application.Peer!.Channel.Send(new GrantExecutors(application.Name, [.. of.Select(GrantOf)]));
            foreach (var executor in of) Launch(application, executor);
        }
    }

    // What is free was not enough: who has more than others is asked to give back.
    private void EvenOut(TimeSpan now)
    {
        var applications = _applications.Values.Where(application => application.Peer is not null).ToArray();
        foreach (var application in applications)
        {
            application.CheckExpected(applications.Any(other => other.IsGivingTo(application)), now);
        }
        foreach (var asked in FairShares.Even(applications, _workers.Values, now + _settings.ShareGrace + AnswerPatience))
        {
            var reason = $"the program {asked.For.Name} ({asked.For.Registration!.Title}) has less";
            asked.From.Peer!.Channel.Send(new AskBack(asked.From.Name, [.. asked.Any.Select(executor => executor.Id)], asked.Count, _settings.ShareGrace, reason));
            Log("executors-asked-back", asked.From.Name, $"{asked.Count} of {asked.Cores} cores: {reason}");
        }
    }

    private void Launch(ApplicationEntry application, GrantedExecutor executor)
    {
        var registration = application.Registration!;
        var channel = executor.Worker.Peer!.Channel;
        channel.Send(new LaunchExecutor(
            application.Name, executor.Id, executor.Worker.Number, registration.DriverUrl, executor.Cores, executor.MemoryBytes, executor.Resources,
            channel.Seal(application.Secret!.Export()), registration.Files, registration.Settings));
        Log("executor-granted", $"{application.Name}/{executor.Id}", $"{executor.Cores} cores of {executor.Worker.Offer.Name}");
    }

    private static ExecutorGrant GrantOf(GrantedExecutor executor) => new(
        executor.Id, executor.Worker.Number, executor.Worker.Offer.Name, executor.Worker.Offer.Host, executor.Worker.Offer.DataUrl,
        executor.Cores, executor.MemoryBytes);

    private void Arm(TimeSpan now)
    {
        TimeSpan? first = null;
        foreach (var worker in _workers.Values) Earliest(worker.MissedAt);
        foreach (var application in _applications.Values)
        {
            Earliest(application.MissedAt);
            Earliest(application.ClaimedUntil);
            Earliest(application.NextTry);
            Earliest(application.ReturnsUntil);
            Earliest(application.Rests);
        }
        _timer.Change(first is { } due ? (due > now ? due - now : TimeSpan.Zero) : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        void Earliest(TimeSpan? time)
        {
            if (time is not null && (first is null || time < first)) first = time;
        }
    }

    private TimeSpan Now() => _settings.Time.GetElapsedTime(_start);

    // One line an event: what happened, to whom, and why or how.
    private void Log(string what, string who, string detail) => _settings.Logger.LogInformation("{Event} {Who}: {Detail}", what, who, detail);

    /// <summary>The last so many things that were put in.</summary>
    private sealed class Memory<T>(int length) where T : notnull
    {
        private readonly HashSet<T> _known = [];
        private readonly Queue<T> _order = [];

        public bool Has(T item) => _known.Contains(item);

        public void Add(T item)
        {
            if (!_known.Add(item)) return;
            _order.Enqueue(item);
            if (_order.Count > length) _known.Remove(_order.Dequeue());
        }
    }
}
