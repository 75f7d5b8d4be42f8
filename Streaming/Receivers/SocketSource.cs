using System.Net.Sockets;

namespace Dataflow.Streaming.Receivers;

/// <summary>Lines that a server sends over TCP, to each query that connects.</summary>
internal sealed class SocketSource(string host, int port, bool includeTimestamp, ReconnectOptions? reconnect, ReceiverOptions options) : IStreamSource
{
    private readonly TextFormat _format = TextFormat.Lines(includeTimestamp);

    public string Name => $"lines of {host}:{port}";

    public Schema Schema => _format.Schema;

    /// <summary>Clock of waits between connections.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    public IStreamReader Open(string folder) => new ReceiverReader(Name, folder, options, _format, new Lines(this));

    private sealed class Lines(SocketSource source) : ConnectingReceiver($"{source.Host}:{source.Port}", source.Reconnect, source.Time)
    {
        protected override async Task ReceiveAsync(ReceivedLog log, CancellationToken stop)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            try
            {
                await socket.ConnectAsync(source.Host, source.Port, stop).ConfigureAwait(false);
                var stream = new NetworkStream(socket, ownsSocket: false);
                await using (stream.ConfigureAwait(false))
                {
                    await ReadLinesAsync(stream, passesOverBlank: false, Timeout.InfiniteTimeSpan, log, source.Options, stop).ConfigureAwait(false);
                }
            }
            catch (SocketException error)
            {
                throw new ConnectionFailedException($"can't be reached: {error.Message}.", error);
            }
            catch (IOException error)
            {
                throw new ConnectionFailedException($"broke the connection: {error.Message}", error);
            }
        }
    }

    private string Host => host;

    private int Port => port;

    private ReconnectOptions? Reconnect => reconnect;

    private ReceiverOptions Options => options;
}
