using System.Threading.Channels;
using Dataflow.Streaming.Execution;
using Dataflow.Streaming.Receivers;

namespace Dataflow.Streaming.Mqtt;

/// <summary>What a query remembers of its session at the broker.</summary>
/// <param name="ClientId">Who it is there.</param>
/// <param name="Topics">What was subscribed to; empty if nothing is sure.</param>
/// <param name="Quality">The quality of the subscriptions.</param>
internal sealed record MqttSession(string ClientId, string[] Topics, int Quality);

/// <summary>Takes messages from a broker into a query's log, and acknowledges them when they are kept there. Connects again when a connection is lost.</summary>
internal sealed class MqttReceiver : Receiver, IMqttReceiver
{
    private const int MostAcknowledged = 1000;

    private readonly MqttSource _source;
    private readonly MqttOptions _options;
    private readonly DurableLog _sessions;
    private readonly MqttRedeliveries _redeliveries;
    private readonly Lock _lock = new();
    private ReceivedLog? _log;
    private Channel<(Task Kept, ushort Id)> _taken = NewChannel();

    public MqttReceiver(MqttSource source, DurableLog sessions)
    {
        (_source, _options, _sessions) = (source, source.Options, sessions);
        _redeliveries = new MqttRedeliveries(_options.Version, _options.InFlight);
    }

    public override void Recall(ReceivedRecords last)
    {
        while (last.TryRead(out var record)) _redeliveries.Recall(MqttFormat.Decode(record.Bytes.Span));
    }

    public override async Task RunAsync(ReceivedLog log, CancellationToken stop)
    {
        _log = log;
        var session = FindSession();
        var backoff = new MqttBackoff(_options);
        while (true)
        {
            try
            {
                _taken = NewChannel();
                await using var connection = await MqttConnection.OpenAsync(_options, session.ClientId, isClean: false, this, stop).ConfigureAwait(false);
                var acknowledging = AcknowledgeAsync(connection, _taken.Reader);
                try
                {
                    session = await JoinAsync(connection, session, stop).ConfigureAwait(false);
                    backoff.Succeeded();
                    await connection.Completion.WaitAsync(stop).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (stop.IsCancellationRequested)
                {
                    // What was taken is acknowledged before the goodbye, so that it need not come again.
                    await log.FlushAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    _taken.Writer.TryComplete();
                    await acknowledging.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    throw;
                }
                finally
                {
                    _taken.Writer.TryComplete();
                }
            }
            catch (MqttConnectionException error)
            {
                await backoff.WaitAsync(error, stop).ConfigureAwait(false);
            }
        }
    }

    async ValueTask IMqttReceiver.OnMessageAsync(MqttConnection connection, Publish message)
    {
        bool isKnown;
        lock (_lock) isKnown = _redeliveries.IsKnown(message);
        var kept = isKnown ? _log!.FlushAsync() : await _log!.AppendAsync(MqttFormat.Encode(message), connection.Ended).ConfigureAwait(false);
        if (message.Quality == 0) return;
        if (!isKnown)
        {
            lock (_lock) _redeliveries.Note(message);
        }
        _taken.Writer.TryWrite((kept, message.Id));
    }

    void IMqttReceiver.OnAcknowledged(PubAck answer) => throw MqttErrors.Unexpected($"an acknowledgement of message {answer.Id}, which was not sent");

    // In the order in which they came, each when it is kept.
    private async Task AcknowledgeAsync(MqttConnection connection, ChannelReader<(Task Kept, ushort Id)> taken)
    {
        var ids = new ushort[MostAcknowledged];
        try
        {
            while (await taken.WaitToReadAsync(connection.Ended).ConfigureAwait(false))
            {
                var count = 0;
                while (count < ids.Length && taken.TryPeek(out var next) && (count == 0 || next.Kept.IsCompleted))
                {
                    await next.Kept.ConfigureAwait(false);
                    ids[count++] = next.Id;
                    taken.TryRead(out _);
                }
                lock (_lock)
                {
                    foreach (var id in ids.AsSpan(0, count)) _redeliveries.Acknowledge(id);
                }
                await connection.AcknowledgeAsync(ids.AsMemory(0, count), connection.Ended).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or StreamingException)
        {
            // The connection has ended, or the log can't be written, which the query learns from the log. What is not acknowledged comes again.
        }
    }

    private async Task<MqttSession> JoinAsync(MqttConnection connection, MqttSession session, CancellationToken stop)
    {
        var wanted = _source.Topics;
        if (!connection.IsSessionPresent)
        {
            lock (_lock) _redeliveries.Clear();
            if (session.Topics.Length > 0)
            {
                session = Remember(session with { Topics = [] });
                if (_source.FailsOnLostSession)
                {
                    throw new StreamingException(
                        "MQTT_SESSION_LOST", $"{_options} knows nothing more of the client '{session.ClientId}': what came for {string.Join(", ", wanted)} while the query was away may be lost. "
                        + $"The broker was started without what it kept, or the query was away for longer than the session lasts (MqttOptions.SessionExpiry, or the broker's own limit). "
                        + "Start the query again to go on from now, or set MqttSource.FailsOnLostSession to false.");
                }
            }
        }
        string[] gone = [.. session.Topics.Except(wanted)];
        if (gone.Length > 0) await connection.UnsubscribeAsync(gone, stop).ConfigureAwait(false);

        // A subscription that is made again has all retained messages come again.
        string[] added = session.Quality == _source.Quality ? [.. wanted.Except(session.Topics)] : [.. wanted];
        if (added.Length == 0 && gone.Length == 0) return session;
        if (added.Length > 0) await connection.SubscribeAsync(added, _source.Quality, stop).ConfigureAwait(false);
        return Remember(session with { Topics = [.. wanted], Quality = _source.Quality });
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

    private static Channel<(Task Kept, ushort Id)> NewChannel() => Channel.CreateUnbounded<(Task Kept, ushort Id)>(new() { SingleReader = true, SingleWriter = true });
}
