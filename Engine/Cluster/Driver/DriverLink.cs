using System.Collections.Concurrent;
using Dataflow.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dataflow.Cluster;

/// <summary>What a driver program tells the coordinator of itself.</summary>
/// <param name="Name">Its name, unique in the cluster.</param>
/// <param name="Title">For people.</param>
/// <param name="Url">Where its executors register.</param>
/// <param name="Secret">Its secret.</param>
/// <param name="Files">Its code.</param>
/// <param name="Settings">Settings of its executors' processes.</param>
internal sealed record DriverApplication(
    string Name, string Title, Uri Url, ClusterToken Secret, IReadOnlyList<CodeFile> Files, IReadOnlyDictionary<string, string> Settings);

/// <summary>What a driver's link takes from outside: threads, clock, log.</summary>
internal sealed record DriverLinkSettings
{
    public IDispatcher Dispatcher { get; init; } = PoolDispatcher.Shared;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILogger Logger { get; init; } = NullLogger.Instance;

    public string Version { get; init; } = CoordinatorHost.EngineVersion;

    /// <summary>How the program's executors are, which the coordinator is told; null tells it nothing.</summary>
    public Func<ApplicationBeat>? Load { get; init; }

    /// <summary>How long after a link was lost it is tried again.</summary>
    public TimeSpan RetryInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long after a new link workers that were known before may take to come back too.</summary>
    public TimeSpan WorkerPatience { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>The executors that a driver has: those whose links are up.</summary>
internal interface IExecutorRoster
{
    /// <summary>Executors that are here now.</summary>
    IReadOnlyList<ExecutorId> Executors { get; }

    /// <summary>An executor is gone, though its link may not have noticed yet.</summary>
    void Lose(ExecutorId executor, string reason);

    /// <summary>A worker is gone, with its executors and all that it served.</summary>
    void LoseWorker(WorkerId worker, string reason);

    /// <summary>A worker is about to leave: its executors are to get no new tasks, and are given back when they run none and others have what they keep.</summary>
    void DrainWorker(WorkerId worker, string reason);

    /// <summary>Some executors are to be given back: those that do least, when their tasks have ended.</summary>
    /// <param name="any">Which will do.</param>
    /// <param name="count">How many.</param>
    /// <param name="grace">How long their tasks may go on.</param>
    /// <param name="reason">Why, for people.</param>
    void GiveBack(IReadOnlyList<ExecutorId> any, int count, TimeSpan grace, string reason);
}

/// <summary>
/// A driver's end of its link to the coordinator: registers the program, asks for executors, hears what it gets. When the link is lost it is
/// made anew, and the program registers again with all that it has; meanwhile it goes on with that.
/// </summary>
/// <remarks>
/// Executors are numbered by the coordinator, within the program, from a number on that the program gives with each link: beyond every number
/// that it heard of by more than can have been granted without its hearing.
/// </remarks>
internal sealed class DriverLink : Actor
{
    /// <summary>How far beyond the numbers that it heard of a program lets a coordinator begin.</summary>
    public const int UnheardGrants = 1 << 14;

    private readonly DriverApplication _application;
    private readonly Func<CancellationToken, Task<IControlChannel>> _dial;
    private readonly IExecutorRoster _roster;
    private readonly Action<WorkerChange> _changed;
    private readonly DriverLinkSettings _settings;
    private readonly Dictionary<ExecutorId, ExecutorGrant> _grants = [];
    private readonly Dictionary<WorkerId, WorkerInfo> _workers = [];
    private readonly HashSet<WorkerId> _unconfirmed = [];

    // Given back, and not gone yet: a link may be lost with the message, and a new coordinator know nothing of it.
    private readonly Dictionary<ExecutorId, ReleaseExecutor> _released = [];
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource _registered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> _dismissed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer _retry;
    private readonly ITimer _confirm;
    private readonly ITimer _beat;

    // Read from other threads.
    private readonly ConcurrentDictionary<WorkerId, string> _names = new();
    private ExecutorWish _wish;
    private End? _link;
    private long _epoch;
    private int _firstExecutor = 1;
    private int _highestExecutor;
    private bool _isEnding;

    /// <param name="application">The program.</param>
    /// <param name="wish">What it wants at first.</param>
    /// <param name="dial">Makes a link to the coordinator, with <see cref="ClusterException"/> if it is not there.</param>
    /// <param name="roster">Its executors.</param>
    /// <param name="changed">Told of workers, on the dispatcher's thread.</param>
    /// <param name="settings">Threads, clock, log.</param>
    public DriverLink(
        DriverApplication application, ExecutorWish wish, Func<CancellationToken, Task<IControlChannel>> dial, IExecutorRoster roster,
        Action<WorkerChange> changed, DriverLinkSettings? settings = null)
        : base((settings ?? new DriverLinkSettings()).Dispatcher)
    {
        _application = application;
        _wish = wish;
        _dial = dial;
        _roster = roster;
        _changed = changed;
        _settings = settings ?? new DriverLinkSettings();
        _retry = _settings.Time.CreateTimer(_ => Self.Tell(Retry.Instance), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _confirm = _settings.Time.CreateTimer(_ => Self.Tell(Confirm.Instance), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _beat = _settings.Time.CreateTimer(_ => Self.Tell(Beat.Instance), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Completes when the coordinator says that the program is to end, with the reason.</summary>
    public Task<string> Dismissed => _dismissed.Task;

    /// <summary>Dials. Completes when the program is registered.</summary>
    /// <exception cref="ClusterException">The coordinator is not there, or refuses the program.</exception>
    public Task StartAsync()
    {
        Self.Tell(Retry.Instance);
        return _registered.Task;
    }

    /// <summary>The name of a worker, as it was last heard. From any thread.</summary>
    public string NameOf(WorkerId worker) => _names.TryGetValue(worker, out var name) ? name : worker.ToString();

    /// <summary>Asks for another number or size of executors from now on.</summary>
    public void Want(ExecutorWish wish) => Self.Tell(new WantExecutors(_application.Name, wish));

    /// <summary>Gives an executor back.</summary>
    public void Release(ExecutorId executor, string reason) => Self.Tell(new ReleaseExecutor(_application.Name, executor, reason));

    /// <summary>Lets a worker that drains go.</summary>
    public void HandedOver(WorkerId worker) => Self.Tell(new HandedOver(_application.Name, worker));

    /// <summary>Notes that an executor registered.</summary>
    public void Ready(ExecutorId executor) => Self.Tell(new ExecutorReady(_application.Name, executor));

    /// <summary>Says that the program has ended. Completes when the link is closed.</summary>
    public Task EndAsync(string reason)
    {
        Self.Tell(new ApplicationEnded(_application.Name, reason));
        return _ended.Task;
    }

    protected override void Receive(object message)
    {
        switch (message)
        {
            case Retry when _link is null && !_isEnding: _ = DialAsync(); break;
            case Confirm: ForgetUnconfirmed(); break;
            case Beat: _link?.Channel.Send(_settings.Load!()); break;
            case Dialled dialled: OnDialled(dialled.Channel); break;
            case Undialled failed: OnUndialled(failed.Error); break;
            case Heard heard when heard.From == _link: Handle(heard.Message); break;
            case Gone gone when gone.From == _link:
                _link = null;
                _settings.Logger.LogWarning("The link to the coordinator was lost: {Reason}", gone.End.Reason);
                OnUndialled(new ClusterException($"The coordinator ended the link before it took the program in: {gone.End.Reason}"));
                break;
            case WantExecutors want:
                _wish = want.Wanted;
                _link?.Channel.Send(want);
                break;
            case ExecutorReady ready:
                _highestExecutor = Math.Max(_highestExecutor, ready.Executor.Value);
                _link?.Channel.Send(ready);
                break;
            case ReleaseExecutor release:
                _released[release.Executor] = release;
                _link?.Channel.Send(release);
                break;
            case HandedOver done: _link?.Channel.Send(done); break;
            case ApplicationEnded ended: _ = FinishAsync(ended); break;
        }
    }

    // Of the program's own mistake with one message; the link goes on.
    protected override bool OnFailure(Exception error, object? message)
    {
        _settings.Logger.LogError(error, "The link to the coordinator failed at {Message}.", message?.GetType().Name);
        return true;
    }

    protected override void OnStopped()
    {
        _retry.Dispose();
        _confirm.Dispose();
        _beat.Dispose();
        _ending.Dispose();
        _ended.TrySetResult();
    }

    private async Task DialAsync()
    {
        try
        {
            Self.Tell(new Dialled(await _dial(_ending.Token).ConfigureAwait(false)));
        }
        catch (Exception error)
        {
            Self.Tell(new Undialled(error));
        }
    }

    private void OnDialled(IControlChannel channel)
    {
        if (_isEnding || _link is not null)
        {
            _ = channel.CloseAsync("not needed any more");
            return;
        }
        _link = new End(this, channel);
        channel.Start(_link);
        if (_epoch++ > 0) _firstExecutor = Math.Max(_firstExecutor, _highestExecutor) + UnheardGrants;
        channel.Send(new RegisterApplication(
            _settings.Version, _application.Name, _application.Title, _application.Url.ToString(), channel.Seal(_application.Secret.Export()),
            _application.Files, _wish, _application.Settings, _roster.Executors, _firstExecutor, _epoch));
    }

    private void OnUndialled(Exception error)
    {
        if (_isEnding) return;

        // Who starts the program is told; later the coordinator may come back as long as the program runs.
        if (_registered.Task.IsCompletedSuccessfully)
            _retry.Change(_settings.RetryInterval, Timeout.InfiniteTimeSpan);
        else
            _registered.TrySetException(error);
    }

    private void Handle(ControlMessage message)
    {
        switch (message)
        {
            case ApplicationRegistered registered: OnRegistered(registered); break;
            case GrantExecutors grant:
                foreach (var executor in grant.Executors)
                {
                    _grants[executor.Executor] = executor;
                    _highestExecutor = Math.Max(_highestExecutor, executor.Executor.Value);
                }
                break;
            case ExecutorExited exited: OnExited(exited); break;
            case WorkerNews news: OnNews(news); break;
            case WorkerGone gone: OnWorkerGone(gone); break;
            case Drain drain: OnDrain(drain); break;
            case AskBack ask: OnAskBack(ask); break;
            case Refused refused: OnRefused(refused.Reason); break;
            case Shutdown shutdown: _dismissed.TrySetResult(shutdown.Reason); break;
            default: _ = _link!.Channel.CloseAsync($"{message.GetType().Name} is nothing that a coordinator says"); break;
        }
    }

    private void OnRegistered(ApplicationRegistered registered)
    {
        if (_settings.Load is not null) _beat.Change(registered.HeartbeatInterval, registered.HeartbeatInterval);
        _registered.TrySetResult();
        _unconfirmed.UnionWith(_workers.Keys);
        ReleaseAgain();
        if (_unconfirmed.Count > 0) _confirm.Change(_settings.WorkerPatience, Timeout.InfiniteTimeSpan);
    }

    private void ReleaseAgain()
    {
        var here = _roster.Executors.ToHashSet();
        foreach (var release in _released.Values.ToArray())
        {
            if (here.Contains(release.Executor))
                _link!.Channel.Send(release);
            else
                _released.Remove(release.Executor);
        }
    }

    private void OnNews(WorkerNews news)
    {
        if (news.Kind == WorkerChangeKind.Joined && _released.Count > 0) ReleaseAgain();
        _unconfirmed.Remove(news.Worker);
        _names[news.Worker] = news.Name;
        var worker = new WorkerInfo(news.Name, news.Host, news.Cores, news.MemoryBytes);
        if (news.Kind == WorkerChangeKind.Joined && !_workers.TryAdd(news.Worker, worker)) return;
        _changed(new WorkerChange(worker, news.Kind, news.Reason));
    }

    private void OnExited(ExecutorExited exited)
    {
        _released.Remove(exited.Executor);
        if (_grants.Remove(exited.Executor, out var grant) && _workers.TryGetValue(grant.Worker, out var worker))
            _changed(new WorkerChange(worker, WorkerChangeKind.ExecutorEnded, exited.Reason));
        _roster.Lose(exited.Executor, exited.Reason);
    }

    private void OnWorkerGone(WorkerGone gone)
    {
        _unconfirmed.Remove(gone.Worker);
        foreach (var grant in _grants.Values.Where(grant => grant.Worker == gone.Worker).ToArray())
            _grants.Remove(grant.Executor);
        _roster.LoseWorker(gone.Worker, gone.Reason);
        if (_workers.Remove(gone.Worker, out var worker)) _changed(new WorkerChange(worker, WorkerChangeKind.Left, gone.Reason));
    }

    private void OnDrain(Drain drain)
    {
        const string reason = "its worker is draining";
        _roster.DrainWorker(drain.Worker, reason);

        // Those that have not come yet need not.
        var here = _roster.Executors.ToHashSet();
        foreach (var grant in _grants.Values.Where(grant => grant.Worker == drain.Worker && !here.Contains(grant.Executor)))
            _link?.Channel.Send(new ReleaseExecutor(_application.Name, grant.Executor, reason));
    }

    // Those that have not come yet run nothing: they go first.
    private void OnAskBack(AskBack ask)
    {
        var here = _roster.Executors.ToHashSet();
        var any = ask.Any.Where(executor => !_released.ContainsKey(executor)).ToArray();
        var absent = any.Where(executor => !here.Contains(executor) && _grants.ContainsKey(executor)).Take(ask.Count).ToArray();
        foreach (var executor in absent) Self.Tell(new ReleaseExecutor(_application.Name, executor, ask.Reason));
        if (absent.Length < ask.Count) _roster.GiveBack([.. any.Where(here.Contains)], ask.Count - absent.Length, ask.Grace, ask.Reason);
    }

    // A coordinator that started anew has not heard of them again: whether their executors live, their own links tell.
    private void ForgetUnconfirmed()
    {
        if (_link is null) return;
        foreach (var number in _unconfirmed)
        {
            if (_workers.Remove(number, out var worker)) _changed(new WorkerChange(worker, WorkerChangeKind.Left, "it did not come back to the coordinator"));
        }
        _unconfirmed.Clear();
    }

    private void OnRefused(string reason)
    {
        // At first the program can't start; later it goes on with what it has, and tries again: another coordinator may take it.
        _registered.TrySetException(new ClusterException(reason));
        _settings.Logger.LogWarning("The coordinator refuses the program: {Reason}", reason);
    }

    private async Task FinishAsync(ApplicationEnded ended)
    {
        if (_isEnding) return;
        _isEnding = true;
        _registered.TrySetException(new ClusterException($"The program ended before it was registered: {ended.Reason}."));
        var link = _link;
        link?.Channel.Send(ended);
        await _ending.CancelAsync().ConfigureAwait(false);
        if (link is not null) await link.Channel.CloseAsync(ended.Reason).ConfigureAwait(false);
        Self.Stop();
    }

    private sealed record Dialled(IControlChannel Channel);

    private sealed record Undialled(Exception Error);

    private sealed record Heard(End From, ControlMessage Message);

    private sealed record Gone(End From, LinkEnd End);

    private sealed class Retry
    {
        public static Retry Instance { get; } = new();
    }

    private sealed class Beat
    {
        public static Beat Instance { get; } = new();
    }

    private sealed class Confirm
    {
        public static Confirm Instance { get; } = new();
    }

    /// <summary>One link of several that there may be one after the other.</summary>
    private sealed class End(DriverLink driver, IControlChannel channel) : IControlHandler
    {
        public IControlChannel Channel => channel;

        public void Received(IReadOnlyList<ControlMessage> messages)
        {
            foreach (var message in messages) driver.Self.Tell(new Heard(this, message));
        }

        public void Ended(LinkEnd end) => driver.Self.Tell(new Gone(this, end));
    }
}
