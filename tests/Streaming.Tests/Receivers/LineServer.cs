using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Dataflow.Streaming.Tests.Receivers;

/// <summary>A server that does with each connection, one after the other, what a test says.</summary>
internal sealed class LineServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _requests = [];
    private readonly Task _serving;

    /// <param name="isHttp">Whether a request is read before the script of its connection begins.</param>
    /// <param name="connections">What is done with the first connection, the second ... Connections behind the last are refused.</param>
    public LineServer(bool isHttp, params Func<Stream, CancellationToken, Task>[] connections)
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _serving = Task.Run(() => ServeAsync(isHttp, connections));
    }

    public int Port { get; }

    public string Url => $"http://127.0.0.1:{Port}/stream?secret=hidden";

    /// <summary>The heads of the requests so far.</summary>
    public string[] Requests
    {
        get
        {
            lock (_requests) return [.. _requests];
        }
    }

    /// <summary>Sends text and goes on with the script.</summary>
    public static Func<Stream, CancellationToken, Task> Send(string text) => (stream, stop) => stream.WriteAsync(Encoding.UTF8.GetBytes(text), stop).AsTask();

    /// <summary>Sends text, and leaves the connection open.</summary>
    public static Func<Stream, CancellationToken, Task> SendAndHold(string text) => async (stream, stop) =>
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(text), stop);
        await Task.Delay(Timeout.Infinite, stop);
    };

    /// <summary>The head of an answer in chunks, and some of them.</summary>
    public static string Chunks(params string[] chunks) =>
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + string.Concat(chunks.Select(chunk => $"{Encoding.UTF8.GetByteCount(chunk):x}\r\n{chunk}\r\n"));

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Stop();
        _serving.GetAwaiter().GetResult();
        _stop.Dispose();
    }

    private async Task ServeAsync(bool isHttp, Func<Stream, CancellationToken, Task>[] connections)
    {
        try
        {
            foreach (var connection in connections)
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                var stream = client.GetStream();
                if (isHttp)
                {
                    var head = new StringBuilder();
                    var one = new byte[1];
                    while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, _stop.Token) == 1) head.Append((char)one[0]);
                    lock (_requests) _requests.Add(head.ToString());
                }
                await connection(stream, _stop.Token);
                client.Client.Shutdown(SocketShutdown.Send);
            }
            _listener.Stop();
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or IOException)
        {
            // The test has ended, or the other side.
        }
    }
}
