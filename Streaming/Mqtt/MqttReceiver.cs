using System.Threading.Channels;
using Dataflow.Streaming.Execution;
using Dataflow.Streaming.Receivers;

namespace Dataflow.Streaming.Mqtt;

/// <summary>What a query remembers of its session at the broker.</summary>
/// <param name="ClientId">Who it is there.</param>
/// <param name="Topics">What was subscribed to; empty if nothing is sure.</param>
/// <param name="Quality">The quality of the subscriptions.</param>
/// <param name="Asked">Subscriptions that were to be made or ended: the broker may have done it or not. Entries of older versions lack it.</param>
internal sealed record MqttSession(string ClientId, string[] Topics, int Quality, string[]? Asked = null);

/// <summary>
/// Takes messages from a broker into a query's log, and acknowledges them when they are kept there. Connects again when a connection is lost. One of quality 2 is taken once, until the broker
/// has released its number.
/// </summary>
internal sealed class MqttReceiver : Receiver, IMqttReceiver
{
    private const int MostAcknowledged = 1000;

    private readonly MqttSource _source;
    private readonly MqttOptions _options;
    private readonly DurableLog _sessions;
    private readonly MqttRedeliveries _redeliveries;
    private readonly MqttBackoff _backoff;
    private readonly string _releasesPath;
    private readonly Lock _lock = new();
    private MqttReleases _releases = null!;
    private ReceivedLog? _log;
    private long _next;
    private Channel<Step> _steps = NewChannel();

    /// <param name="source">What is wanted.</param>
    /// <param name="sessions">Who the query is at the broker.</param>
    /// <param name="releases">Path of the file of released numbers.</param>
    public MqttReceiver(MqttSource source, DurableLog sessions, string releases)
    {
        (_source, _options, _sessions, _releasesPath) = (source, source.Options, sessions, releases);
        _redeliveries = new MqttRedeliveries(_options.Version, _options.InFlight);
        _backoff = new MqttBackoff(_options);
    }

    public override void Recall(ReceivedRecords last)
    {
        _releases = new MqttReleases(_releasesPath, _source.Receiver?.FlushToDisk ?? true);
        while (last.TryRead(out var record))
        {
            var message = MqttFormat.Decode(record.Bytes.Span);
            if (message.Quality == 2) _releases.Recall(message.Id, record.Number);
            else _redeliveries.Recall(message);
        }
    }

    public override long Needed
    {
        get
        {
            lock (_lock) return _releases.Oldest;
        }
    }

    public override string? Problem => _backoff.Problem;

    public override void Release() => _releases.Dispose();

