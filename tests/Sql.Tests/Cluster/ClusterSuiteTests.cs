using Dataflow.Cluster.Tests;
using Dataflow.Diagnostics;
using Dataflow.Sql.Tests.Queries;
using Dataflow.Sql.Tests.Tpch;

namespace Dataflow.Sql.Tests.Cluster;

/// <summary>What holds in one process holds where all that tasks are made of travels as bytes, and on executors in processes of their own.</summary>
[Collection(ClusterCollection.Name)]
public sealed class ClusterSuiteTests(ClusterPlaces places)
{
    private static readonly Place[] Places = [Place.Shipped, Place.Processes];

    /// <summary>Places and logic files.</summary>
    public static TheoryData<Place, string> Files
    {
        get
        {
            var data = new TheoryData<Place, string>();
            foreach (var place in Places)
            {
                foreach (var file in LogicFileTests.Files) data.Add(place, file);
            }
            return data;
        }
    }

    /// <summary>Places and queries.</summary>
    public static TheoryData<Place, string> Queries
    {
        get
        {
            var data = new TheoryData<Place, string>();
            foreach (var place in Places)
            {
                for (var number = 1; number <= 22; number++) data.Add(place, $"q{number:D2}");
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_record_of_a_logic_file_answers_as_it_says(Place place, string name) => LogicFileTests.Check(places[place], name);

    [Theory]
    [MemberData(nameof(Queries))]
    public async Task Each_query_of_tpch_gives_the_stored_answer(Place place, string name) =>
        await TpchAnswerTests.Check(places[place], name, sharedBuildBytes: (name[^1] & 1) == 0 ? 0 : 20_000_000);

    [Fact]
    public async Task Answers_are_right_when_executors_are_killed_in_the_middle()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString());
        using var two = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(2, TimeSpan.FromMinutes(1));
        var killer = new Killer([one, two]);
        context.AddListener(killer);
        const int seed = 11;
        var random = new Random(seed);
        foreach (var name in new[] { "q01", "q03", "q05", "q09", "q13", "q18", "q21" })
        {
            killer.After(random.Next(1, 6));
            try
            {
                await TpchAnswerTests.Check(context, name, sharedBuildBytes: name == "q09" ? 0 : 20_000_000);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"{name}, seed {seed}, after {killer.Kills} kills: {error.Message}", error);
            }
        }
        Assert.True(killer.Kills >= 5, $"only {killer.Kills} executors were killed");
    }

    /// <summary>Kills an executor, of one worker and the other in turn, when so many tasks have begun.</summary>
    private sealed class Killer(WorkerProcess[] workers) : JobListener
    {
        private readonly Lock _lock = new();
        private int _left = -1;

        public int Kills { get; private set; }

        public void After(int tasks)
        {
            lock (_lock) _left = tasks;
        }

        public override void OnTaskStarted(TaskStarted news)
        {
            lock (_lock)
            {
                if (_left < 0 || --_left > 0) return;
                _left = -1;
                workers[Kills++ % workers.Length].KillExecutors();
            }
        }
    }
}
