using System.Net.Sockets;
using System.Net.WebSockets;
using Dataflow.Cluster;
using Dataflow.Scheduling;

namespace Dataflow.Engine.Tests.Cluster;

public sealed class ControlChannelTests
{
    [Fact]
    public async Task Messages_arrive_in_order_many_a_frame_and_a_goodbye_ends_both_ends_once()
    {
        await using var node = await TestNode.StartAsync();
        var (here, heard, there, heardThere) = await node.LinkAsync();
        for (var i = 0; i < 10_000; i++) Assert.True(here.Send(new DropCachedBlocks(i)));
        for (var i = 0; i < 10_000; i++) Assert.Equal(i, (await heardThere.NextAsync<DropCachedBlocks>()).Rdd);
        Assert.True(there.Send(new ReportTaken(new(3))));
        Assert.Equal(3, (await heard.NextAsync<ReportTaken>()).Task.Value);

        await here.CloseAsync("done");
        Assert.Equal(LinkEndKind.ClosedHere, (await heard.Ended).Kind);
        var end = await heardThere.Ended;
        Assert.Equal(LinkEndKind.ClosedThere, end.Kind);
        Assert.Contains("done", end.Reason);
        Assert.False(here.Send(new DropCachedBlocks(1)));
        Assert.Equal((1, 1), (heard.Ends, heardThere.Ends));
        Assert.All(heardThere.FrameLengths, length => Assert.InRange(length, 1, FrameWriter.MaxMessages));
        Assert.True(heardThere.FrameLengths.Count < 5_000, $"{heardThere.FrameLengths.Count} frames for 10,000 messages");
    }

    [Fact]
    public async Task What_was_sent_before_a_goodbye_arrives()
    {
        await using var node = await TestNode.StartAsync();
        var (here, _, _, heardThere) = await node.LinkAsync();
        for (var i = 0; i < 1000; i++) here.Send(new DropCachedBlocks(i));
        await here.CloseAsync("bye");
        for (var i = 0; i < 1000; i++) Assert.Equal(i, (await heardThere.NextAsync<DropCachedBlocks>()).Rdd);
    }

    [Fact]
    public async Task Large_messages_share_no_frame_that_would_pass_the_bound()
    {
        await using var node = await TestNode.StartAsync(NodeOptions.Default with { Limits = LinkLimits.Default with { MaxFrameBytes = 100_000 } });
        var (here, _, _, heardThere) = await node.LinkAsync();
        for (var i = 0; i < 50; i++) here.Send(new KillAttempt(new TaskId(i), new string('x', 60_000)));
        for (var i = 0; i < 50; i++) Assert.Equal(i, (await heardThere.NextAsync<KillAttempt>()).Task.Value);
    }

    [Fact]
    public async Task A_message_larger_than_a_frame_ends_the_link_and_says_which()
    {
        await using var node = await TestNode.StartAsync(NodeOptions.Default with { Limits = LinkLimits.Default with { MaxFrameBytes = 100_000 } });
        var (here, heard, _, heardThere) = await node.LinkAsync();
        here.Send(new KillAttempt(new TaskId(1), new string('x', 200_000)));
        var end = await heard.Ended;
        Assert.Contains("KillAttempt", end.Reason);
        Assert.Contains("100,000", end.Reason);
        Assert.Equal(LinkEndKind.Lost, (await heardThere.Ended).Kind);
        Assert.Equal((1, 1), (heard.Ends, heardThere.Ends));
    }

    [Fact]
    public async Task A_frame_beyond_the_bound_closes_its_link_and_no_other()
    {
        await using var node = await TestNode.StartAsync(NodeOptions.Default with { Limits = LinkLimits.Default with { MaxFrameBytes = 100_000 } });
        var (here, _, _, heardThere) = await node.LinkAsync();
        using var socket = await RawLinkAsync(node);
        var raw = await node.NextLinkAsync();
        await SendAsync(socket, new byte[150_000]);
        var end = await raw.Recorder.Ended;
        Assert.Equal(LinkEndKind.Violation, end.Kind);
        Assert.Contains("100,000", end.Reason);

        here.Send(new DropCachedBlocks(5));
        Assert.Equal(5, (await heardThere.NextAsync<DropCachedBlocks>()).Rdd);
    }

