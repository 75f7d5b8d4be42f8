using System.Collections.Concurrent;
using System.Threading.Channels;
using Dataflow.Cluster;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>Keeps what a link delivers, for tests to wait for.</summary>
internal sealed class Recorder : IControlHandler
{
    private readonly Channel<ControlMessage> _messages = Channel.CreateUnbounded<ControlMessage>();
    private readonly TaskCompletionSource<LinkEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _ends;

    public ConcurrentQueue<int> FrameLengths { get; } = new();

    public int Ends => _ends;

    public Task<LinkEnd> Ended => _ended.Task.WaitAsync(TestNode.Patience);

    public void Received(IReadOnlyList<ControlMessage> messages)
    {
        FrameLengths.Enqueue(messages.Count);
        foreach (var message in messages) _messages.Writer.TryWrite(message);
    }

    void IControlHandler.Ended(LinkEnd end)
    {
        Interlocked.Increment(ref _ends);
        _messages.Writer.TryComplete();
        _ended.TrySetResult(end);
    }

    public async Task<ControlMessage> NextAsync() => await _messages.Reader.ReadAsync().AsTask().WaitAsync(TestNode.Patience);

    public async Task<T> NextAsync<T>() where T : ControlMessage => Assert.IsType<T>(await NextAsync());
}

/// <summary>A server that records its links, and a client.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    /// <summary>How long a test waits for what must come; reached only by a test that fails.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Channel<(string Scope, IControlChannel Channel, Recorder Recorder)> _links = Channel.CreateUnbounded<(string, IControlChannel, Recorder)>();

    private TestNode(NodeOptions options) => Client = new NodeClient(options);

    public NodeServer Server { get; private set; } = null!;

    public NodeClient Client { get; }

    public static async Task<TestNode> StartAsync(NodeOptions? options = null)
    {
        options ??= NodeOptions.Default;
        var node = new TestNode(options);
        node.Server = await NodeServer.StartAsync(options, node.Accept);
        return node;
    }

    public async Task<(string Scope, IControlChannel Channel, Recorder Recorder)> NextLinkAsync() => await _links.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    /// <summary>A link, both ends of it started.</summary>
    public async Task<(IControlChannel Here, Recorder Heard, IControlChannel There, Recorder HeardThere)> LinkAsync(ClusterToken? token = null)
    {
        var here = await Client.ConnectAsync(Server.Url, ScopeName.Cluster, token ?? ClusterToken.Open);
        var heard = new Recorder();
        here.Start(heard);
        var there = await NextLinkAsync();
        return (here, heard, there.Channel, there.Recorder);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
    }

    private void Accept(AcceptedLink link)
    {
        var recorder = new Recorder();
        link.Channel.Start(recorder);
        _links.Writer.TryWrite((link.Scope, link.Channel, recorder));
    }
}

/// <summary>Blocks in memory, by name.</summary>
internal sealed class TestBlocks : IBlockProvider
{
    public ConcurrentDictionary<BlockName, Func<ServedBlock>> Blocks { get; } = new();

    public void Add(BlockName name, byte[] bytes) => Blocks[name] = () => ServedBlock.Of(bytes);

    public ServedBlock? Open(BlockName name, bool near) => Blocks.TryGetValue(name, out var open) ? open() : null;
}
