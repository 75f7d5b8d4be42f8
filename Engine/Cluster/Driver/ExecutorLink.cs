using Dataflow.Scheduling;
using Dataflow.Storage;

namespace Dataflow.Cluster;

/// <summary>The driver's end of the link to one executor: what the executor says becomes an event of the scheduler or is answered.</summary>
/// <remarks>Called by the link's own thread, except where it is said.</remarks>
internal sealed class ExecutorLink(ClusterBackend backend, IControlChannel channel, IReadOnlyDictionary<string, string> settings) : IControlHandler
{
    // Code that is larger is fetched, beside the link instead of through it.
    private const int LargestInline = 256 << 10;

    private readonly HashSet<long> _offered = [];
    private RegisterExecutor? _registered;
    private volatile ExecutorMetrics? _metrics;

    public IControlChannel Channel => channel;

    public ExecutorId Executor => _registered!.Executor;

    public WorkerId Worker => _registered!.Worker;

    public string DataUrl => _registered!.DataUrl;

    /// <summary>Whether its map outputs end with it.</summary>
    public bool ServesItself => _registered!.WorkerUrl == _registered.DataUrl;

    public int Slots => _registered!.Slots;

    /// <summary>How it was when it last said so; null before.</summary>
    public ExecutorMetrics? Metrics => _metrics;

    public string Host => _registered!.Host;

    /// <summary>Why the program gives it back; null if it does not. Of the scheduler's mailbox.</summary>
    public string? GivenBackFor { get; set; }

    /// <summary>Makes sure that the executor can have the code of a stage. Called by the scheduler's mailbox.</summary>
    public void Offer(EncodedBinary code)
    {
        if (!_offered.Add(code.Id)) return;
        channel.Send(new StageBinaryAvailable(code.Id, code.Hash, code.Bytes.Length, code.Bytes.Length <= LargestInline ? code.Bytes : null));
    }

    public void Received(IReadOnlyList<ControlMessage> messages)
    {
        foreach (var message in messages) Handle(message);
    }

    public void Ended(LinkEnd end)
    {
        if (_registered is null) return;
        backend.Lose(this, end.Kind == LinkEndKind.ClosedThere ? $"it ended: {end.Reason}" : $"its link was lost: {end.Reason}");
    }

    private void Handle(ControlMessage message)
    {
        if (_registered is null && message is not RegisterExecutor)
        {
            _ = channel.CloseAsync($"{message.GetType().Name} before registration");
            return;
        }
        switch (message)
        {
            case RegisterExecutor register: Register(register); break;
            case TasksFinished finished:
                foreach (var task in finished.Tasks) backend.Finish(this, task);
                break;
            case AskCommit ask:
                backend.Report(
                    new CommitAsked(ask.Task, ask.Stage, ask.StageAttempt, ask.Partition, granted => channel.Send(new CommitAnswer(ask.Task, granted))));
                break;
            case AskMeeting ask:
                backend.Report(
                    new BarrierArrived(
                        ask.Task, ask.Stage, ask.StageAttempt, ask.Partition, ask.Meeting, ask.Kind, ask.Message, ask.Timeout,
                        answer => channel.Send(new MeetingAnswer(ask.Task, ask.Meeting, answer.Messages, answer.Failure))));
                break;
            case MapOutputsAsked asked: channel.Send(backend.LocationsOf(asked.Shuffle)); break;
            case WantPiece want:
                // Encoding a value would hold up the link.
                _ = Task.Run(() => backend.Broadcasts.Want(Executor, want.Broadcast));
                break;
            case GotPiece got: backend.Broadcasts.Got(Executor, got); break;
            case TookOver took: backend.Report(new TakenOver(Executor, took.Transfer, took.Outputs)); break;
            case BlocksUpdated updated:
                foreach (var update in updated.Updates) backend.Report(new BlockUpdated(Executor, update));
                break;
            case StateUpdated updated: backend.Report(new StateMoved(Executor, updated.Update)); break;
            case Heartbeat beat: _metrics = beat.Metrics; break;
            default: _ = channel.CloseAsync($"{message.GetType().Name} is nothing that an executor says"); break;
        }
    }

    private void Register(RegisterExecutor register)
    {
        // Before others can find the link.
        var isFirst = Interlocked.CompareExchange(ref _registered, register, null) is null;
        if ((isFirst ? backend.Add(this, register) : "it is registered already") is { } refusal)
        {
            if (isFirst) _registered = null;
            channel.Send(new Refused(refusal));
            _ = channel.CloseAsync("refused");
            return;
        }
        channel.Send(new Registered(register.Epoch, TimeSpan.FromSeconds(2), settings));
        backend.Added(register);
    }
}
