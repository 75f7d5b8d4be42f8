using System.Buffers;
using System.IO.Pipelines;

namespace Dataflow.Streaming.Receivers;

/// <summary>A failure of a connection that another attempt may mend.</summary>
/// <param name="message">What happened.</param>
/// <param name="inner">What caused it.</param>
/// <param name="wait">How long the other end asks to wait; null if it does not say.</param>
internal sealed class ConnectionFailedException(string message, Exception? inner = null, TimeSpan? wait = null) : Exception(message, inner)
{
    public TimeSpan? Wait => wait;
}

/// <summary>Reads lines from a connection, and makes it anew when it fails or ends.</summary>
/// <param name="name">How errors call the source.</param>
/// <param name="reconnect">How long it waits; null to end with the connection.</param>
/// <param name="time">The clock.</param>
internal abstract class ConnectingReceiver(string name, ReconnectOptions? reconnect, TimeProvider time) : Receiver
{
    private bool _hasReceived;
    private volatile Func<string>? _problem;

    /// <summary>How errors call the source.</summary>
    protected string Name => name;

    public sealed override bool HasEnd => reconnect is null;

    public sealed override string? Problem => _problem?.Invoke();

    public sealed override async Task RunAsync(ReceivedLog log, CancellationToken stop)
    {
        var (failures, failingSince) = (0, time.GetTimestamp());
        var told = TimeSpan.Zero;
        while (true)
        {
            ConnectionFailedException? failure = null;
            _hasReceived = false;
            try
            {
                await ReceiveAsync(log, stop).ConfigureAwait(false);
                if (reconnect is null) return;
            }
            catch (ConnectionFailedException error)
            {
                failure = error;
            }
            if (_hasReceived) (failures, failingSince, told) = (0, time.GetTimestamp(), TimeSpan.Zero);
            var failing = time.GetElapsedTime(failingSince) - told;
            if (reconnect is null || failing >= reconnect.GiveUpAfter)
            {
                var since = reconnect is null ? "" : $" No row came for {failing.TotalSeconds:0} s, over {failures + 1} attempts.";
                throw new StreamingException(
                    "STREAM_UNREACHABLE", $"{name} {failure?.Message ?? "ended the connection without a row."}{since} See that it is there, and start the query again.", failure?.InnerException);
            }
            var silentSince = failingSince;
            _problem = () => $"{name} gave no row for {time.GetElapsedTime(silentSince).TotalSeconds:0} s ({failure?.Message ?? "it ended the connection"}); it is tried again";
            var most = TimeSpan.FromTicks((long)Math.Min(reconnect.MaxDelay.Ticks, reconnect.FirstDelay.Ticks * Math.Pow(2, failures++)));
            if (failure?.Wait is { } asked) told += asked;
            await Task.Delay(failure?.Wait ?? (most / 2) + (most / 2 * Random.Shared.NextDouble()), time, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Connects, and reads lines until the connection ends.</summary>
    /// <exception cref="ConnectionFailedException">Another attempt may help.</exception>
    protected abstract Task ReceiveAsync(ReceivedLog log, CancellationToken stop);

    /// <summary>Puts lines into the log. What the end of a connection leaves of a line is one if the connection was closed in order.</summary>
    /// <param name="stream">The lines; errors are thrown as they are.</param>
    /// <param name="passesOverBlank">Whether a line without text is none.</param>
    /// <param name="stall">How long nothing may come.</param>
    /// <param name="log">Where to put them.</param>
    /// <param name="options">How long a line may be.</param>
    /// <param name="stop">The query ends.</param>
    protected async Task ReadLinesAsync(Stream stream, bool passesOverBlank, TimeSpan stall, ReceivedLog log, ReceiverOptions options, CancellationToken stop)
    {
        _problem = null;
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 << 10, leaveOpen: true));
        try
        {
            while (true)
            {
                var read = await ReadAsync().ConfigureAwait(false);
                var rest = read.Buffer;
                while (rest.PositionOf((byte)'\n') is { } end)
                {
                    await AddAsync(rest.Slice(0, end)).ConfigureAwait(false);
                    rest = rest.Slice(rest.GetPosition(1, end));
                }
                if (read.IsCompleted)
                {
                    if (!rest.IsEmpty) await AddAsync(rest).ConfigureAwait(false);
                    return;
                }
                if (rest.Length > options.MaxRecordBytes)
                    throw new StreamingException("STREAM_RECORD_TOO_LONG", $"{name} sent {rest.Length:N0} bytes without an end of a line, and MaxRecordBytes of ReceiverOptions allows {options.MaxRecordBytes:N0}.");
                reader.AdvanceTo(rest.Start, read.Buffer.End);
            }
        }
        finally
        {
            await reader.CompleteAsync().ConfigureAwait(false);
        }

        async ValueTask<ReadResult> ReadAsync()
        {
            var reading = reader.ReadAsync(stop);
            if (reading.IsCompleted) return await reading.ConfigureAwait(false);
            var timer = stall == Timeout.InfiniteTimeSpan ? null : time.CreateTimer(_ => reader.CancelPendingRead(), null, stall, Timeout.InfiniteTimeSpan);
            try
            {
                var result = await reading.ConfigureAwait(false);
                return result.IsCanceled ? throw new ConnectionFailedException($"sent nothing for {stall.TotalSeconds:0} s.") : result;
            }
            finally
            {
                timer?.Dispose();
            }
        }

        async ValueTask AddAsync(ReadOnlySequence<byte> line)
        {
            var bytes = line.IsSingleSegment ? line.First : line.ToArray();
            if (bytes.Span is [.., (byte)'\r']) bytes = bytes[..^1];
            if (passesOverBlank && bytes.Span.IndexOfAnyExcept((byte)' ', (byte)'\t') < 0) return;
            _ = await log.AppendAsync(bytes, stop).ConfigureAwait(false);
            _hasReceived = true;
        }
    }
}
