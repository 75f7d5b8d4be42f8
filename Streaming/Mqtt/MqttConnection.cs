using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;

namespace Dataflow.Streaming.Mqtt;

/// <summary>What a connection tells whoever opened it, on the thread that reads: while they work, nothing more is read.</summary>
internal interface IMqttReceiver
{
    /// <summary>A message has come.</summary>
    ValueTask OnMessageAsync(MqttConnection connection, Publish message);

    /// <summary>The broker says a step behind a message, of either side.</summary>
    void OnStep(Acknowledgement answer);
}

/// <summary>
/// One connection to a broker, from its opening to its end, which <see cref="Completion"/> tells. Packets are written in the order of the calls, by any threads; what comes is
/// read by one loop. It is never mended: whoever opened it opens another.
/// </summary>
internal sealed class MqttConnection : IAsyncDisposable
{
    private readonly MqttOptions _options;
    private readonly IMqttReceiver _receiver;
    private readonly Stream _stream;
    private readonly PipeReader _input;
    private readonly Pipe _output = new(new System.IO.Pipelines.PipeOptions(pauseWriterThreshold: 1 << 20, resumeWriterThreshold: 1 << 19, useSynchronizationContext: false));
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource<ConnAck> _accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource<SubAck>? _subscribing;
    private Task _running = Task.CompletedTask;
    private long _lastReceived;
    private long _lastSent;
    private bool _isAtWork;

