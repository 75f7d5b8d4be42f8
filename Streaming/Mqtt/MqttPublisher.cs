namespace Dataflow.Streaming.Mqtt;

/// <summary>Sends messages, so many under way at once, and again after a connection was lost, until the broker has acknowledged each of them.</summary>
internal sealed class MqttPublisher : IMqttReceiver
{
    private readonly MqttOptions _options;
    private readonly IReadOnlyList<Publish> _messages;
    private readonly Lock _lock = new();
    private readonly Dictionary<ushort, int> _underWay = [];
    private readonly Stack<ushort> _freeIds = new();
    private readonly Queue<int> _again = new();
    private TaskCompletionSource _moved = NewSource();
    private Exception? _rejected;
    private int _next;
    private int _acknowledged;

    private MqttPublisher(MqttOptions options, IReadOnlyList<Publish> messages) => (_options, _messages) = (options, messages);

    /// <summary>Sends messages of one quality. Those of quality 0 have been read by the broker at the end, if the connection held.</summary>
    /// <exception cref="StreamingException">The broker refuses one, or can't be reached for longer than is borne.</exception>
    public static async Task SendAsync(MqttOptions options, IReadOnlyList<Publish> messages, CancellationToken cancellation)
    {
        var publisher = new MqttPublisher(options, messages);
        var backoff = new MqttBackoff(options);
        var clientId = options.ClientId ?? $"dataflow-{Guid.NewGuid():n}"[..23];
        while (true)
        {
            var before = publisher._acknowledged + publisher._next;
            try
            {
                await using var connection = await MqttConnection.OpenAsync(options, clientId, isClean: true, publisher, cancellation).ConfigureAwait(false);
                await publisher.SendAsync(connection, cancellation).ConfigureAwait(false);
                return;
            }
            catch (MqttConnectionException error)
            {
                if (publisher._acknowledged + publisher._next > before) backoff.Succeeded();
                publisher.Rewind();
                await backoff.WaitAsync(error, cancellation).ConfigureAwait(false);
            }
        }
    }

    ValueTask IMqttReceiver.OnMessageAsync(MqttConnection connection, Publish message) => throw MqttErrors.Unexpected($"a message of '{message.Topic}', which was not subscribed to");

    void IMqttReceiver.OnAcknowledged(PubAck answer)
    {
        TaskCompletionSource moved;
        lock (_lock)
        {
            if (!_underWay.Remove(answer.Id, out var index)) throw MqttErrors.Unexpected($"an acknowledgement of message {answer.Id}, which is not under way");
            _freeIds.Push(answer.Id);
            if (answer.Code < 0x80)
            {
                _acknowledged++;
            }
            else
            {
                _rejected ??= MqttErrors.Rejected(_options, $"a message to '{_messages[index].Topic}'", answer.Code, answer.Reason);
                _again.Enqueue(index);
            }
            (moved, _moved) = (_moved, NewSource());
        }
        moved.TrySetResult();
    }

    private async Task SendAsync(MqttConnection connection, CancellationToken cancellation)
    {
        Check(connection.Properties);
        var window = Math.Min(_options.InFlight, connection.Properties.ReceiveMaximum ?? ushort.MaxValue);
        _freeIds.Clear();
        for (var id = window; id > 0; id--) _freeIds.Push((ushort)id);
        while (true)
        {
            var (index, id, moved) = Take(window);
            if (index is { } at)
            {
                await connection.PublishAsync(_messages[at] with { Id = id }, cancellation).ConfigureAwait(false);
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

    // The next message to send; or what to wait for before there is one; or, at the end, neither.
    private (int? Index, ushort Id, Task? Moved) Take(int window)
    {
        lock (_lock)
        {
            if (_rejected is { } error)
            {
                _rejected = null;
                throw error;
            }
            var isLeft = _again.Count > 0 || _next < _messages.Count;
            if (isLeft && _underWay.Count < window)
            {
                var index = _again.TryDequeue(out var again) ? again : _next++;
                if (_messages[index].Quality == 0) return (index, 0, null);
                var id = _freeIds.Pop();
                _underWay.Add(id, index);
                return (index, id, null);
            }
            return isLeft || _underWay.Count > 0 ? (null, 0, _moved.Task) : (null, 0, null);
        }
    }

    // What was under way may have arrived or not: it is sent again, in its order.
    private void Rewind()
    {
        lock (_lock)
        {
            int[] all = [.. _underWay.Values.Concat(_again).Order()];
            _underWay.Clear();
            _again.Clear();
            foreach (var index in all) _again.Enqueue(index);
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

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
