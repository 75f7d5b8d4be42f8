using System.IO.Compression;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.Receivers;

/// <summary>Lines over TCP and HTTP, from servers that break off.</summary>
public sealed class ConnectionTests
{
    private static readonly ReconnectOptions Soon = new() { FirstDelay = TimeSpan.FromMilliseconds(5), MaxDelay = TimeSpan.FromMilliseconds(20) };

    private sealed record Tweet(int Id, string Text);

    [Fact]
    public async Task Lines_of_a_socket_go_on_over_a_new_connection()
    {
        await using var context = DataflowContext.Local(1);
        using var server = new LineServer(isHttp: false, LineServer.Send("one\ntwo\r\n\nthr"), LineServer.SendAndHold("four\nfi"));
        var sink = new MemorySink();
        await using var query = context.ReadStream.Socket("127.0.0.1", server.Port, includeTimestamp: true, Soon).WriteStream.Start(sink);
        await Waiting.Until(() => sink.Rows.Count == 5, query);
        Assert.Equal(["one", "two", "", "thr", "four"], sink.Texts());
        Assert.All(sink.Rows, row => Assert.True(row.Get<DateTimeOffset>("timestamp") > new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero)));
    }

    [Fact]
    public async Task Without_reconnecting_the_end_of_a_socket_is_the_end_and_nobody_there_is_a_named_error()
    {
        await using var context = DataflowContext.Local(1);
        using var server = new LineServer(isHttp: false, LineServer.Send("one\ntwo"));
        var sink = new MemorySink();
        await using (var query = context.ReadStream.Socket("127.0.0.1", server.Port).WriteStream.Start(sink, new() { Trigger = Trigger.AvailableNow })) await query.AwaitTerminationAsync();
        Assert.Equal(["one", "two"], sink.Texts());
        await using var lonely = context.ReadStream.Socket("127.0.0.1", server.Port).WriteStream.Start(sink);
        var error = await Assert.ThrowsAsync<StreamingException>(() => lonely.AwaitTerminationAsync());
        Assert.Equal("STREAM_UNREACHABLE", error.Kind);
        Assert.Contains($"127.0.0.1:{server.Port} can't be reached", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Objects_of_an_http_stream_survive_cut_connections_busy_servers_and_half_lines()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        using var server = new LineServer(
            isHttp: true,
            LineServer.Send(LineServer.Chunks("{\"Id\": 1, \"Text\": \"one\"}\r\n", "\r\n", "{\"Id\": 2, \"Te", "xt\": \"two\"}\r\n{\"Id\": 99, \"Text\": \"cut")),
            LineServer.Send("HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"),
            LineServer.Send("HTTP/1.1 429 Slow down\r\nContent-Length: 0\r\n\r\n"),
            LineServer.Send("HTTP/1.1 200 OK\r\nContent-Len"),
            LineServer.SendAndHold(LineServer.Chunks("{\"Id\": 3, \"Text\": \"three\"}\n", "\n\n")));
        var sink = new MemorySink();
        var options = new HttpLineOptions { Token = "s3cret", Reconnect = Soon, Headers = new Dictionary<string, string> { ["X-Client"] = "tests" } };
        await using (var query = context.ReadStream.HttpJson<Tweet>(server.Url, options).WriteStream.Start(sink, new() { Checkpoint = folder.Combine("checkpoint") }))
        {
            await Waiting.Until(() => sink.Rows.Count == 3, query);
        }
        Assert.Equal([(1, "one"), (2, "two"), (3, "three")], sink.Rows.Select(row => (row.Get<int>("Id"), row.Get<string>("Text"))));
        Assert.Equal(5, server.Requests.Length);
        Assert.All(server.Requests, request =>
        {
            Assert.Contains("Authorization: Bearer s3cret\r\n", request, StringComparison.Ordinal);
            Assert.Contains("X-Client: tests\r\n", request, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task A_compressed_answer_that_has_an_end_is_read_to_it()
    {
        await using var context = DataflowContext.Local(1);
        var body = new MemoryStream();
        using (var gzip = new GZipStream(body, CompressionMode.Compress, leaveOpen: true)) gzip.Write("one\ntwo\nthree"u8);
        using var server = new LineServer(isHttp: true, async (stream, stop) =>
        {
            await LineServer.Send($"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {body.Length}\r\n\r\n")(stream, stop);
            await stream.WriteAsync(body.ToArray(), stop);
        });
        var sink = new MemorySink();
        await using var query = context.ReadStream.HttpLines(server.Url, new() { Reconnect = null, IncludeTimestamp = true }).WriteStream.Start(sink, new() { Trigger = Trigger.AvailableNow });
        await query.AwaitTerminationAsync();
        Assert.Equal(["one", "two", "three"], sink.Texts());
    }

    [Fact]
    public async Task A_server_that_falls_silent_is_left_and_asked_anew()
    {
        await using var context = DataflowContext.Local(1);
        using var server = new LineServer(
            isHttp: true, async (stream, stop) =>
            {
                await LineServer.Send(LineServer.Chunks("one\n"))(stream, stop);
                // Until the other side has gone.
                var gone = new byte[1];
                Assert.Equal(0, await stream.ReadAsync(gone, stop));
            },
            LineServer.SendAndHold(LineServer.Chunks("two\n")));
        var (sink, time) = (new MemorySink(), new ManualTimeProvider());
        await using var query = context.ReadStream.HttpLines(server.Url, new() { StallTimeout = TimeSpan.FromSeconds(90), Reconnect = Soon, Time = time }).WriteStream.Start(sink);
        await Waiting.Until(() => sink.Rows.Count == 1 && time.WaitingTimers == 1, query);
        time.Advance(TimeSpan.FromSeconds(90));
        await Waiting.Until(() => time.WaitingTimers == 1, query);
        time.Advance(Soon.MaxDelay);
        await Waiting.Until(() => sink.Rows.Count == 2, query);
        Assert.Equal(["one", "two"], sink.Texts());
    }

    [Theory]
    [InlineData("HTTP/1.1 401 Unauthorized\r\nContent-Length: 9\r\n\r\nno token.", "STREAM_REFUSED", "answered 401 Unauthorized: no token.")]
    [InlineData("HTTP/1.1 500 Oh no\r\nContent-Length: 0\r\n\r\n", "STREAM_UNREACHABLE", "answered 500 Oh no")]
    public async Task What_another_attempt_would_not_mend_is_a_named_error_without_secrets(string answer, string kind, string text)
    {
        await using var context = DataflowContext.Local(1);
        using var server = new LineServer(isHttp: true, LineServer.Send(answer));
        var options = new HttpLineOptions { Token = "s3cret", Reconnect = Soon with { GiveUpAfter = TimeSpan.Zero } };
        await using var query = context.ReadStream.HttpLines(server.Url, options).WriteStream.Start(new MemorySink());
        var error = await Assert.ThrowsAsync<StreamingException>(() => query.AwaitTerminationAsync());
        Assert.Equal(kind, error.Kind);
        Assert.Contains(text, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_without_end_is_an_error()
    {
        await using var context = DataflowContext.Local(1);
        using var server = new LineServer(isHttp: false, LineServer.SendAndHold(new string('x', 2000)));
        await using var query = context.ReadStream.Socket("127.0.0.1", server.Port, options: new() { MaxRecordBytes = 1000 }).WriteStream.Start(new MemorySink());
        Assert.Equal("STREAM_RECORD_TOO_LONG", (await Assert.ThrowsAsync<StreamingException>(() => query.AwaitTerminationAsync())).Kind);
    }
}
