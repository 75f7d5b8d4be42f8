using Dataflow.Cluster;
using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Storage;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>How long a task waits for map outputs of other workers is in its metrics.</summary>
public sealed class FetchWaitTests : IAsyncLifetime
{
    private static readonly ShuffleId Shuffle = new(3);
    private static readonly WorkerId Elsewhere = new(5);

    private readonly ClusterToken _secret = ClusterToken.Create();
    private readonly ManualTimeProvider _time = new();
    private readonly TestBlocks _blocks = new();
    private readonly ExecutorServices _services = new(new(0), new(0), DataflowOptions.Default);
    private TestNode _node = null!;

    public async Task InitializeAsync()
    {
        _node = await TestNode.StartAsync();
        _node.Server.Admit("app", _secret, _blocks);
    }

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        _services.Dispose();
    }

    [Fact]
    public void The_time_until_segments_arrive_counts()
    {
        var name = BlockName.Shuffle(Shuffle, 0, new TaskId(1), 0, 1);
        _blocks.Blocks[name] = () =>
        {
            _time.Advance(TimeSpan.FromSeconds(3));
            return ServedBlock.Of(new byte[64]);
        };
        using var context = Context();
        var outputs = Fetch(context);
        Assert.Equal(64, Assert.Single(Assert.Single(outputs).Segments(0)).Bytes);
        Assert.Equal(TimeSpan.FromSeconds(3), context.Metrics.FetchWaitTime);
        context.Complete();
    }

    [Fact]
    public void So_does_the_time_until_they_turn_out_to_be_missing()
    {
        // Asked for again before it counts as lost.
        var asked = 0;
        _blocks.Blocks[BlockName.Shuffle(Shuffle, 0, new TaskId(1), 0, 1)] = () =>
        {
            asked++;
            _time.Advance(TimeSpan.FromSeconds(2));
            throw new CorruptDataException("It is damaged.");
        };
        using var context = Context();
        Assert.Throws<FetchFailedException>(() => Fetch(context));
        Assert.NotEqual(0, asked);
        Assert.Equal(asked * TimeSpan.FromSeconds(2), context.Metrics.FetchWaitTime);
        context.Complete();
    }

    private TaskContext Context() => new(new TaskDescription(new TaskId(7), new JobId(0), new StageId(1), 0, 0, 0), _services);

    private MapOutput[] Fetch(TaskContext context)
    {
        var locations = new ExecutorMapOutputs(static _ => { });
        var server = new BlockServer(Elsewhere, _node.Server.Url.ToString(), "far away", null);
        locations.Learn(new MapOutputsAnswer(Shuffle, 0, new MapOutputLocations([server], [0], [1]).Encode()));
        var fetcher = new ShuffleFetcher(new RemoteBlockReader(_node.Client, _services.Pool), locations, "here", "app", _secret, _time);
        return fetcher.Fetch(Shuffle, [(0, new MapLocation(Elsewhere, new TaskId(1)))], 0, 1, context);
    }
}
