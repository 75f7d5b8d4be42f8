using System.Buffers;
using System.Security.Cryptography;
using Dataflow.Cluster;
using Dataflow.Serialization;
using Dataflow.Shuffle;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Engine.Tests.Cluster;

public sealed class BlockFetchTests : IAsyncLifetime
{
    private readonly ClusterToken _secret = ClusterToken.Create();
    private readonly TestBlocks _blocks = new();
    private readonly NativePool _pool = new();
    private readonly BytesInFlight _room = new();
    private TestNode _node = null!;

    private BlockSource Source => new(_node.Server.Url, "app", _secret);

    public async Task InitializeAsync()
    {
        _node = await TestNode.StartAsync();
        _node.Server.Admit("app", _secret, _blocks);
    }

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        Assert.Equal(0, _room.Held);
        Assert.Null(_pool.LeakReport());
        _pool.Dispose();
    }

    [Fact]
    public async Task Many_blocks_of_all_sizes_come_with_one_request_in_order_and_missing_ones_are_told()
    {
        var names = new List<BlockName>();
        var contents = new Dictionary<BlockName, byte[]>();
        var random = new Random(5);
        for (var i = 0; i < 500; i++)
        {
            var name = Name(i);
            names.Add(name);
            if (i % 7 == 3) continue;
            var bytes = new byte[i % 50 == 0 ? 3_000_000 : random.Next(0, 5000)];
            random.NextBytes(bytes);
            contents.Add(name, bytes);
            _blocks.Add(name, bytes);
        }
        var next = 0;
        await foreach (var block in FetchAsync(names))
        {
            using var _ = block;
            Assert.Equal(next++, block.Index);
            if (contents.TryGetValue(block.Name, out var expected)) Assert.True(expected.AsSpan().SequenceEqual(Bytes(block)), $"block {block.Index}");
            else Assert.Equal(FetchFailure.Missing, block.Failure);
        }
        Assert.Equal(names.Count, next);
    }

    [Fact]
    public async Task A_block_larger_than_the_room_passes_and_the_rest_wait_for_it()
    {
        for (var i = 0; i < 20; i++) _blocks.Add(Name(i), new byte[5_000_000]);
        var room = new BytesInFlight(1_000_000);
        var most = 0L;
        await foreach (var block in new RemoteBlockReader(_node.Client, _pool).FetchAsync(Source, [.. Enumerable.Range(0, 20).Select(Name)], room))
        {
            most = Math.Max(most, room.Held);
            Assert.Equal(5_000_000, block.Bytes);
            block.Dispose();
        }
        Assert.InRange(most, 5_000_000, 6_000_000);
        Assert.Equal(0, room.Held);
    }

    [Fact]
    public async Task Two_unfinished_blocks_never_wait_for_each_other()
    {
        var room = new BytesInFlight(100);
        object one = new(), other = new();
        await room.ReserveAsync(one, 60, default);
        await room.ReserveAsync(other, 40, default);
        await room.ReserveAsync(one, 60, default);
        var waits = room.ReserveAsync(other, 60, default).AsTask();
        Assert.False(waits.IsCompleted);
        room.Deliver(one, 120);
        Assert.False(waits.IsCompleted);
        room.Release(120);
        await waits.WaitAsync(TestNode.Patience);
        room.Drop(other, 100);
        Assert.Equal(0, room.Held);
    }

    [Fact]
    public async Task A_block_that_the_server_finds_damaged_is_corrupt_and_the_others_come()
    {
        _blocks.Add(Name(0), [1]);
        _blocks.Blocks[Name(1)] = () => new BrokenBlock(() => throw new CorruptDataException("its bytes rotted"));
        _blocks.Add(Name(2), [2]);
        var got = await ListAsync([Name(0), Name(1), Name(2)]);
        Assert.Equal([null, FetchFailure.Corrupt, null], got.OrderBy(block => block.Index).Select(block => block.Failure));
        Assert.Contains("rotted", got.Single(block => block.Index == 1).Problem);
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(2, FetchFailure.Corrupt)]
    public async Task Bytes_that_change_on_their_way_are_asked_for_once_more(int times, FetchFailure? failure)
    {
        var left = times;
        _blocks.Add(Name(0), [1]);
        _blocks.Blocks[Name(1)] = () => ServedBlock.Of(left-- > 0 ? new Flickering(100_000).Memory : new byte[100_000]);
        _blocks.Add(Name(2), [2]);
        var got = await ListAsync([Name(0), Name(1), Name(2)]);
        Assert.Equal([0, 1, 2], got.Select(block => block.Index).Order());
        Assert.Equal(failure, got.Single(block => block.Index == 1).Failure);
        Assert.All(got.Where(block => block.Index != 1), block => Assert.Null(block.Failure));
    }

    [Fact]
    public async Task A_server_that_vanishes_in_the_middle_is_unreachable_for_what_had_not_come()
    {
        var vanish = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gone = new ManualResetEventSlim();
        _blocks.Add(Name(0), new byte[100_000]);
        _blocks.Blocks[Name(1)] = () => new BrokenBlock(() =>
        {
            vanish.TrySetResult();
            gone.Wait();
            throw new IOException("the disk went too");
        });
        _blocks.Add(Name(2), [2]);
        var fetching = ListAsync([Name(0), Name(1), Name(2)]);
        await vanish.Task.WaitAsync(TestNode.Patience);
        var stopping = _node.Server.DisposeAsync().AsTask();
        // The port is closed and the connection cut before the block goes on.
        var got = await fetching.WaitAsync(TestNode.Patience);
        gone.Set();
        await stopping.WaitAsync(TestNode.Patience);
        Assert.Equal(3, got.Count);
        Assert.Equal(FetchFailure.Unreachable, got.Single(block => block.Index == 1).Failure);
        Assert.Equal(FetchFailure.Unreachable, got.Single(block => block.Index == 2).Failure);
        Assert.Contains(_node.Server.Url.ToString(), got[^1].Problem);
    }

    [Fact]
    public async Task A_server_that_is_not_there_or_refuses_is_unreachable()
    {
        var wrong = Source with { Secret = ClusterToken.Create() };
        Assert.All(await ListAsync([Name(0), Name(1)], wrong), block => Assert.Equal(FetchFailure.Unreachable, block.Failure));
        await _node.Server.DisposeAsync();
        Assert.All(await ListAsync([Name(0), Name(1)]), block => Assert.Equal(FetchFailure.Unreachable, block.Failure));
    }

    [Fact]
    public async Task Who_stops_in_the_middle_leaves_nothing_behind()
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _blocks.Add(Name(0), new byte[1_000_000]);
        _blocks.Blocks[Name(1)] = () => new EndlessBlock(closed);
        await foreach (var block in FetchAsync([Name(0), Name(1)]))
        {
            block.Dispose();
            break;
        }
        await closed.Task.WaitAsync(TestNode.Patience);
    }

    [Fact]
    public async Task A_cancelled_fetch_ends_and_leaves_nothing_behind()
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _blocks.Add(Name(0), new byte[1_000_000]);
        _blocks.Blocks[Name(1)] = () => new EndlessBlock(closed);
        using var cancel = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var block in new RemoteBlockReader(_node.Client, _pool).FetchAsync(Source, [Name(0), Name(1)], _room, cancel.Token))
            {
                block.Dispose();
                cancel.Cancel();
            }
        });
        await closed.Task.WaitAsync(TestNode.Patience);
    }

    [Fact]
    public async Task Segments_in_memory_as_objects_and_on_disk_come_as_the_rows_that_were_written()
    {
        using var services = new ExecutorServices(new(0), new(0), DataflowOptions.Default);
        var store = services.Shuffles;
        var output = store.Begin(new(3), 12, 8, new TaskDescription(new(1), new(0), new(0), 0, 12, 0));
        var written = new List<(int Part, int Tag, string[] Rows)>();
        for (var i = 0; i < 24; i++)
        {
            // The first eight go to disk.
            if (i == 8) Assert.True(output.Spill(long.MaxValue) > 0);
            var rows = Enumerable.Range(0, 100 + i).Select(row => $"row {row} of segment {i}").ToArray();
            var (part, tag) = (i % 8, i);
            written.Add((part, tag, rows));
            if (i % 2 == 0)
            {
                output.Add(part, new Segment(tag, rows.Length, new ObjectBody<string>(rows, rows.Length, 4000)));
                continue;
            }
            using var writer = new BlockWriter();
            Codec<string>.Default.Write(writer, rows);
            var buffer = store.Pool.Rent(writer.Length);
            writer.Written.CopyTo(buffer.Span);
            output.Add(part, new Segment(tag, rows.Length, new NativeBody(buffer, writer.Length)));
        }
        store.Register(new(3), output);
        var provider = new ShuffleBlockProvider(store);
        _node.Server.Admit("app", _secret, provider);

        var got = new List<(int Part, int Tag, string[] Rows)>();
        await foreach (var block in FetchAsync([BlockName.Shuffle(new(3), 12, new(1), 0, 5), BlockName.Shuffle(new(3), 12, new(1), 5, 8), BlockName.Shuffle(new(3), 12, new(1), 5, 9), BlockName.Shuffle(new(3), 11, new(1), 0, 1),
            BlockName.Shuffle(new(3), 12, new(2), 0, 1)]))
        {
            using var _ = block;
            Assert.Equal(block.Index >= 2 ? FetchFailure.Missing : null, block.Failure);
            foreach (var piece in block.Pieces)
            {
                var segment = piece.ToSegment();
                var rows = new string[segment.Rows];
                using (var view = segment.Body.Open())
                {
                    var reader = new BlockReader(view.Bytes);
                    Codec<string>.Default.Read(ref reader, rows);
                }
                segment.Body.Free();
                got.Add((piece.Part, piece.Tag, rows));
            }
        }
        Assert.Equal(written.OrderBy(segment => segment.Part).ThenBy(segment => segment.Tag).Select(Show), got.Select(Show));

        // For a reader on another machine the same segments are compressed.
        using var far = provider.Open(BlockName.Shuffle(new(3), 12, new(1), 0, 8), near: false)!;
        var compressed = 0;
        while (far.TryNext(out var piece)) compressed += piece.Compression == 0 ? 0 : 1;
        Assert.Equal(24, compressed);

        static string Show((int Part, int Tag, string[] Rows) segment) => $"{segment.Part} {segment.Tag} {string.Join(';', segment.Rows)}";
    }

    [Fact]
    public async Task A_file_comes_by_its_hash_and_one_that_differs_from_it_is_corrupt()
    {
        var content = new byte[3_333_333];
        new Random(1).NextBytes(content);
        var good = BlockName.Code(Convert.ToHexStringLower(SHA256.HashData(content)));
        var bad = BlockName.Code(new string('a', 64));
        _blocks.Add(good, content);
        _blocks.Add(bad, content);
        using var received = new MemoryStream();
        Assert.Null(await BlockDownload.ToStreamAsync(_node.Client, Source, good, received));
        Assert.Equal(content, received.ToArray());
        Assert.Equal(FetchFailure.Corrupt, (await BlockDownload.ToStreamAsync(_node.Client, Source, bad, new MemoryStream()))!.Failure);
        Assert.Equal(FetchFailure.Missing, (await BlockDownload.ToStreamAsync(_node.Client, Source, BlockName.Code(new string('b', 64)), new MemoryStream()))!.Failure);
        var secret = Source with { Secret = ClusterToken.Create() };
        Assert.Equal(FetchFailure.Unreachable, (await BlockDownload.ToStreamAsync(_node.Client, secret, good, new MemoryStream()))!.Failure);
    }

    private static BlockName Name(int partition) => BlockName.Cached(new RddBlockId(7, partition));

    private static byte[] Bytes(FetchedBlock block) => [.. block.Pieces.SelectMany(piece => piece.Bytes.Span.ToArray())];

    private IAsyncEnumerable<FetchedBlock> FetchAsync(IReadOnlyList<BlockName> names) => new RemoteBlockReader(_node.Client, _pool).FetchAsync(Source, names, _room);

    private async Task<List<FetchedBlock>> ListAsync(IReadOnlyList<BlockName> names, BlockSource? source = null)
    {
        var all = new List<FetchedBlock>();
        await foreach (var block in new RemoteBlockReader(_node.Client, _pool).FetchAsync(source ?? Source, names, _room))
        {
            all.Add(block);
            block.Dispose();
        }
        return all;
    }

    /// <summary>One good piece, then what the test says.</summary>
    private sealed class BrokenBlock(Action then) : ServedBlock
    {
        private int _pieces;

        public override bool TryNext(out BlockPiece piece)
        {
            if (_pieces++ > 0) then();
            piece = new BlockPiece(0, 0, 0, 10, 0, new byte[10]);
            return true;
        }
    }

    /// <summary>Pieces without end; says when it was let go.</summary>
    private sealed class EndlessBlock(TaskCompletionSource closed) : ServedBlock
    {
        private readonly byte[] _bytes = new byte[100_000];

        public override bool TryNext(out BlockPiece piece)
        {
            piece = new BlockPiece(0, 0, 0, _bytes.Length, 0, _bytes);
            return true;
        }

        public override void Dispose() => closed.TrySetResult();
    }

    /// <summary>Memory that is other bytes when it is sent than when its checksum was made.</summary>
    private sealed class Flickering(int length) : MemoryManager<byte>
    {
        private readonly byte[] _bytes = new byte[length];
        private int _looks;

        public override Span<byte> GetSpan()
        {
            _bytes[length / 2] = (byte)_looks++;
            return _bytes;
        }

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin() { }

        protected override void Dispose(bool disposing) { }
    }
}
