using System.Net;
using System.Net.Sockets;

namespace Dataflow.Streaming.Tests.Mqtt;

/// <summary>Says to each connection the bytes that a test wants.</summary>
internal sealed class ScriptedBroker : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _running;

    /// <summary>Listens.</summary>
    /// <param name="talk">What happens on a connection, by its number from 0; it ends with the code.</param>
    public ScriptedBroker(Func<int, Stream, CancellationToken, Task> talk)
    {
        _listener.Start();
        _running = RunAsync(talk);
    }

    public MqttOptions Options => new($"mqtt://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}") { ReconnectDelay = TimeSpan.FromMilliseconds(1), LongestReconnectDelay = TimeSpan.FromMilliseconds(2) };

    /// <summary>Reads one packet: its first byte, and what follows its length.</summary>
    public static async Task<(byte First, byte[] Body)> ReadAsync(Stream stream, CancellationToken cancellation)
    {
        var one = new byte[1];
        await stream.ReadExactlyAsync(one, cancellation);
        var first = one[0];
        var (length, shift) = (0, 0);
        do
        {
            await stream.ReadExactlyAsync(one, cancellation);
            length |= (one[0] & 0x7F) << shift;
            shift += 7;
        }
        while ((one[0] & 0x80) != 0);
        var body = new byte[length];
        await stream.ReadExactlyAsync(body, cancellation);
        return (first, body);
    }

    /// <summary>Waits for a connection's first packet, and accepts it.</summary>
    public static async Task AcceptAsync(Stream stream, CancellationToken cancellation, bool sessionPresent = false)
    {
        await ReadAsync(stream, cancellation);
        await stream.WriteAsync(new byte[] { 0x20, 3, (byte)(sessionPresent ? 1 : 0), 0, 0 }, cancellation);
    }

    public void Dispose()
    {
        _ending.Cancel();
        _listener.Dispose();
        _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        _ending.Dispose();
    }

    private async Task RunAsync(Func<int, Stream, CancellationToken, Task> talk)
    {
        for (var number = 0; ; number++)
        {
            using var client = await _listener.AcceptTcpClientAsync(_ending.Token);
            try
            {
                await talk(number, client.GetStream(), _ending.Token);
            }
            catch (IOException)
            {
                // The client went.
            }
        }
    }
}
