using Dataflow.Cluster;
using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Tracking;

namespace Dataflow.Engine.Tests.Cluster;

public sealed class MapOutputAnswersTests
{
    private static readonly ShuffleId Shuffle = new(3);

    private readonly MapOutputTracker _outputs = new();
    private readonly MapOutputAnswers _answers = new();
    private readonly Dictionary<WorkerId, BlockServer> _servers = [];
    private long _changes;

    public MapOutputAnswersTests()
    {
        _outputs.Declare(Shuffle, maps: 3, reducePartitions: 2);
        for (var worker = 0; worker < 2; worker++) Serve(worker, $"http://worker{worker}:7077/");
        for (var map = 0; map < 3; map++) Write(map, worker: map % 2, attempt: 100 + map);
    }

    [Fact]
    public void Locations_come_back_as_they_were()
    {
        var dice = new Random(12);
        var servers = Enumerable.Range(0, 700).Select(i => new BlockServer(new WorkerId(dice.Next()), $"http://w{i}/", i % 3 == 0 ? "" : $"höst {i}", i % 2 == 0 ? null : "/f")).ToArray();
        int[] maps = [.. Enumerable.Range(0, 5000).Select(_ => dice.Next(-1, 700))];
        long[] writers = [.. Enumerable.Range(0, 5000).Select(i => i == 7 ? long.MaxValue : dice.NextInt64(1L << 40))];
        var read = MapOutputLocations.Decode(new MapOutputLocations(servers, maps, writers).Encode());
        Assert.Equal(servers, read.Servers);
        Assert.Equal(maps, read.Maps);
        Assert.Equal(writers, read.Writers);
        Assert.True(read.HasHoles);
    }

    [Fact]
    public void All_that_ask_are_given_the_same_answer()
    {
        var first = Ask();
        Assert.Same(first, Ask());
        Assert.Equal([0, 1, 0], Read(first).Maps);
        Assert.Equal([100, 101, 102], Read(first).Writers);
    }

    [Fact]
    public void An_output_that_was_lost_and_written_again_makes_another_answer()
    {
        var first = Ask();
        _outputs.Unregister(Shuffle, 1, new MapLocation(new WorkerId(1), new TaskId(101)));
        Assert.Equal([0, -1, 0], Read(Ask()).Maps);
        Write(1, worker: 0, attempt: 200);
        Assert.Equal([0, 0, 0], Read(Ask()).Maps);
        Assert.True(Ask().Epoch > first.Epoch);
    }

    [Fact]
    public void An_output_that_another_server_took_over_makes_another_answer()
    {
        Ask();
        _outputs.Move(Shuffle, 1, new MapLocation(new WorkerId(1), new TaskId(101)), new WorkerId(0));
        Assert.Equal([0, 0, 0], Read(Ask()).Maps);
    }

    [Fact]
    public void A_server_that_moved_or_went_makes_another_answer()
    {
        Ask();
        Serve(1, "http://elsewhere:7077/");
        Assert.Equal("http://elsewhere:7077/", Read(Ask()).Servers[1].DataUrl);
        _servers.Remove(new WorkerId(1));
        _changes++;
        Assert.Equal([0, -1, 0], Read(Ask()).Maps);
    }

    [Fact]
    public void A_shuffle_that_is_forgotten_is_not_known_any_more()
    {
        Ask();
        _outputs.Remove(Shuffle);
        _answers.Drop(Shuffle);
        Assert.Null(Ask().Locations);
    }

    private void Serve(int worker, string url)
    {
        _servers[new WorkerId(worker)] = new BlockServer(new WorkerId(worker), url, $"host{worker}", null);
        _changes++;
    }

    private void Write(int map, int worker, long attempt) =>
        _outputs.Register(Shuffle, map, new MapStatus(new MapLocation(new WorkerId(worker), new TaskId(attempt)), [1, 2], [1, 1], 0));

    private MapOutputsAnswer Ask() => _answers.Of(Shuffle, _outputs, _changes, worker => _servers.GetValueOrDefault(worker));

    private static MapOutputLocations Read(MapOutputsAnswer answer) => MapOutputLocations.Decode(answer.Locations!);
}
