using Dataflow.Cluster;
using Dataflow.Storage;

namespace Dataflow.Engine.Tests.Cluster;

public sealed class BlockFetchTests
{
    [Fact]
    public async Task Many_blocks_of_all_sizes_come_with_one_request_in_order_and_missing_ones_are_told()
    {
        await using var node = await TestNode.StartAsync();
        var secret = ClusterToken.Create();
        var blocks = new TestBlocks();
        var names = new List<BlockName>();
        var random = new Random(5);
        for (var i = 0; i < 500; i++)
        {
            var name = BlockName.Cached(new RddBlockId(7, i));
            names.Add(name);
            if (i % 7 == 3) continue;
            var bytes = new byte[i % 50 == 0 ? 3_000_000 : random.Next(0, 5000)];
            random.NextBytes(bytes);
            blocks.Add(name, bytes);
        }
        node.Server.Admit("app", secret, blocks);
        using var pool = new NativePool();
        var room = new BytesInFlight();
        var reader = new RemoteBlockReader(node.Client, pool);

        var next = 0;
        await foreach (var block in reader.FetchAsync(new BlockSource(node.Server.Url, "app", secret), names, room))
        {
            using var _ = block;
            Assert.Equal(next++, block.Index);
            if (!blocks.Blocks.TryGetValue(block.Name, out var open))
            {
                Assert.Equal(Tasks.FetchFailure.Missing, block.Failure);
                continue;
            }
            Assert.Null(block.Failure);
            var expected = new List<byte>();
            using (var served = open())
            {
                while (served.TryNext(out var piece)) expected.AddRange(piece.Stored.Span);
            }
            Assert.Equal(expected, block.Pieces.SelectMany(piece => piece.Bytes.Span.ToArray()));
        }
        Assert.Equal(names.Count, next);
        Assert.Equal(0, room.Held);
        Assert.Null(pool.LeakReport());
    }
}