    private MqttConnection(MqttOptions options, IMqttReceiver receiver, Stream stream)
    {
        (_options, _receiver, _stream) = (options, receiver, stream);
        _input = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 1 << 16, minimumReadSize: 1 << 12));
        _lastReceived = _lastSent = options.Time.GetTimestamp();
    }

    /// <summary>Whether the broker knows the client from before, with its subscriptions and what has come since.</summary>
    public bool IsSessionPresent { get; private set; }

    /// <summary>What the broker said of itself.</summary>
    public MqttProperties Properties { get; private set; } = MqttProperties.None;

    /// <summary>Cancelled with the connection's end.</summary>
    public CancellationToken Ended => _ending.Token;

    /// <summary>Ends with the connection: with what ended it, or without an error if it was disposed.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Opens a connection.</summary>
    /// <param name="options">The broker.</param>
    /// <param name="clientId">Who this is.</param>
    /// <param name="isClean">Whether to begin without what the broker remembers of the client, and to leave nothing behind.</param>
    /// <param name="receiver">Told of what comes.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <exception cref="MqttConnectionException">It can't be reached, or refuses for now.</exception>
    /// <exception cref="StreamingException">It refuses; says why.</exception>
    public static async Task<MqttConnection> OpenAsync(MqttOptions options, string clientId, bool isClean, IMqttReceiver receiver, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(options.Timeout, options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        MqttConnection? connection = null;
        try
        {
            connection = new MqttConnection(options, receiver, await DialAsync(options, both.Token).ConfigureAwait(false));
            connection._running = connection.RunAsync();
            await connection.WriteAsync(output => MqttPacketWriter.Connect(output, options, clientId, isClean), both.Token).ConfigureAwait(false);
            var answer = await connection.AnswerAsync(connection._accepted.Task, both.Token).ConfigureAwait(false);
            if (answer.Code != 0) throw MqttErrors.Refused(options, answer.Code, answer.Properties.Reason);
            (connection.IsSessionPresent, connection.Properties) = (answer.SessionPresent, answer.Properties);
            return connection;
        }
        catch (Exception error)
        {
            if (connection is not null) await connection.AbortAsync().ConfigureAwait(false);
            if (error is OperationCanceledException && !cancellation.IsCancellationRequested)
                throw new MqttConnectionException($"{options} did not accept a connection within {options.Timeout.TotalSeconds:0.###} s.", error);
            if (error is SocketException or IOException and not MqttConnectionException)
                throw new MqttConnectionException($"{options} can't be reached: {error.Message}", error);
            throw;
        }
    }

    /// <summary>Asks for messages of topics, and waits until the broker agrees.</summary>
    /// <exception cref="StreamingException">The broker rejects one; says which and why.</exception>
    public async Task SubscribeAsync(IReadOnlyList<string> filters, int quality, CancellationToken cancellation)
    {
        var answer = await AskAsync(output => MqttPacketWriter.Subscribe(output, _options.Version, 1, filters, quality), "a subscription", cancellation).ConfigureAwait(false);
        if (answer.Codes.Length != filters.Count) throw MqttErrors.Malformed($"{answer.Codes.Length} answers to {filters.Count} subscriptions");
        for (var i = 0; i < filters.Count; i++)
        {
            if (answer.Codes[i] >= 0x80) throw MqttErrors.Rejected(_options, $"the subscription '{filters[i]}'", answer.Codes[i], answer.Reason);
            if (answer.Codes[i] < quality)
                throw new StreamingException("MQTT_QUALITY", $"{_options} gives '{filters[i]}' in quality {answer.Codes[i]} only, and {quality} was asked for. Ask for less, or let the broker allow more.");
        }
    }

    /// <summary>Asks for no more messages of topics.</summary>
    public Task UnsubscribeAsync(IReadOnlyList<string> filters, CancellationToken cancellation) =>
        AskAsync(output => MqttPacketWriter.Unsubscribe(output, _options.Version, 1, filters), "the end of a subscription", cancellation);

    /// <summary>Sends a message; waits only while too much is under way.</summary>
    public ValueTask PublishAsync(Publish message, CancellationToken cancellation) => WriteAsync(output => MqttPacketWriter.Publish(output, _options.Version, message), cancellation);

    /// <summary>Tells the broker steps behind messages.</summary>
    public ValueTask AcknowledgeAsync(ReadOnlyMemory<(MqttStep Step, ushort Id)> steps, CancellationToken cancellation) => WriteAsync(
        output =>
        {
            foreach (var (step, id) in steps.Span) MqttPacketWriter.Acknowledge(output, step, id);
        },
        cancellation);

    /// <summary>Says goodbye, so that what was written arrives, and ends. The broker keeps what it keeps of the client.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_completion.Task.IsCompleted)
        {
            try
            {
                using var patience = new CancellationTokenSource(_options.Timeout, _options.Time);
                await WriteAsync(static output => output.Write(MqttPacketWriter.Disconnect), patience.Token).ConfigureAwait(false);
                await _output.Writer.CompleteAsync().ConfigureAwait(false);

                // The broker ends the connection when it has read the goodbye.
                await ((Task)_completion.Task).WaitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception error) when (error is IOException or OperationCanceledException or InvalidOperationException)
            {
                // It is gone already.
            }
        }
        await AbortAsync().ConfigureAwait(false);
    }

    /// <summary>Ends without a word, as a process that is killed does.</summary>
    public async Task AbortAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task<Stream> DialAsync(MqttOptions options, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(options.Host, options.Port, cancellation).ConfigureAwait(false);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (!options.UsesTls) return stream;
            var secure = new SslStream(stream);
            stream = secure;
            var tls = options.Tls ?? new SslClientAuthenticationOptions();
            tls.TargetHost ??= options.Host;
            await secure.AuthenticateAsClientAsync(tls, cancellation).ConfigureAwait(false);
            return secure;
        }
        catch (System.Security.Authentication.AuthenticationException error)
        {
            await stream!.DisposeAsync().ConfigureAwait(false);
            throw new StreamingException("MQTT_CERTIFICATE", $"{options} has a certificate that is not trusted: {error.Message} Set MqttOptions.Tls to say which is.", error);
        }
        catch
        {
            if (stream is not null) await stream.DisposeAsync().ConfigureAwait(false);
            socket.Dispose();
            throw;
        }
    }

    private async Task<SubAck> AskAsync(Action<IBufferWriter<byte>> write, string what, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(_options.Timeout, _options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        var answered = _subscribing = new TaskCompletionSource<SubAck>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await WriteAsync(write, both.Token).ConfigureAwait(false);
            return await AnswerAsync(answered.Task, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
        {
            throw new MqttConnectionException($"{_options} did not answer {what} within {_options.Timeout.TotalSeconds:0.###} s.", error);
        }
    }

    // The answer, or the end of the connection.
    private async Task<T> AnswerAsync<T>(Task<T> answer, CancellationToken cancellation)
    {
        await Task.WhenAny(answer, _completion.Task).WaitAsync(cancellation).ConfigureAwait(false);
        if (!answer.IsCompleted) await _completion.Task.ConfigureAwait(false);
        return answer.IsCompletedSuccessfully ? answer.Result : throw new MqttConnectionException($"The connection to {_options} was ended.");
    }

    private async ValueTask WriteAsync(Action<IBufferWriter<byte>> write, CancellationToken cancellation)
    {
        await _writing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_completion.Task.IsCompleted) throw new MqttConnectionException($"The connection to {_options} has ended.", _completion.Task.Exception?.InnerException);
            write(_output.Writer);
            await _output.Writer.FlushAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task RunAsync()
    {
        Exception? why = null;
        Task[] all = [ReceiveAsync(), SendAsync(), KeepAliveAsync()];
        try
        {
            await (await Task.WhenAny(all[0], all[2]).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            why = _ending.IsCancellationRequested ? null : error is IOException and not MqttConnectionException or ObjectDisposedException or SocketException
                ? new MqttConnectionException($"The connection to {_options} was lost: {error.Message}", error) : error;
        }
        if (why is null) _completion.TrySetResult();
        else _completion.TrySetException(why);
        _ = _completion.Task.Exception;
        await _ending.CancelAsync().ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(all).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ReceiveAsync()
    {
        while (true)
        {
            var read = await _input.ReadAsync(_ending.Token).ConfigureAwait(false);
            var left = read.Buffer;
            Volatile.Write(ref _lastReceived, _options.Time.GetTimestamp());
            _isAtWork = true;
            while (MqttPacketReader.TryRead(ref left, _options.Version, _options.MaxPacketBytes, out var packet)) await TakeAsync(packet!).ConfigureAwait(false);
            _isAtWork = false;
            Volatile.Write(ref _lastReceived, _options.Time.GetTimestamp());
            _input.AdvanceTo(left.Start, left.End);
            if (read.IsCompleted) throw new MqttConnectionException(_accepted.Task.IsCompleted ? $"{_options} ended the connection." : $"{_options} ended the connection without an answer.");
        }
    }

    private async ValueTask TakeAsync(MqttPacket packet)
    {
        if (!_accepted.Task.IsCompleted && packet is not ConnAck) throw MqttErrors.Unexpected($"{packet.GetType().Name} before it accepted the connection");
        switch (packet)
        {
            case Publish message:
                await _receiver.OnMessageAsync(this, message).ConfigureAwait(false);
                break;
            case Acknowledgement answer:
                _receiver.OnStep(answer);
                break;
            case SubAck answer:
                if (_subscribing?.TrySetResult(answer) != true) throw MqttErrors.Unexpected("an answer to a subscription that was not made");
                break;
            case ConnAck answer:
                if (!_accepted.TrySetResult(answer)) throw MqttErrors.Unexpected("two answers to a connection");
                break;
            case Disconnect end:
                throw MqttErrors.Rejected(_options, null, end.Code, end.Reason);
        }
    }

    private async Task SendAsync()
    {
        try
        {
            while (true)
            {
                var read = await _output.Reader.ReadAsync(_ending.Token).ConfigureAwait(false);
                foreach (var piece in read.Buffer) await _stream.WriteAsync(piece, _ending.Token).ConfigureAwait(false);
                _output.Reader.AdvanceTo(read.Buffer.End);
                Volatile.Write(ref _lastSent, _options.Time.GetTimestamp());
                if (read.IsCompleted) return;
            }
        }
        catch (Exception error)
        {
            // Who waits for room to write is told; the end itself is seen where what comes is read.
            await _output.Reader.CompleteAsync(new MqttConnectionException($"The connection to {_options} was lost: {error.Message}", error)).ConfigureAwait(false);
            await _stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task KeepAliveAsync()
    {
        var accepted = await _accepted.Task.WaitAsync(_ending.Token).ConfigureAwait(false);
        var interval = accepted.Properties.KeepAliveSeconds is > 0 and var seconds ? TimeSpan.FromSeconds(seconds) : _options.KeepAlive;
        using var timer = new PeriodicTimer(interval / 4, _options.Time);
        var pinged = false;
        while (await timer.WaitForNextTickAsync(_ending.Token).ConfigureAwait(false))
        {
            var silence = _options.Time.GetElapsedTime(Volatile.Read(ref _lastReceived));
            if (silence > interval * 1.5 && pinged && !_isAtWork) throw new MqttConnectionException($"{_options} said nothing for {silence.TotalSeconds:0.#} s, also not when asked.");
            pinged = silence > interval / 2 || _options.Time.GetElapsedTime(Volatile.Read(ref _lastSent)) > interval / 2;
            if (pinged) await WriteAsync(static output => output.Write(MqttPacketWriter.PingReq), _ending.Token).ConfigureAwait(false);
        }
    }
}
