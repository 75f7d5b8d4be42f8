using System.Reflection;
using Dataflow.Scheduling;

namespace Dataflow.Cluster;

/// <summary>What a coordinator starts executors for.</summary>
/// <param name="Name">The application.</param>
/// <param name="Secret">Its secret.</param>
/// <param name="Driver">Where its executors register.</param>
/// <param name="Files">Its code.</param>
/// <param name="ExecutorMemoryBytes">Memory of each executor; null takes all that its worker offers.</param>
internal sealed record ClusterApplication(string Name, ClusterToken Secret, Func<Uri> Driver, IReadOnlyList<CodeFile> Files, long? ExecutorMemoryBytes);

/// <summary>
/// Knows the workers, and has each start an executor for the application. A soft registry: workers that dial in again make it anew.
/// </summary>
internal sealed class CoordinatorHost(ClusterApplication application, Action<WorkerChange> changed) : Actor(PoolDispatcher.Shared)
{
    // An executor that ends so often without ever having worked would never work.
    private const int MostStartsInVain = 5;

    private readonly Dictionary<IControlChannel, WorkerEntry> _workers = [];
    private readonly Dictionary<ExecutorId, WorkerEntry> _executors = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _nextWorker;
    private int _nextExecutor;

    /// <summary>Version of the engine, as workers and coordinators compare it.</summary>
    public static string EngineVersion { get; } =
        typeof(CoordinatorHost).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    /// <summary>Takes a link that a worker made.</summary>
    public void Accept(IControlChannel channel) => channel.Start(new WorkerLink(this, channel));

    /// <summary>Notes that an executor registered with the driver, or is gone.</summary>
    public void OnExecutor(ExecutorId executor, bool isHere) => Self.Tell(new ExecutorSeen(executor, isHere));

    /// <summary>Has all workers end their executors. Completes when all have been told.</summary>
    public Task EndAsync(string reason)
    {
        Self.Tell(new ApplicationEnded(application.Name, reason));
        Self.Stop();
        return _ended.Task;
    }

    protected override void Receive(object message)
    {
        switch (message)
        {
            case Heard heard: Handle(heard.Channel, heard.Message); break;
            case Closed closed: Remove(closed.Channel, closed.Reason); break;
            case ExecutorSeen { IsHere: true } seen when _executors.TryGetValue(seen.Executor, out var worker): worker.StartsInVain = 0; break;
            case ApplicationEnded ended:
                foreach (var channel in _workers.Keys) channel.Send(ended);
                break;
        }
    }

    protected override void OnStopped() => _ended.TrySetResult();

    private void Handle(IControlChannel channel, ControlMessage message)
    {
        switch (message)
        {
            case RegisterWorker register: Register(channel, register); break;
            case WorkerHeartbeat beat: channel.Send(new HeartbeatAck(beat.Epoch)); break;
            case ExecutorStarted: break;
            case ExecutorExited exited when _workers.TryGetValue(channel, out var worker): OnExited(channel, worker, exited); break;
            default: _ = channel.CloseAsync($"{message.GetType().Name} is nothing that a worker says"); break;
        }
    }

    private void Register(IControlChannel channel, RegisterWorker register)
    {
        if (register.Version != EngineVersion)
        {
            channel.Send(new Refused(
                $"The worker {register.Name} runs Dataflow {register.Version}, the coordinator {EngineVersion}: install the same version of the dataflow tool on both."));
            _ = channel.CloseAsync("another version");
            return;
        }
        foreach (var (other, known) in _workers.ToArray())
        {
            if (known.Worker.Name != register.Name) continue;
            Remove(other, "a worker of the same name registered");
            _ = other.CloseAsync("a worker of the same name registered");
        }
        var worker = new WorkerEntry(new WorkerInfo(register.Name, register.Host, register.Cores, register.MemoryBytes), register);
        _workers[channel] = worker;
        channel.Send(new WorkerRegistered(new WorkerId(_nextWorker++), register.Epoch, TimeSpan.FromSeconds(2)));
        StartExecutor(channel, worker);
        changed(new WorkerChange(worker.Worker, WorkerChangeKind.Joined, null));
    }

    private void StartExecutor(IControlChannel channel, WorkerEntry worker)
    {
        // The numbers name map output servers too, so none is ever used twice.
        var executor = new ExecutorId(++_nextExecutor);
        _executors[executor] = worker;
        worker.Executor = executor;
        channel.Send(new LaunchExecutor(
            application.Name, executor, application.Driver().ToString(), worker.Offer.Cores,
            Math.Min(application.ExecutorMemoryBytes ?? long.MaxValue, worker.Offer.MemoryBytes), worker.Offer.Resources,
            channel.Seal(application.Secret.Export()), application.Files, [application.Driver().ToString()], new Dictionary<string, string>()));
    }

    private void OnExited(IControlChannel channel, WorkerEntry worker, ExecutorExited exited)
    {
        _executors.Remove(exited.Executor);
        if (worker.Executor != exited.Executor) return;
        changed(new WorkerChange(worker.Worker, WorkerChangeKind.ExecutorEnded, exited.Reason));
        if (++worker.StartsInVain < MostStartsInVain)
            StartExecutor(channel, worker);
        else
            changed(new WorkerChange(worker.Worker, WorkerChangeKind.GivenUp, $"its executor ended {MostStartsInVain} times without having worked, last: {exited.Reason}"));
    }

    private void Remove(IControlChannel channel, string reason)
    {
        if (!_workers.Remove(channel, out var worker)) return;
        if (worker.Executor is { } executor) _executors.Remove(executor);
        changed(new WorkerChange(worker.Worker, WorkerChangeKind.Left, reason));
    }

    private sealed record Heard(IControlChannel Channel, ControlMessage Message);

    private sealed record Closed(IControlChannel Channel, string Reason);

    private sealed record ExecutorSeen(ExecutorId Executor, bool IsHere);

    private sealed class WorkerEntry(WorkerInfo worker, RegisterWorker offer)
    {
        public WorkerInfo Worker => worker;

        public RegisterWorker Offer => offer;

        public ExecutorId? Executor { get; set; }

        public int StartsInVain { get; set; }
    }

    private sealed class WorkerLink(CoordinatorHost coordinator, IControlChannel channel) : IControlHandler
    {
        public void Received(IReadOnlyList<ControlMessage> messages)
        {
            foreach (var message in messages) coordinator.Self.Tell(new Heard(channel, message));
        }

        public void Ended(LinkEnd end) => coordinator.Self.Tell(new Closed(channel, end.Reason));
    }
}