    public override async Task RunAsync(ReceivedLog log, CancellationToken stop)
    {
        (_log, _next) = (log, log.End);
        var session = FindSession();
        while (true)
        {
            var acknowledging = Task.CompletedTask;
            try
            {
                _steps = NewChannel();
                await using var connection = await MqttConnection.OpenAsync(_options, session.ClientId, isClean: false, this, stop).ConfigureAwait(false);
                acknowledging = AcknowledgeAsync(connection, _steps.Reader);
                try
                {
                    session = await JoinAsync(connection, session, stop).ConfigureAwait(false);
                    _backoff.Succeeded();
                    await connection.Completion.WaitAsync(stop).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (stop.IsCancellationRequested)
                {
                    // What was taken is acknowledged before the goodbye, so that it need not come again.
                    await log.FlushAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    _steps.Writer.TryComplete();
                    await acknowledging.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    throw;
                }
                finally
                {
                    _steps.Writer.TryComplete();
                }
            }
            catch (MqttConnectionException error)
            {
                await _backoff.WaitAsync(error, stop).ConfigureAwait(false);
            }
            finally
            {
                // What a connection releases late would release numbers that the next one uses again.
                await acknowledging.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    async ValueTask IMqttReceiver.OnMessageAsync(MqttConnection connection, Publish message)
    {
        bool isKnown;
        lock (_lock) isKnown = message.Quality == 2 ? _releases.IsHeld(message.Id) : _redeliveries.IsKnown(message);
        var kept = isKnown ? _log!.FlushAsync() : await KeepAsync(message, connection.Ended).ConfigureAwait(false);
        if (message.Quality > 0) _steps.Writer.TryWrite(new Step(message.Quality == 2 ? MqttStep.Rec : MqttStep.Ack, message.Id, kept));
    }

    void IMqttReceiver.OnStep(Acknowledgement answer)
    {
        if (answer.Step != MqttStep.Rel) throw MqttErrors.Unexpected($"an acknowledgement of message {answer.Id}, which was not sent");
        _steps.Writer.TryWrite(new Step(MqttStep.Comp, answer.Id, Task.CompletedTask));
    }

    // It is held before it is in the log, which from then on may be read and dropped.
    private async ValueTask<Task> KeepAsync(Publish message, CancellationToken cancellation)
    {
        if (message.Quality == 2)
        {
            lock (_lock) _releases.Hold(message.Id, _next);
        }
        Task kept;
        try
        {
            kept = await _log!.AppendAsync(MqttFormat.Encode(message), cancellation).ConfigureAwait(false);
        }
        catch when (message.Quality == 2)
        {
            lock (_lock) _releases.Forget(message.Id);
            throw;
        }
        _next++;
        if (message.Quality < 2)
        {
            lock (_lock) _redeliveries.Note(message);
        }
        return kept;
    }

    // In the order in which they came, each when what it says is on the disk.
    private async Task AcknowledgeAsync(MqttConnection connection, ChannelReader<Step> steps)
    {
        var answers = new (MqttStep Step, ushort Id)[MostAcknowledged];
        try
        {
            while (await steps.WaitToReadAsync(connection.Ended).ConfigureAwait(false))
            {
                var count = 0;
                while (count < answers.Length && steps.TryPeek(out var next) && (count == 0 || next.Kept.IsCompleted))
                {
                    await next.Kept.ConfigureAwait(false);
                    answers[count++] = (next.Kind, next.Id);
                    steps.TryRead(out _);
                }
                Prepare(answers.AsSpan(0, count));
                await connection.AcknowledgeAsync(answers.AsMemory(0, count), connection.Ended).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or StreamingException)
        {
            // The connection has ended, or the log can't be written, which the query learns from the log. What is not acknowledged comes again.
        }
    }

    private void Prepare(ReadOnlySpan<(MqttStep Step, ushort Id)> answers)
    {
        var released = new List<ushort>();
        lock (_lock)
        {
            foreach (var (step, id) in answers)
            {
                if (step == MqttStep.Ack) _redeliveries.Acknowledge(id);
                if (step == MqttStep.Comp) released.Add(id);
            }
            if (released.Count > 0) WriteReleases(() => _releases.Release(released));
        }
    }

    private void WriteReleases(Action write)
    {
        try
        {
            write();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            var failure = new StreamingException("STREAM_LOG_NOT_WRITTEN", $"{_releases} can't be written: {error.Message} See to the disk of the checkpoint, then start the query again.", error);
            _log!.Fail(failure);
            throw failure;
        }
    }

    private async Task<MqttSession> JoinAsync(MqttConnection connection, MqttSession session, CancellationToken stop)
    {
        var wanted = _source.Topics;
        if (!connection.IsSessionPresent)
        {
            lock (_lock)
            {
                _redeliveries.Clear();
                WriteReleases(() => _releases.ReleaseAll(_next));
            }
            if (session.Topics.Length > 0)
            {
                session = Remember(session with { Topics = [], Asked = null });
                if (_source.FailsOnLostSession)
                {
                    throw new StreamingException(
                        "MQTT_SESSION_LOST", $"{_options} knows nothing more of the client '{session.ClientId}': what came for {string.Join(", ", wanted)} while the query was away may be lost. "
                        + $"The broker was started without what it kept, or the query was away for longer than the session lasts (MqttOptions.SessionExpiry, or the broker's own limit). "
                        + "Start the query again to go on from now, or set MqttSource.FailsOnLostSession to false.");
                }
            }
        }

        // A subscription that is made again has all retained messages come again.
        var asked = session.Asked ?? [];
        string[] gone = [.. session.Topics.Union(asked).Except(wanted)];
        string[] added = session.Quality == _source.Quality ? [.. wanted.Except(session.Topics.Except(asked))] : [.. wanted];
        if (added.Length == 0 && gone.Length == 0) return session;

        // Told before it is done: who is killed meanwhile would leave subscriptions that nobody knows of.
        session = Remember(session with { Asked = [.. gone, .. added] });
        if (gone.Length > 0) await connection.UnsubscribeAsync(gone, stop).ConfigureAwait(false);
        if (added.Length > 0) await connection.SubscribeAsync(added, _source.Quality, stop).ConfigureAwait(false);
        return Remember(session with { Topics = [.. wanted], Quality = _source.Quality, Asked = null });
    }

    private MqttSession FindSession()
    {
        var there = _sessions.Numbers() is { Length: > 0 } numbers ? _sessions.Read<MqttSession>(numbers[^1]) : null;
        if (there is not null && (_options.ClientId is null || _options.ClientId == there.ClientId)) return there;
        return Remember(new MqttSession(_options.ClientId ?? $"dataflow-{Guid.NewGuid():n}"[..23], [], _source.Quality));
    }

    private MqttSession Remember(MqttSession session)
    {
        var next = _sessions.Numbers() is { Length: > 0 } numbers ? numbers[^1] + 1 : 0;
        _sessions.Write(next, session);
        _sessions.DropBelow(next);
        return session;
    }

    private static Channel<Step> NewChannel() => Channel.CreateUnbounded<Step>(new() { SingleReader = true, SingleWriter = true });

    // What is to be said to the broker when something is kept.
    private readonly record struct Step(MqttStep Kind, ushort Id, Task Kept);
}
