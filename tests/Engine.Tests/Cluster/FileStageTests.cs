using System.Security.Cryptography;
using Dataflow.Cluster;
using Dataflow.Storage;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>Files of an application over the wire: from another worker or the driver, checked on arrival.</summary>
public sealed class FileStageTests : IAsyncLifetime
{
    private readonly ClusterToken _secret = ClusterToken.Create();
    private readonly TempDirectory _folder = new();
    private readonly NativePool _pool = new();
    private readonly CountedBlocks _ofDriver = new();
    private readonly CountedBlocks _ofPeer = new();
    private readonly List<ControlMessage> _said = [];
    private readonly Queue<string?> _answers = [];
    private readonly byte[] _content = new byte[5_000_000];
    private FileSources _sources = null!;
    private TestNode _driver = null!;
    private TestNode _peer = null!;
    private CodeFile[] _files = [];

    public async Task InitializeAsync()
    {
        new Random(8).NextBytes(_content);
        _files = [new CodeFile("one.dll", Convert.ToHexStringLower(SHA256.HashData(_content)), _content.Length)];
        (_driver, _peer) = (await TestNode.StartAsync(), await TestNode.StartAsync());
        _driver.Server.Admit("app", _secret, _ofDriver);
        _peer.Server.Admit("app", _secret, _ofPeer);
        _ofDriver.Blocks.Add(BlockName.Code(_files[0].Hash), _content);

        // The coordinator, played: what it answers is said before.
        _sources = new FileSources(
            message =>
            {
                lock (_said) _said.Add(message);
                if (message is WantFiles { Here: [] } want) _sources.Answer(new FilesAt(want.Application, 0, _answers.Dequeue()));
            },
            TimeProvider.System);
    }

    public async Task DisposeAsync()
    {
        await _driver.DisposeAsync();
        await _peer.DisposeAsync();
        Assert.Null(_pool.LeakReport());
        _pool.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_file_comes_from_the_worker_that_has_it()
    {
        _ofPeer.Blocks.Add(BlockName.Code(_files[0].Hash), _content);
        _answers.Enqueue(_peer.Server.Url.ToString());
        await FillAsync();
        Assert.Equal((0, 1), (_ofDriver.Opened, _ofPeer.Opened));
        Assert.Equal([true], Said<GotFiles>().Select(got => got.Whole));
        Assert.Equal([0], Said<WantFiles>().Last().Here);
    }

    [Theory]
    [InlineData("another content")]
    [InlineData("nothing")]
    [InlineData("nobody there")]
    [InlineData("another secret")]
    [InlineData("no address")]
    public async Task A_source_that_lies_or_is_dead_is_told_of_and_passed_over(string fault)
    {
        if (fault == "another content") _ofPeer.Blocks.Add(BlockName.Code(_files[0].Hash), _content[1..]);
        if (fault == "another secret") _peer.Server.Admit("app", ClusterToken.Create(), _ofPeer);
        var url = _peer.Server.Url.ToString();
        if (fault == "nobody there") await _peer.DisposeAsync();
        _answers.Enqueue(fault == "no address" ? "nonsense" : url);
        _answers.Enqueue(null);
        await FillAsync();
        Assert.Equal(1, _ofDriver.Opened);
        Assert.Equal([false, true], Said<GotFiles>().Select(got => got.Whole));
    }

    [Fact]
    public async Task Without_a_coordinator_the_driver_has_everything()
    {
        _sources = new FileSources(_ => _sources.GiveUp(), TimeProvider.System);
        await FillAsync();
        Assert.Equal(1, _ofDriver.Opened);
    }

    [Fact]
    public async Task A_driver_that_has_something_else_is_an_error()
    {
        _ofDriver.Blocks.Add(BlockName.Code(_files[0].Hash), _content[1..]);
        _answers.Enqueue(null);
        _answers.Enqueue(null);
        Assert.Contains("with another content", (await Assert.ThrowsAsync<ClusterException>(FillAsync)).Message);
    }

    [Fact]
    public async Task Executors_that_start_at_once_fetch_each_file_once()
    {
        _answers.Enqueue(null);
        var stage = Stage();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => FillAsync(stage, $"executor-{i}")));
        Assert.Equal(1, _ofDriver.Opened);
    }

    [Fact]
    public async Task A_worker_serves_the_files_of_the_application_and_no_others()
    {
        _answers.Enqueue(null);
        var stage = Stage();
        await FillAsync(stage, "executor");
        var name = BlockName.Code(_files[0].Hash);
        using (var served = new StagedFiles(stage, _files).Open(name, near: true)) Assert.NotNull(served);
        Assert.Null(new StagedFiles(stage, []).Open(name, near: true));
    }

    private FileStage Stage() => new(new RemoteBlockReader(_driver.Client, _pool), Path.Combine(_folder.Path, "code"));

    private Task FillAsync() => FillAsync(Stage(), "executor");

    private async Task FillAsync(FileStage stage, string executor)
    {
        var folder = Path.Combine(_folder.Path, executor);
        await stage.FillAsync(folder, _files, new BlockSource(_driver.Server.Url, "app", _secret), _sources).WaitAsync(TestNode.Patience);
        Assert.True((await File.ReadAllBytesAsync(Path.Combine(folder, "one.dll"))).AsSpan().SequenceEqual(_content));
    }

    private List<T> Said<T>()
    {
        lock (_said) return [.. _said.OfType<T>()];
    }

    private sealed class CountedBlocks : IBlockProvider
    {
        private int _opened;

        public TestBlocks Blocks { get; } = new();

        public int Opened => _opened;

        public ServedBlock? Open(BlockName name, bool near)
        {
            Interlocked.Increment(ref _opened);
            return Blocks.Open(name, near);
        }
    }
}
