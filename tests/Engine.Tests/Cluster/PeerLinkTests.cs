using System.Net.WebSockets;
using Dataflow.Cluster;
using Dataflow.Collectives;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>Links between two executors, over loopback.</summary>
public sealed class PeerLinkTests : IAsyncDisposable
{
    private const string Application = "app-peers";

    private static readonly GangId Gang = new(3, 1);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private readonly ClusterToken _secret = ClusterToken.Create();
    private readonly NodeClient _client = new();
    private readonly Exchange _here = new(), _there = new() { GraceForDriver = TimeSpan.Zero };
    private readonly NodeServer _server;
    private readonly PeerLinks _links, _others;

    public PeerLinkTests()
    {
        _server = NodeServer.StartAsync(NodeOptions.Default, static link => link.Channel.DisposeAsync()).GetAwaiter().GetResult();
        _others = new PeerLinks(_client, _server.Url, Application, _secret, _there);
        _links = new PeerLinks(_client, new Uri("http://127.0.0.1:9"), Application, _secret, _here);
        _server.Admit(Application, _secret, null);
        _server.AdmitPeers(Application, _others.ServeAsync);
    }

    public async ValueTask DisposeAsync()
    {
        _links.Dispose();
        _others.Dispose();
        await _server.DisposeAsync();
        _client.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    [InlineData(PeerFrame.MaxBytes)]
    public void A_message_comes_to_the_task_that_it_is_for(int length)
    {
        var inbox = _there.Open(Gang, 1);
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        Assert.Null(Send(Header(part: 5), bytes));
        var message = inbox.Take(from: 0, sequence: 2, part: 5, Deadline, out _);
        Assert.NotNull(message);
        Assert.True(bytes.AsSpan().SequenceEqual(message.Bytes));
        Assert.Equal(Header(part: 5), message.Header);
    }

    [Fact]
    public void One_message_is_for_all_tasks_of_a_process()
    {
        var (first, second) = (_there.Open(Gang, 1), _there.Open(Gang, 2));
        Send(Header(part: 0) with { To = PeerHeader.All }, [1, 2]);
        Assert.Equal([1, 2], first.Take(0, 2, 0, Deadline, out _)!.Bytes.ToArray());
        Assert.Equal([1, 2], second.Take(0, 2, 0, Deadline, out _)!.Bytes.ToArray());
    }

    [Fact]
    public void What_comes_late_from_an_attempt_that_is_over_is_dropped()
    {
        var inbox = _there.Open(Gang, 1);
        Send(Header(part: 0) with { Gang = Gang with { Attempt = 0 } }, [9]);
        Send(Header(part: 0) with { Gang = Gang with { Stage = 8 } }, [9]);
        Send(Header(part: 1), [1]);
        Assert.Equal([1], inbox.Take(0, 2, 1, Deadline, out _)!.Bytes.ToArray());

        // On one link what was sent before has been read before.
        Assert.Null(inbox.Take(0, 2, 0, Environment.TickCount64, out var why));
        Assert.Contains("did not come in time", why);
    }

    [Fact]
    public void A_task_that_ended_elsewhere_is_not_waited_for()
    {
        var inbox = _there.Open(Gang, 1);
        Send(Header(part: 0), [1]);
        _links.TellEnded(_server.Url.ToString(), Gang, 0);
        Assert.NotNull(inbox.Take(0, 2, 0, Deadline, out _));
        Assert.Null(inbox.Take(0, 3, 0, Deadline, out var why));
        Assert.Contains("task 0 ended", why);
    }

    [Fact]
    public void A_lost_link_is_told_to_those_who_wait()
    {
        var inbox = _there.Open(Gang, 1);
        _there.Know(Gang, [_links.Address]);
        Send(Header(part: 0), [1]);
        Assert.NotNull(inbox.Take(0, 2, 0, Deadline, out _));
        _links.Dispose();
        Assert.Null(inbox.Take(0, 3, 0, Deadline, out var why));
        Assert.Contains($"the link from the executor at {_links.Address} was lost", why);
    }

    [Fact]
    public void An_executor_that_is_not_there_is_named()
    {
        var why = _links.Send("http://127.0.0.1:9/", Header(part: 0), [], Timeout, CancellationToken.None);
        Assert.Contains("http://127.0.0.1:9/", why);
    }

    [Fact]
    public async Task Nobody_sends_without_the_secret_of_the_application()
    {
        await Assert.ThrowsAsync<ClusterException>(() => _client.ConnectPeerAsync(_server.Url, Application, ClusterToken.Create()));
        await Assert.ThrowsAsync<ClusterException>(() => _client.ConnectPeerAsync(_server.Url, ScopeName.Cluster, ClusterToken.Open));
    }

    [Fact]
    public async Task Frames_of_random_bytes_end_their_link_and_nothing_else()
    {
        var inbox = _there.Open(Gang, 1);
        var random = new Random(41);
        for (var i = 0; i < 50; i++)
        {
            using var socket = await _client.ConnectPeerAsync(_server.Url, Application, _secret);
            await socket.SendAsync("stranger"u8.ToArray().AsMemory(), WebSocketMessageType.Binary, true, CancellationToken.None);
            var frame = new byte[PeerFrame.HeaderBytes + random.Next(200)];
            PeerFrame.WriteHeader(frame, Header(part: 0));
            for (var change = 0; change <= i % 3; change++) frame[random.Next(frame.Length)] ^= (byte)random.Next(1, 256);
            if (i % 10 == 9) random.NextBytes(frame);
            await socket.SendAsync(frame.AsMemory(0, i % 4 == 3 ? random.Next(frame.Length) : frame.Length), WebSocketMessageType.Binary, true, CancellationToken.None);
            var buffer = new byte[1];
            await Assert.ThrowsAnyAsync<Exception>(async () =>
            {
                if ((await socket.ReceiveAsync(buffer.AsMemory(), new CancellationTokenSource(Timeout).Token)).MessageType == WebSocketMessageType.Close) throw new IOException();
            });
        }
        Assert.Null(inbox.Take(0, 2, 0, Environment.TickCount64, out _));
        Send(Header(part: 1), [7]);
        Assert.Equal([7], inbox.Take(0, 2, 1, Deadline, out _)!.Bytes.ToArray());
    }

    private static long Deadline => Environment.TickCount64 + (long)Timeout.TotalMilliseconds;

    private static PeerHeader Header(int part) => new(Gang, From: 0, To: 1, CollectiveCall.AllReduce, Sequence: 2, part, Length: 12_345_678_901);

    private string? Send(PeerHeader header, byte[] bytes) => _links.Send(_server.Url.ToString(), header, bytes, Timeout, CancellationToken.None);
}
