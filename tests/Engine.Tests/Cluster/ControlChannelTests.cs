using Dataflow.Cluster;

namespace Dataflow.Engine.Tests.Cluster;

public sealed class ControlChannelTests
{
    [Fact]
    public async Task Messages_arrive_in_order_and_a_goodbye_ends_both_ends_once()
    {
        await using var node = await TestNode.StartAsync();
        var (here, heard, _, heardThere) = await node.LinkAsync();
        for (var i = 0; i < 10_000; i++) Assert.True(here.Send(new DropCached(i)));
        for (var i = 0; i < 10_000; i++) Assert.Equal(i, (await heardThere.NextAsync<DropCached>()).Rdd);

        await here.CloseAsync("done");
        Assert.Equal(LinkEndKind.ClosedHere, (await heard.Ended).Kind);
        var end = await heardThere.Ended;
        Assert.Equal(LinkEndKind.ClosedThere, end.Kind);
        Assert.Contains("done", end.Reason);
        Assert.False(here.Send(new DropCached(1)));
        Assert.Equal((1, 1), (heard.Ends, heardThere.Ends));
        Assert.All(heardThere.FrameLengths, length => Assert.InRange(length, 1, FrameWriter.MaxMessages));
        Assert.True(heardThere.FrameLengths.Count < 5_000, $"{heardThere.FrameLengths.Count} frames for 10,000 messages");
    }
}
