namespace Dataflow.Streaming.Mqtt;

/// <summary>Sends messages, so many under way at once, and again after a connection was lost, until the broker has acknowledged each of them.</summary>
/// <remarks>Those of quality 2 are in a session of their own at the broker: where that is still there after a lost connection, each goes on with the step that it was at, and none comes twice.</remarks>
internal sealed class MqttPublisher : IMqttReceiver
{
    private readonly MqttOptions _options;
    private readonly IReadOnlyList<Publish> _messages;
    private readonly Lock _lock = new();
    private readonly Dictionary<ushort, int> _underWay = [];
    private readonly HashSet<ushort> _received = [];
    private readonly Stack<ushort> _freeIds = new();
    private readonly Queue<int> _again = new();
    private readonly Queue<Sending> _resumed = new();
    private TaskCompletionSource _moved = NewSource();
    private Exception? _rejected;
    private int _next;
    private int _steps;

    private MqttPublisher(MqttOptions options, IReadOnlyList<Publish> messages) => (_options, _messages) = (options, messages);

    /// <summary>Sends messages of one quality. Those of quality 0 have been read by the broker at the end, if the connection held.</summary>
    /// <exception cref="StreamingException">The broker refuses one, or can't be reached for longer than is borne.</exception>
    public static async Task SendAsync(MqttOptions options, IReadOnlyList<Publish> messages, CancellationToken cancellation)
    {
        var keepsSession = messages.Any(message => message.Quality == 2);
        if (keepsSession) options = options with { SessionExpiry = options.Patience };
        var publisher = new MqttPublisher(options, messages);
        var backoff = new MqttBackoff(options);
        var clientId = options.ClientId ?? $"dataflow-{Guid.NewGuid():n}"[..23];

        // What another program left under this name must not be taken for what this one sends.
        var isClean = !keepsSession || options.ClientId is not null;
        while (true)
        {
            var before = publisher._steps;
            try
            {
                await using var connection = await MqttConnection.OpenAsync(options, clientId, isClean, publisher, cancellation).ConfigureAwait(false);
                if (isClean && keepsSession)
                {
                    isClean = false;
                    continue;
                }
                await publisher.SendAsync(connection, cancellation).ConfigureAwait(false);
                break;
            }
            catch (MqttConnectionException error)
            {
                if (publisher._steps > before) backoff.Succeeded();
                await backoff.WaitAsync(error, cancellation).ConfigureAwait(false);
            }
        }
        if (keepsSession) await ForgetAsync(options, clientId, publisher, cancellation).ConfigureAwait(false);
    }

    ValueTask IMqttReceiver.OnMessageAsync(MqttConnection connection, Publish message) => throw MqttErrors.Unexpected($"a message of '{message.Topic}', which was not subscribed to");

    void IMqttReceiver.OnStep(Acknowledgement answer)
    {
        TaskCompletionSource moved;
        lock (_lock)
        {
            Take(answer);
            (moved, _moved) = (_moved, NewSource());
        }
        moved.TrySetResult();
    }

    private void Take(Acknowledgement answer)
    {
        if (!_underWay.TryGetValue(answer.Id, out var index)) throw MqttErrors.Unexpected($"an acknowledgement of message {answer.Id}, which is not under way");
        var message = _messages[index];
        var isReceived = _received.Contains(answer.Id);
        if (answer.Step == MqttStep.Rec && isReceived) return;
        if (answer.Step != (message.Quality == 1 ? MqttStep.Ack : isReceived ? MqttStep.Comp : MqttStep.Rec))
            throw MqttErrors.Unexpected($"an acknowledgement of message {answer.Id} that is not its next one");
        _steps++;
        if (answer.Step == MqttStep.Rec && answer.Code < 0x80)
        {
            _received.Add(answer.Id);
            _resumed.Enqueue(new Sending(MqttStep.Rel, answer.Id));
            return;
        }
        _underWay.Remove(answer.Id);
        _received.Remove(answer.Id);
        _freeIds.Push(answer.Id);
        if (answer.Code < 0x80 || isReceived) return;
        _rejected ??= MqttErrors.Rejected(_options, $"a message to '{message.Topic}'", answer.Code, answer.Reason);
        _again.Enqueue(index);
    }

