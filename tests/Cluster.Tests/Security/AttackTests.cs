using System.Net.WebSockets;
using System.Text;
using Xunit.Abstractions;

namespace Dataflow.Cluster.Tests;

/// <summary>What strangers send, and what damaged processes that hold the token send, ends their own connection and nothing else.</summary>
public sealed class AttackTests(ITestOutputHelper output)
{
    private const string Token = "a token that is long enough";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    // Valid messages, each of which is damaged in many ways.
    private static readonly ControlMessage[] Seeds =
    [
        new RegisterWorker("1.0", "w", "h", 2, 1 << 30, new Dictionary<string, IReadOnlyList<string>> { ["gpu"] = ["0", "1"] }, "http://127.0.0.1:1", 1, null, [], []),
        new ApplicationBeat(1, 2, 3, 4),
        new DropCachedBlocks(7),
        new TasksFinished([new TaskFinish(new(1), [1, 2, 3]), new TaskFinish(new(2), null)]),
        new BlocksUpdated([]),
        new Refused("no"),
        new AskStatus(),
    ];

    [Fact]
    public async Task A_hundred_thousand_damaged_frames_close_their_connections_and_jobs_go_on()
    {
        const int frames = 100_000;
        const int clients = 4;
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0", new ClusterOptions { Token = Token });
        var url = context.Cluster.Url;
        using var worker = new WorkerProcess(url.ToString(), token: Token, name: "the one");
        await context.Cluster.WaitForWorkersAsync(1, Patience);

        var started = DateTime.UtcNow;
        var attack = Task.WhenAll(Enumerable.Range(0, clients).Select(client => Task.Run(async () =>
        {
            for (var seed = client; seed < frames; seed += clients) await AttackAsync(url, seed);
        })));
        var jobs = 0;
        while (!attack.IsCompleted || jobs == 0)
        {
            Assert.Equal(4950, context.Range(0, 100, partitions: 2).Map(i => (i % 10, i)).ReduceByKey((a, b) => a + b).Values().Sum());
            jobs++;
        }
        await attack.WaitAsync(Patience);
        output.WriteLine($"{frames} frames in {(DateTime.UtcNow - started).TotalSeconds:F1} s beside {jobs} jobs");
        Assert.Equal(["the one"], context.Cluster.Workers.Select(each => each.Name));
    }

    private static async Task AttackAsync(Uri url, int seed)
    {
        var random = new Random(seed);
        using var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        await socket.ConnectAsync(new UriBuilder(url) { Scheme = "ws", Path = "/control" }.Uri, default);
        if (seed % 2 == 0) await Handshake.ConnectAsync(socket, url, ScopeName.Cluster, ClusterToken.Parse(Token), default);
        try
        {
            await socket.SendAsync(Damaged(random), random.Next(8) == 0 ? WebSocketMessageType.Text : WebSocketMessageType.Binary, endOfMessage: true, default);

            // It is closed, with a word or without; nothing is ever answered.
            var buffer = new byte[1000];
            while (socket.State == WebSocketState.Open)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(), default).AsTask().WaitAsync(Patience);
                if (part.MessageType == WebSocketMessageType.Close) break;
            }
        }
        catch (WebSocketException)
        {
            // Closed without a word.
        }
    }

    private static byte[] Damaged(Random random)
    {
        using var writer = new MemoryStream();
        using (var json = new System.Text.Json.Utf8JsonWriter(writer))
            System.Text.Json.JsonSerializer.Serialize(json, [Seeds[random.Next(Seeds.Length)]], ControlJson.Default.ControlMessageArray);
        var bytes = writer.ToArray();
        switch (random.Next(6))
        {
            case 0:
                random.NextBytes(bytes);
                return bytes;
            case 1: return bytes[..random.Next(bytes.Length)];
            case 2: return [.. bytes, .. bytes];
            case 3: return Encoding.UTF8.GetBytes(new string('[', random.Next(1, 5000)));
            case 4:
                var at = random.Next(bytes.Length);
                return [.. bytes[..at], .. "99999999999999999999"u8, .. bytes[at..]];
            default:
                // Text within strings may stay text: then the message is a valid one that nobody may say first.
                for (var i = random.Next(1, 4); i > 0; i--) bytes[random.Next(bytes.Length)] ^= (byte)random.Next(1, 256);
                bytes[0] = (byte)'{';
                return bytes;
        }
    }
}
