using System.Threading.Channels;
using Dataflow.Cluster;
using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Storage;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>What an executor fetches of a worker that leaves, over the wire: whole and checked, or not at all.</summary>
public sealed class TakeOverTests : IAsyncLifetime
{
    private const int Reducers = 3;

    private static readonly ShuffleId Shuffle = new(4);

    private readonly ClusterToken _secret = ClusterToken.Create();
    private readonly TempDirectory _root = new();
    private readonly NativePool _pool = new();
    private readonly Channel<TookOver> _said = Channel.CreateUnbounded<TookOver>();
    private readonly TestBlocks _cached = new();
    private TempFolders _temp = null!;
    private MemoryBudget _budget = null!;
    private BlockStore _store = null!;
    private ShuffleFolder _here = null!;
    private ShuffleFolder _there = null!;
    private TestNode _source = null!;
    private TakeOvers _takeOvers = null!;

    public async Task InitializeAsync()
    {
        _temp = new TempFolders(Path.Combine(_root.Path, "temp"));
        _budget = new MemoryBudget(64 << 20, _pool, TimeSpan.FromSeconds(1));
        _store = new BlockStore(_budget, _pool, _temp);
        _here = new ShuffleFolder(Path.Combine(_root.Path, "here"));
        _there = new ShuffleFolder(Path.Combine(_root.Path, "there"));
        _source = await TestNode.StartAsync();
        _source.Server.Admit("app", _secret, new Served(new MapFileProvider(_there), _cached));
        _takeOvers = Receiver(_secret);
        for (var map = 0; map < 3; map++) Write(map);
    }

    public async Task DisposeAsync()
    {
        _takeOvers.Dispose();
        await _source.DisposeAsync();
        _store.Dispose();
        _here.Dispose();
        _there.Dispose();
        Assert.Null(_pool.LeakReport());
        _pool.Dispose();
        _temp.Dispose();
        _root.Dispose();
    }

    [Fact]
    public async Task Outputs_arrive_as_they_were_also_in_pieces()
    {
        _takeOvers.Take(Ask([Reducers], [1, 2, Reducers], [2, Reducers]));
        var taken = await NextAsync();
        Assert.Equal([0, 1, 2], taken);
        for (var map = 0; map < 3; map++) Assert.Equal(File.ReadAllBytes(_there.PathOf(Id(map))), File.ReadAllBytes(_here.PathOf(Id(map))));
    }

    [Theory]
    [InlineData("damaged")]
    [InlineData("cut short")]
    [InlineData("missing")]
    public async Task An_output_that_can_not_be_had_whole_is_not_taken_and_the_others_are(string fault)
    {
        var path = _there.PathOf(Id(1));
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2 - 60] ^= 1;
        if (fault == "damaged") File.WriteAllBytes(path, bytes);
        if (fault == "cut short") File.WriteAllBytes(path, bytes[..^1]);
        if (fault == "missing") File.Delete(path);
        _takeOvers.Take(Ask([1, Reducers], [1, Reducers], [1, Reducers]));
        var taken = await NextAsync();
        Assert.Equal([0, 2], taken);
        Assert.Equal(["0-100", "2-102"], Here());
    }

    [Fact]
    public async Task With_another_secret_nothing_is_had()
    {
        using var stranger = Receiver(ClusterToken.Create());
        stranger.Take(Ask([Reducers]));
        Assert.Empty(await NextAsync());
        Assert.Empty(Here());
    }

    [Fact]
    public async Task A_source_that_is_gone_gives_nothing()
    {
        var ask = Ask([Reducers]);
        await _source.DisposeAsync();
        _takeOvers.Take(ask);
        Assert.Empty(await NextAsync());
        Assert.Empty(Here());
    }

    [Fact]
    public async Task A_full_disk_takes_nothing()
    {
        // A file where the folder would be.
        Directory.CreateDirectory(_here.Path);
        File.WriteAllText(Path.Combine(_here.Path, Shuffle.ToString()), "");
        _takeOvers.Take(Ask([Reducers]));
        Assert.Empty(await NextAsync());
    }

    [Fact]
    public async Task A_cached_partition_is_kept_and_told_of_before_the_answer()
    {
        var block = new RddBlockId(7, 1);
        _cached.Add(BlockName.Cached(block), [1, 2, 3]);
        var told = new List<BlockUpdate>();
        _store.Updated += told.Add;
        var from = _source.Server.Url.ToString();
        _takeOvers.Take(new CopyBlock(7, 1, from, 1, 0, 11));
        _takeOvers.Take(new CopyBlock(7, 2, from, 1, 0, 12));
        Assert.Empty(await NextAsync());
        Assert.Equal(block, Assert.Single(told).Id);
        Assert.Empty(await NextAsync());
        Assert.True(_store.Contains(block));
        Assert.False(_store.Contains(new RddBlockId(7, 2)));
    }

    [Fact]
    public async Task An_executor_that_ends_answers_nothing_more_than_it_has()
    {
        _takeOvers.Dispose();
        _takeOvers.Take(Ask([Reducers]));
        Assert.Empty(await NextAsync());
        Assert.Empty(Here());
    }

    private TakeOvers Receiver(ClusterToken secret)
    {
        var reader = new RemoteBlockReader(_source.Client, _pool);
        var start = new ExecutorStart("app", new ExecutorId(1), _source.Server.Url, secret, "host", 1, 1 << 20, _root.Path);
        return new TakeOvers(reader, new CachedPeers(reader, "app", secret), _store, _here, start, message => _said.Writer.TryWrite((TookOver)message));
    }

    private CopyOutputs Ask(params int[][] ends) =>
        new(3, _source.Server.Url.ToString(), [.. ends.Select((cuts, map) => new MovedOutput(Shuffle, map, Id(map).Writer, cuts))]);

    private async Task<int[]> NextAsync() => (await _said.Reader.ReadAsync().AsTask().WaitAsync(TestNode.Patience)).Outputs;

    private string[] Here() => Directory.Exists(_here.Path)
        ? [.. Directory.EnumerateFiles(_here.Path, "*", SearchOption.AllDirectories).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)]
        : [];

    private static MapFileId Id(int map) => new(Shuffle, map, new TaskId(100 + map));

    private void Write(int map)
    {
        var random = new Random(map);
        using var file = new MapFileWriter(_there, Id(map), Reducers);
        for (var reduce = 0; reduce < Reducers; reduce++)
        {
            // One of them without rows, some in several segments.
            for (var segment = 0; segment < (reduce + map) % 3; segment++)
            {
                var bytes = new byte[random.Next(1, 30_000)];
                random.NextBytes(bytes);
                file.Append(reduce, segment, 5, bytes, bytes.Length, 0);
            }
        }
        file.Finish();
    }

    private sealed class Served(IBlockProvider outputs, IBlockProvider cached) : IBlockProvider
    {
        public ServedBlock? Open(BlockName name, bool near) => outputs.Open(name, near) ?? cached.Open(name, near);
    }
}
