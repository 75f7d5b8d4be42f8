using Dataflow.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dataflow.Cluster;

/// <summary>What a worker's agent takes from outside: threads, clock, log.</summary>
internal sealed record WorkerAgentSettings
{
    public IDispatcher Dispatcher { get; init; } = PoolDispatcher.Shared;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILogger Logger { get; init; } = NullLogger.Instance;

    public string Version { get; init; } = CoordinatorHost.EngineVersion;

    /// <summary>How long after a link was lost it is tried again.</summary>
    public TimeSpan RetryInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long the coordinator may be away, before the worker has joined and after.</summary>
    public TimeSpan ReconnectFor { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long an executor may take to end by itself.</summary>
    public TimeSpan GoodbyePatience { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>What a worker offers.</summary>
/// <param name="Name">Its name, unique in the cluster.</param>
/// <param name="Host">Its machine.</param>
/// <param name="Cores">Cores for executors.</param>
/// <param name="MemoryBytes">Memory for executors.</param>
/// <param name="Resources">Addresses of named resources, by name.</param>
/// <param name="DataUrl">Where its blocks are fetched.</param>
internal sealed record WorkerOffer(
    string Name, string Host, int Cores, long MemoryBytes, IReadOnlyDictionary<string, IReadOnlyList<string>> Resources, string DataUrl);

/// <summary>
/// What a worker does: joins the coordinator, starts and ends executors as it says, and keeps them while it is away. Processes and sockets are
/// given from outside.
/// </summary>
internal sealed class WorkerAgent : Actor
{
    private readonly WorkerOffer _offer;
    private readonly Func<CancellationToken, Task<IControlChannel>> _dial;
    private readonly IExecutorStarter _starter;
    private readonly WorkerAgentSettings _settings;
    private readonly Dictionary<(string Application, ExecutorId Executor), HeldExecutor> _executors = [];

    // Of which it keeps files, and which of them want some of these before it leaves.
    private readonly HashSet<string> _applications = new(StringComparer.Ordinal);
    private readonly HashSet<string> _wanting = new(StringComparer.Ordinal);
    private readonly FileSources _sources;
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer _timer;
    private End? _link;
    private WorkerId? _number;
    private long _epoch;
    private long? _lostAt;
    private bool _isDraining;
    private string? _reason;
    private Task _closing = Task.CompletedTask;
    private Exception? _error;

    public WorkerAgent(WorkerOffer offer, Func<CancellationToken, Task<IControlChannel>> dial, IExecutorStarter starter, WorkerAgentSettings? settings = null)
        : base((settings ?? new WorkerAgentSettings()).Dispatcher)
    {
        _offer = offer;
        _dial = dial;
        _starter = starter;
        _settings = settings ?? new WorkerAgentSettings();
        _sources = new FileSources(message => Self.Tell(message), _settings.Time);
        _timer = _settings.Time.CreateTimer(_ => Self.Tell(Due.Instance), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Completes with the reason when the worker has left and its executors have ended.</summary>
    /// <exception cref="ClusterException">The coordinator did not come, or refused the worker.</exception>
    public Task<string> Ended => _ended.Task;

    /// <summary>Dials.</summary>
    public void Start() => Self.Tell(Due.Instance);

    /// <summary>Leaves when the tasks of its executors have ended, after a time in any case.</summary>
    public void Drain(TimeSpan deadline) => Self.Tell(new DrainAsked(deadline));

    /// <summary>Leaves at once.</summary>
    public void Stop(string reason) => Self.Tell(new StopAsked(reason));

    protected override void Receive(object message)
    {
        switch (message)
        {
            case Due: OnDue(); break;
            case Dialled dialled: OnDialled(dialled.Channel); break;
            case Undialled failed: OnLost(failed.Error); break;
            case Heard heard when heard.From == _link: Handle(heard.Message); break;
            case Gone gone when gone.From == _link:
                _link = null;
                _sources.GiveUp();
                Log("link-lost", gone.End.Reason);
                OnLost(new ClusterException($"The coordinator ended the link before it took the worker in: {gone.End.Reason}"));
                break;
            case Started started: OnStarted(started.Executor, started.Process); break;
            case Exited exited: OnExited(exited.Executor, exited.Code, exited.Reason); break;
            case Overdue overdue: overdue.Executor.Process?.Kill(); break;
            case WantFiles or GotFiles:
                if (_link is { } link)
                    link.Channel.Send((ControlMessage)message);
                else
                    _sources.GiveUp();
                break;
            case DrainAsked asked: OnDrain(asked.Deadline); break;
            case StopAsked asked: Leave(asked.Reason); break;
        }
    }

    protected override bool OnFailure(Exception error, object? message)
    {
        _settings.Logger.LogError(error, "The worker failed at {Message}.", message?.GetType().Name);
        return true;
    }

    protected override void OnStopped()
    {
        _timer.Dispose();
        _ = CompleteAsync();
    }

    // The process may end after this: the goodbye must be out.
    private async Task CompleteAsync()
    {
        await _closing.ConfigureAwait(false);
        if (_error is not null)
            _ended.TrySetException(_error);
        else
            _ended.TrySetResult(_reason ?? "the agent was stopped");
    }

    private void OnDue()
    {
        if (_isDraining && _reason is null)
            Leave("the deadline of its draining has come");
        else if (_link is null && _reason is null)
            _ = DialAsync();
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
        if (_reason is not null)
        {
            _ = channel.CloseAsync("the worker ends");
            return;
        }
        _link = new End(this, channel);
        channel.Start(_link);
        channel.Send(new RegisterWorker(
            _settings.Version, _offer.Name, _offer.Host, _offer.Cores, _offer.MemoryBytes, _offer.Resources, _offer.DataUrl, ++_epoch, _number,
            [.. _executors.Values.Select(held => held.Running)], [.. _applications]));
    }

    private void OnLost(Exception error)
    {
        if (_reason is not null || _isDraining) return;
        var now = _settings.Time.GetTimestamp();
        if (_number is null && error is ClusterException { IsRefusal: true })
        {
            _error = error;
            Leave("it was refused");
            return;
        }
        var limit = _settings.ReconnectFor;
        if (_lostAt is null) Log("waiting", $"for the coordinator, {limit.TotalSeconds:0.###} s at most: {error.Message}");
        _lostAt ??= now;
        if (_settings.Time.GetElapsedTime(_lostAt.Value, now) < limit)
        {
            _timer.Change(_settings.RetryInterval, Timeout.InfiniteTimeSpan);
        }
        else if (_number is null)
        {
            _error = new ClusterException($"The coordinator could not be reached for {limit.TotalSeconds:0.###} s. At last: {error.Message}", error);
            Leave("it could not join");
        }
        else
        {
            Leave($"the coordinator could not be reached again for {limit.TotalSeconds:0.###} s");
        }
    }

    private void Handle(ControlMessage message)
    {
        switch (message)
        {
            case WorkerRegistered registered: OnRegistered(registered); break;
            case LaunchExecutor launch: Launch(launch); break;
            case StopExecutor stop:
                if (_executors.TryGetValue((stop.Application, stop.Executor), out var held)) Finish(held, stop.Reason);
                break;
            case ApplicationEnded ended:
                foreach (var executor in _executors.Values.Where(executor => executor.Launch.Application == ended.Application).ToArray())
                    Finish(executor, ended.Reason);
                _starter.Forget(ended.Application);
                _applications.Remove(ended.Application);
                _wanting.Remove(ended.Application);
                LeaveIfEmpty();
                break;
            case HandedOver done:
                _wanting.Remove(done.Application);
                LeaveIfEmpty();
                break;
            case Refused refused:
                _error = new ClusterException(refused.Reason);
                Leave(refused.Reason);
                break;
            case Shutdown shutdown: Leave(shutdown.Reason); break;
            case FilesAt answer: _sources.Answer(answer); break;
            default: _ = _link!.Channel.CloseAsync($"{message.GetType().Name} is nothing that a coordinator says"); break;
        }
    }

    private void OnRegistered(WorkerRegistered registered)
    {
        _number = registered.Worker;
        _lostAt = null;
        Log("joined", $"as {_offer.Name} with {_offer.Cores} cores, link {registered.Epoch}");
    }

    private void Launch(LaunchExecutor launch)
    {
        var key = (launch.Application, launch.Executor);
        if (_reason is not null || _isDraining || _executors.ContainsKey(key))
        {
            _link!.Channel.Send(new ExecutorExited(launch.Application, launch.Executor, null, "the worker is leaving, or runs an executor of this number already"));
            return;
        }
        var held = new HeldExecutor(launch);
        _executors.Add(key, held);
        _applications.Add(launch.Application);
        _ = StartAsync(held, ClusterToken.Import(_link!.Channel.Unseal(launch.Secret)));
    }

    private async Task StartAsync(HeldExecutor held, ClusterToken secret)
    {
        try
        {
            var process = await _starter.StartAsync(held.Launch, secret, _sources).ConfigureAwait(false);
            Self.Tell(new Started(held, process));
            var (code, reason) = await process.Exited.ConfigureAwait(false);
            Self.Tell(new Exited(held, code, reason));
        }
        catch (Exception error)
        {
            Self.Tell(new Exited(held, null, $"it could not be started: {error.Message}"));
        }
    }

    private void OnStarted(HeldExecutor held, IStartedExecutor process)
    {
        held.Process = process;
        Log("executor-started", $"{held}, process {process.ProcessId}");
        if (held.StopReason is { } reason) Finish(held, reason);
    }

    private void OnExited(HeldExecutor held, int? code, string reason)
    {
        held.Overdue?.Dispose();
        _executors.Remove((held.Launch.Application, held.Launch.Executor));
        Log("executor-ended", $"{held}, exit code {code?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none"}: {held.StopReason ?? reason}");
        _link?.Channel.Send(new ExecutorExited(held.Launch.Application, held.Launch.Executor, code, held.StopReason ?? reason));
        if (_reason is not null && _executors.Count == 0) Self.Stop();
        LeaveIfEmpty();
    }

    // Executors have ended, and programs have what they want of what was served here.
    private void LeaveIfEmpty()
    {
        if (_isDraining && _reason is null && _executors.Count == 0 && _wanting.Count == 0) Leave("it was drained");
    }

    // First a word, then force.
    private void Finish(HeldExecutor held, string reason)
    {
        held.StopReason ??= reason;
        if (held.Process is not { } process || held.Overdue is not null) return;
        process.End();
        held.Overdue = _settings.Time.CreateTimer(_ => Self.Tell(new Overdue(held)), null, _settings.GoodbyePatience, Timeout.InfiniteTimeSpan);
    }

    private void OnDrain(TimeSpan deadline)
    {
        if (_isDraining || _reason is not null) return;
        _isDraining = true;
        Log("draining", $"{_executors.Count} executors, for {deadline.TotalSeconds:0.###} s at most");
        _wanting.UnionWith(_applications);
        if ((_executors.Count == 0 && _wanting.Count == 0) || _link is null || _number is not { } number)
        {
            Leave("it was drained");
            return;
        }
        _link.Channel.Send(new Drain(number, deadline));
        _timer.Change(deadline, Timeout.InfiniteTimeSpan);
    }

    // The goodbye comes first: nothing new is asked for, and programs know at once.
    private void Leave(string reason)
    {
        if (_reason is not null) return;
        _reason = reason;
        Log("leaving", reason);
        _ = _ending.CancelAsync();
        _sources.GiveUp();
        if (_link is { } link) _closing = link.Channel.CloseAsync(reason).AsTask();
        foreach (var held in _executors.Values) Finish(held, reason);
        if (_executors.Count == 0) Self.Stop();
    }

    // One line an event: what happened, and to whom.
    private void Log(string what, string detail) => _settings.Logger.LogInformation("{Event} {Worker}: {Detail}", what, _offer.Name, detail);

    private sealed class HeldExecutor(LaunchExecutor launch)
    {
        public LaunchExecutor Launch => launch;

        public RunningExecutor Running => new(launch.Application, launch.Executor, launch.Cores, launch.MemoryBytes, launch.Resources);

        /// <summary>Null while its files are staged.</summary>
        public IStartedExecutor? Process { get; set; }

        /// <summary>Why it was asked to end; null if it was not.</summary>
        public string? StopReason { get; set; }

        public ITimer? Overdue { get; set; }

        public override string ToString() => $"{launch.Application}/{launch.Executor}";
    }

    private sealed class Due
    {
        public static Due Instance { get; } = new();
    }

    private sealed record Dialled(IControlChannel Channel);

    private sealed record Undialled(Exception Error);

    private sealed record Heard(End From, ControlMessage Message);

    private sealed record Gone(End From, LinkEnd End);

    private sealed record Started(HeldExecutor Executor, IStartedExecutor Process);

    private sealed record Exited(HeldExecutor Executor, int? Code, string Reason);

    private sealed record Overdue(HeldExecutor Executor);

    private sealed record DrainAsked(TimeSpan Deadline);

    private sealed record StopAsked(string Reason);

    /// <summary>One link of several that there may be one after the other.</summary>
    private sealed class End(WorkerAgent worker, IControlChannel channel) : IControlHandler
    {
        public IControlChannel Channel => channel;

        public void Received(IReadOnlyList<ControlMessage> messages)
        {
            foreach (var message in messages) worker.Self.Tell(new Heard(this, message));
        }

        public void Ended(LinkEnd end) => worker.Self.Tell(new Gone(this, end));
    }
}
