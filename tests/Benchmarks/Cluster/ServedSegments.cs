using Dataflow.Benchmarks.Running;
using Dataflow.Cluster;
using Dataflow.Scheduling;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Benchmarks.Cluster;

/// <summary>A server of shuffle segments in memory, and readers of it, both in this process.</summary>
internal sealed class ServedSegments : IBlockProvider, IDisposable
{
    public const int SegmentBytes = 256 << 10;

    private const string Application = "bench";
    private const int Different = 15;

    private readonly NativePool _pool = new();
    private readonly NativeBuffer _memory;
    private readonly NodeServer _server;
    private readonly NodeClient _client;
    private readonly BlockSource _source;
    private readonly int _segments;

    /// <param name="options">How both ends listen and dial.</param>
    /// <param name="segments">How many are read in all.</param>
    public ServedSegments(NodeOptions options, int segments)
    {
        _segments = segments / Session.Cores;
        _memory = _pool.Rent((Different + 1) * SegmentBytes);
        _memory.Span.Fill(7);
        var secret = ClusterToken.Create();
        _server = NodeServer.StartAsync(options, _ => { }).GetAwaiter().GetResult();
        _server.Admit(Application, secret, this);
        _client = new NodeClient(options);
        _source = new BlockSource(_server.Url, Application, secret);
    }

    /// <summary>What one <see cref="Fetch"/> reads.</summary>
    public long Bytes => (long)_segments * Session.Cores * SegmentBytes;

    // Always the same memory: what is measured is the way.
    public ServedBlock Open(BlockName name, bool near) => ServedBlock.Of(_memory.Memory.Slice(name.Second % Different * SegmentBytes, SegmentBytes));

    /// <summary>A reduce task on each core, each with one request for a segment of every map.</summary>
    public long Fetch() => Task.WhenAll(Enumerable.Range(0, Session.Cores).Select(task => Task.Run(async () =>
    {
        var read = 0L;
        var reader = new RemoteBlockReader(_client, _pool);
        var names = Enumerable.Range(0, _segments).Select(map => BlockName.Shuffle(new ShuffleId(task), map, new TaskId(map), 0, 1)).ToArray();
        await foreach (var block in reader.FetchAsync(_source, names, new BytesInFlight()))
        {
            if (block.Failure is not null) throw new InvalidOperationException(block.Problem);
            read += block.Bytes;
            block.Dispose();
        }
        return read;
    }))).GetAwaiter().GetResult().Sum();

    public void Dispose()
    {
        _client.Dispose();
        _server.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _memory.Dispose();
        _pool.Dispose();
    }
}