    [Fact]
    public async Task An_unknown_kind_of_message_closes_the_link_with_what_was_wrong()
    {
        await using var node = await TestNode.StartAsync();
        using var socket = await RawLinkAsync(node);
        await SendAsync(socket, "[{\"t\":\"no-such-kind\"}]"u8.ToArray());
        var raw = await node.NextLinkAsync();
        Assert.Equal(LinkEndKind.Violation, (await raw.Recorder.Ended).Kind);
        var answer = await socket.ReceiveAsync(new byte[1000].AsMemory(), default);
        Assert.Equal(WebSocketMessageType.Close, answer.MessageType);
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, socket.CloseStatus);
    }

    [Fact]
    public async Task Random_frames_close_their_connections_and_the_server_goes_on()
    {
        await using var node = await TestNode.StartAsync();
        var (here, _, _, heardThere) = await node.LinkAsync();
        for (var seed = 0; seed < 300; seed++)
        {
            // Even ones before, odd ones after the handshake.
            var random = new Random(seed);
            var bytes = new byte[random.Next(1, 2000)];
            random.NextBytes(bytes);
            using var socket = seed % 2 == 0 ? await RawSocketAsync(node) : await RawLinkAsync(node);
            await SendAsync(socket, bytes);
            var ended = await EndOfAsync(socket).WaitAsync(TestNode.Patience);
            Assert.True(ended, $"seed {seed}");
        }
        here.Send(new DropCachedBlocks(5));
        Assert.Equal(5, (await heardThere.NextAsync<DropCachedBlocks>()).Rdd);
    }

    [Fact]
    public async Task Random_bytes_on_the_port_do_the_server_no_harm()
    {
        await using var node = await TestNode.StartAsync();
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var bytes = new byte[random.Next(1, 3000)];
            random.NextBytes(bytes);
            using var socket = new TcpClient();
            await socket.ConnectAsync(node.Server.Url.Host, node.Server.Url.Port);
            await socket.GetStream().WriteAsync(bytes);
        }
        var (here, _, _, heardThere) = await node.LinkAsync();
        here.Send(new DropCachedBlocks(5));
        Assert.Equal(5, (await heardThere.NextAsync<DropCachedBlocks>()).Rdd);
    }

    [Fact]
    public async Task A_handler_that_throws_loses_its_link_only()
    {
        await using var node = await TestNode.StartAsync();
        var (other, _, _, heardThere) = await node.LinkAsync();
        var link = await node.Client.ConnectAsync(node.Server.Url, ScopeName.Cluster, ClusterToken.Open);
        var faulty = new Faulty();
        link.Start(faulty);
        var there = await node.NextLinkAsync();
        there.Channel.Send(new DropCachedBlocks(1));
        Assert.Contains("a fault", (await faulty.Ended.Task.WaitAsync(TestNode.Patience)).Reason);
        await there.Recorder.Ended;
        other.Send(new DropCachedBlocks(5));
        Assert.Equal(5, (await heardThere.NextAsync<DropCachedBlocks>()).Rdd);
    }

    [Fact]
    public async Task A_server_that_stops_says_goodbye_on_all_links()
    {
        var node = await TestNode.StartAsync();
        var links = new List<Recorder>();
        for (var i = 0; i < 5; i++) links.Add((await node.LinkAsync()).Heard);
        await node.DisposeAsync();
        foreach (var heard in links) Assert.Equal(LinkEndKind.ClosedThere, (await heard.Ended).Kind);
    }

    [Fact]
    public async Task A_link_whose_other_end_does_not_read_is_given_up()
    {
        await using var node = await TestNode.StartAsync(NodeOptions.Default with { Limits = LinkLimits.Default with { MaxWaitingMessages = 1000 } });
        using var socket = await RawLinkAsync(node);
        var there = await node.NextLinkAsync();
        var text = new string('x', 10_000);
        for (var i = 0; i < 20_000 && there.Channel.Send(new KillAttempt(new TaskId(i), text)); i++) { }
        Assert.Contains("does not read", (await there.Recorder.Ended).Reason);
    }

    [Fact]
    public async Task A_pair_in_memory_behaves_as_a_link_does()
    {
        var (one, other) = ControlChannel.CreatePair();
        var (heardOne, heardOther) = (new Recorder(), new Recorder());
        for (var i = 0; i < 1000; i++) Assert.True(one.Send(new DropCachedBlocks(i)));
        one.Start(heardOne);
        other.Start(heardOther);
        for (var i = 0; i < 1000; i++) Assert.Equal(i, (await heardOther.NextAsync<DropCachedBlocks>()).Rdd);
        Assert.Equal([1, 2, 3], one.Unseal(other.Seal([1, 2, 3])));

        await other.CloseAsync("done");
        Assert.Equal(LinkEndKind.ClosedHere, (await heardOther.Ended).Kind);
        Assert.Equal(LinkEndKind.ClosedThere, (await heardOne.Ended).Kind);
        Assert.False(one.Send(new DropCachedBlocks(1)));
        Assert.Equal((1, 1), (heardOne.Ends, heardOther.Ends));
    }

    [Fact]
    public async Task A_pair_in_memory_can_be_broken()
    {
        var (one, other) = ControlChannel.CreatePair();
        var (heardOne, heardOther) = (new Recorder(), new Recorder());
        one.Start(heardOne);
        other.Start(heardOther);
        ((MemoryChannel)one).Break("cut");
        Assert.Equal((LinkEndKind.Lost, LinkEndKind.Lost), ((await heardOne.Ended).Kind, (await heardOther.Ended).Kind));
        await one.CloseAsync("again");
        Assert.Equal((1, 1), (heardOne.Ends, heardOther.Ends));
    }

    private static async Task<ClientWebSocket> RawSocketAsync(TestNode node)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(node.Server.Url) { Scheme = "ws", Path = "/control" }.Uri, default);
        return socket;
    }

    private static async Task<ClientWebSocket> RawLinkAsync(TestNode node)
    {
        var socket = await RawSocketAsync(node);
        await Handshake.ConnectAsync(socket, node.Server.Url, ScopeName.Cluster, ClusterToken.Open, default);
        return socket;
    }

    private static async Task SendAsync(WebSocket socket, byte[] bytes)
    {
        try
        {
            await socket.SendAsync(bytes.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, default);
        }
        catch (WebSocketException)
        {
            // Closed before all was sent.
        }
    }

    private static async Task<bool> EndOfAsync(WebSocket socket)
    {
        try
        {
            return (await socket.ReceiveAsync(new byte[1000].AsMemory(), default)).MessageType == WebSocketMessageType.Close;
        }
        catch (WebSocketException)
        {
            return true;
        }
    }

    private sealed class Faulty : IControlHandler
    {
        public TaskCompletionSource<LinkEnd> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Received(IReadOnlyList<ControlMessage> messages) => throw new InvalidOperationException("a fault");

        void IControlHandler.Ended(LinkEnd end) => Ended.TrySetResult(end);
    }
}
