using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.Receivers;

/// <summary>Events that are pushed as Flume pushes them.</summary>
public sealed class EventPushTests
{
    private sealed record Visit(string Page, int Count);

    [Fact]
    public async Task Events_are_rows_and_answered_when_they_are_kept()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        var (source, sink) = (new EventPushSource(), new MemorySink());
        Assert.Throws<InvalidOperationException>(() => source.Url);
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint") };
        await using (var query = context.ReadStream.From(source).WriteStream.Start(sink, options))
        {
            Assert.Equal("STREAM_IN_USE", Assert.Throws<StreamingException>(() => context.ReadStream.From(source).WriteStream.Start(new MemorySink())).Kind);
            Assert.Equal(HttpStatusCode.OK, (await PostAsync(source, """[{"headers": {"host": "a", "n": "1"}, "body": "grüß \"dich\""}, {"body": "two"}]""")).Status);
            Assert.Equal(HttpStatusCode.OK, (await PostAsync(source, "[]")).Status);
            await query.ProcessAllAvailableAsync();
            Assert.Equal($"events pushed to {source.Url.Authority}", query.LastProgress!.Sources[0].Name);
            Assert.Equal(["grüß \"dich\"", "two"], sink.Texts("body"));
            Assert.Equal(["""{"host": "a", "n": "1"}""", "{}"], sink.Texts("headers"));
        }

        // Kept, though no batch saw it.
        await using (var blocked = context.ReadStream.From(source).WriteStream.ForeachBatch((_, _) => throw new IOException("not now"), options))
        {
            Assert.Equal(HttpStatusCode.OK, (await PostAsync(source, """[{"headers": {}, "body": "three"}]""")).Status);
            await Assert.ThrowsAsync<IOException>(() => blocked.AwaitTerminationAsync());
        }
        await using var again = context.ReadStream.From(source).WriteStream.Start(sink, options);
        await again.ProcessAllAvailableAsync();
        Assert.Equal(["grüß \"dich\"", "two", "three"], sink.Texts("body"));
    }

    [Fact]
    public async Task Bodies_that_are_objects_become_columns()
    {
        await using var context = DataflowContext.Local(1);
        var (source, sink) = (EventPushSource.Json<Visit>(), new MemorySink());
        await using var query = context.ReadStream.From(source).WriteStream.Start(sink);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(source, """[{"headers": {}, "body": "{\"Page\": \"/\", \"Count\": 3}"}]""")).Status);
        await query.ProcessAllAvailableAsync();
        Assert.Equal(("/", 3), (sink.Rows.Single().Get<string>("Page"), sink.Rows.Single().Get<int>("Count")));
    }

    [Fact]
    public async Task A_sender_is_asked_to_come_again_when_too_much_waits_to_be_read()
    {
        await using var context = DataflowContext.Local(1);
        var (source, mayRead, sink) = (new EventPushSource(new() { Receiver = new() { MaxUnreadBytes = 1000 } }), new TaskCompletionSource(), new List<string>());
        await using var query = context.ReadStream.From(source).WriteStream.ForeachBatch(
            async (rows, _) =>
            {
                await mayRead.Task;
                lock (sink) sink.AddRange(rows.Collect().Select(row => row.Get<string>("body")));
            },
            new());
        var (sent, status) = (0, HttpStatusCode.OK);
        while (status == HttpStatusCode.OK)
        {
            Assert.InRange(sent, 0, 20);
            status = (await PostAsync(source, $$"""[{"body": "{{new string((char)('a' + sent), 100)}}"}]""")).Status;
            if (status == HttpStatusCode.OK) sent++;
        }
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        mayRead.SetResult();
        await query.ProcessAllAvailableAsync();
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(source, """[{"body": "last"}]""")).Status);
        await query.ProcessAllAvailableAsync();
        lock (sink) Assert.Equal([.. Enumerable.Range(0, sent).Select(i => new string((char)('a' + i), 100)), "last"], sink);
    }

    [Fact]
    public async Task Strangers_wrong_requests_and_taken_ports_are_told_so()
    {
        await using var context = DataflowContext.Local(1);
        Assert.Contains("no Token", Assert.Throws<ArgumentException>(() => new EventPushSource(new() { Address = IPAddress.Any })).Message, StringComparison.Ordinal);
        var (source, sink) = (new EventPushSource(new() { Token = "open sesame", MaxRequestBytes = 300, Receiver = new() { MaxRecordBytes = 100 } }), new MemorySink());
        await using var query = context.ReadStream.From(source).WriteStream.Start(sink);
        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync(source, "[]")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync(source, "[]", "open")).Status);
        foreach (var (text, status) in new[]
        {
            ("[", HttpStatusCode.BadRequest), ("{}", HttpStatusCode.BadRequest), ("[1]", HttpStatusCode.BadRequest), ("""[{"body": 1}]""", HttpStatusCode.BadRequest),
            ("""[{"headers": "x", "body": "1"}]""", HttpStatusCode.BadRequest), ($$"""[{"body": "{{new string('x', 150)}}"}]""", HttpStatusCode.RequestEntityTooLarge),
            (new string(' ', 1000), HttpStatusCode.RequestEntityTooLarge), ("""[{"body": "right"}]""", HttpStatusCode.OK),
        })
        {
            Assert.Equal((text, status), (text, (await PostAsync(source, text, "open sesame")).Status));
        }
        using (var client = new HttpClient())
        {
            client.DefaultRequestHeaders.Authorization = new("Bearer", "open sesame");
            Assert.Equal(HttpStatusCode.MethodNotAllowed, (await client.GetAsync(source.Url)).StatusCode);
        }
        await query.ProcessAllAvailableAsync();
        Assert.Equal(["right"], sink.Texts("body"));
        var taken = new EventPushSource(new() { Port = source.Url.Port });
        Assert.Equal("STREAM_ADDRESS_IN_USE", Assert.Throws<StreamingException>(() => context.ReadStream.From(taken).WriteStream.Start(new MemorySink())).Kind);
    }

    private static async Task<(HttpStatusCode Status, string Text)> PostAsync(EventPushSource source, string json, string? token = null)
    {
        using var client = new HttpClient();
        if (token is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(source.Url, content);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