    private async Task SendAsync(MqttConnection connection, CancellationToken cancellation)
    {
        Check(connection.Properties);
        var window = Math.Min(_options.InFlight, connection.Properties.ReceiveMaximum ?? ushort.MaxValue);
        Resume(connection.IsSessionPresent, window);
        var steps = new (MqttStep, ushort)[1];
        while (true)
        {
            var (next, moved) = Next(window);
            switch (next)
            {
                case { Message: { } message }:
                    await connection.PublishAsync(message, cancellation).ConfigureAwait(false);
                    continue;
                case { Step: { } step, Id: var id }:
                    steps[0] = (step, id);
                    await connection.AcknowledgeAsync(steps, cancellation).ConfigureAwait(false);
                    continue;
            }
            if (moved is null) return;
            using var patience = new CancellationTokenSource(_options.Timeout, _options.Time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
            try
            {
                await (await Task.WhenAny(moved, connection.Completion).WaitAsync(both.Token).ConfigureAwait(false)).ConfigureAwait(false);
            }
            catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
            {
                throw new MqttConnectionException($"{_options} acknowledged nothing for {_options.Timeout.TotalSeconds:0.###} s.", error);
            }
        }
    }

    // What to send next; or what to wait for before there is something; or, at the end, neither.
    private (Sending? Next, Task? Moved) Next(int window)
    {
        lock (_lock)
        {
            if (_rejected is { } error)
            {
                _rejected = null;
                throw error;
            }
            if (_resumed.TryDequeue(out var resumed)) return (resumed, null);
            var isLeft = _again.Count > 0 || _next < _messages.Count;
            if (isLeft && _underWay.Count < window)
            {
                _steps++;
                var index = _again.TryDequeue(out var again) ? again : _next++;
                if (_messages[index].Quality == 0) return (new Sending(null, 0, _messages[index]), null);
                var id = _freeIds.Pop();
                _underWay.Add(id, index);
                return (new Sending(null, id, _messages[index] with { Id = id }), null);
            }
            return (null, isLeft || _underWay.Count > 0 ? _moved.Task : null);
        }
    }

    // What was under way may have arrived or not: a broker that knows the session is asked about each number again, in order; another one gets the messages again.
    private void Resume(bool isSessionPresent, int window)
    {
        lock (_lock)
        {
            _resumed.Clear();
            if (isSessionPresent)
            {
                foreach (var (id, index) in _underWay.OrderBy(each => each.Value))
                    _resumed.Enqueue(_received.Contains(id) ? new Sending(MqttStep.Rel, id) : new Sending(null, id, _messages[index] with { Id = id, IsDuplicate = true }));
            }
            else
            {
                int[] all = [.. _underWay.Values.Concat(_again).Order()];
                _underWay.Clear();
                _received.Clear();
                _again.Clear();
                foreach (var index in all) _again.Enqueue(index);
            }
            _freeIds.Clear();
            for (var id = window; id > 0; id--)
            {
                if (!_underWay.ContainsKey((ushort)id)) _freeIds.Push((ushort)id);
            }
        }
    }

    // The broker need not keep the session. One that can't be reached keeps it until it expires.
    private static async Task ForgetAsync(MqttOptions options, string clientId, MqttPublisher publisher, CancellationToken cancellation)
    {
        try
        {
            await using var connection = await MqttConnection.OpenAsync(options, clientId, isClean: true, publisher, cancellation).ConfigureAwait(false);
        }
        catch (MqttConnectionException)
        {
            // All was sent.
        }
    }

    private void Check(MqttProperties broker)
    {
        foreach (var message in _messages)
        {
            if (message.Quality > (broker.MaximumQuality ?? 2)) throw new StreamingException("MQTT_QUALITY", $"{_options} takes messages of quality {broker.MaximumQuality} at most. Set MqttSink.Quality to that.");
            if (message.IsRetained && broker.RetainAvailable == false) throw new StreamingException("MQTT_RETAIN", $"{_options} keeps no messages. Leave MqttSink.IsRetained out.");
            if (broker.MaximumPacketBytes is { } most && MqttPacketWriter.LengthOf(_options.Version, message) + 5 > most)
                throw new StreamingException(
                    "MQTT_PACKET_TOO_LARGE", $"A message to '{message.Topic}' has {message.Payload.Length:N0} bytes, and {_options} takes packets of {most:N0}.");
        }
    }

    // A message, or a step behind one.
    private sealed record Sending(MqttStep? Step, ushort Id, Publish? Message = null);

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
