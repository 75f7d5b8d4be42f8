using Dataflow.Cluster;
using Dataflow.Scheduling;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>Executors go from programs that have more to those that have less, and do not go back and forth.</summary>
public sealed class FairShareTests
{
    private readonly ClusterScript _script = new();

    [Fact]
    public void A_program_that_has_all_is_asked_for_half_and_chooses_which()
    {
        var worker = _script.Worker("one", cores: 4);
        var rich = _script.Program("rich", cores: 1);
        Assert.Empty(rich.Take<AskBack>());
        var poor = _script.Program("poor", cores: 1);
        var asked = rich.Take<AskBack>();
        Assert.Equal([1, 1], asked.Select(each => each.Count));
        Assert.All(asked, each => Assert.Equal([1, 2, 3, 4], each.Any.Select(executor => executor.Value)));
        Assert.Equal(TimeSpan.FromSeconds(30), asked[0].Grace);
        Assert.Contains("title of poor", asked[0].Reason);

        Leave(worker, rich, 3);
        Assert.Single(CoordinatorTests.Grants(poor));
        Leave(worker, rich, 1);
        Assert.Single(CoordinatorTests.Grants(poor));
        Assert.Equal(4, CoordinatorTests.Grants(rich).Count);
        Assert.Empty(rich.Take<AskBack>());
        Assert.Empty(poor.Take<AskBack>());
    }

    [Fact]
    public void Whole_workers_move_whole_where_there_are_several()
    {
        var one = _script.Worker("one");
        _script.Worker("two");
        var rich = _script.Program("rich");
        var poor = _script.Program("poor");
        var asked = Assert.Single(rich.Take<AskBack>());
        Assert.Equal([1, 2], asked.Any.Select(executor => executor.Value));
        Leave(one, rich, 1);
        Assert.Equal([("one", 4)], CoordinatorTests.Grants(poor).Select(grant => (grant.Worker, grant.Cores)));
        Assert.Empty(rich.Take<AskBack>());
        Assert.Empty(poor.Take<AskBack>());
    }

    [Fact]
    public void A_single_worker_is_cut_up_for_a_program_that_has_nothing()
    {
        var worker = _script.Worker("one", cores: 4, memory: 4000);
        var rich = _script.Program("rich");
        CoordinatorTests.Grants(rich);
        var poor = _script.Program("poor");
        Assert.Single(rich.Take<AskBack>());
        Leave(worker, rich, 1);
        Assert.Equal([(2, 2000L)], CoordinatorTests.Grants(rich).Select(grant => (grant.Cores, grant.Memory)));
        Assert.Equal([(2, 2000L)], CoordinatorTests.Grants(poor).Select(grant => (grant.Cores, grant.Memory)));
        Assert.Empty(rich.Take<AskBack>());
        Assert.Empty(poor.Take<AskBack>());
    }

    [Fact]
    public void Several_small_executors_of_one_worker_make_room_for_a_large_one()
    {
        var one = _script.Worker("one", cores: 4);
        var two = _script.Worker("two", cores: 4);
        var rich = _script.Program("rich", cores: 1);
        var held = CoordinatorTests.Grants(rich).ToDictionary(grant => grant.Executor, grant => grant.Worker);
        var poor = _script.Program("poor", cores: 3, most: 1);
        var asked = Assert.Single(rich.Take<AskBack>());
        Assert.Equal(3, asked.Count);
        var name = Assert.Single(asked.Any.Select(executor => held[executor.Value]).Distinct());
        foreach (var executor in asked.Any.Take(3))
        {
            // What is free on the way is kept for the large one.
            Assert.Empty(CoordinatorTests.Grants(rich));
            Leave(name == "one" ? one : two, rich, executor.Value);
        }
        Assert.Equal([(name, 3)], CoordinatorTests.Grants(poor).Select(grant => (grant.Worker, grant.Cores)));
    }

    [Fact]
    public void What_would_be_of_no_use_is_not_asked_for()
    {
        _script.Worker("one", cores: 4, memory: 1000);
        var rich = _script.Program("rich", cores: 1, memory: 250);
        _script.Program("large", cores: 1, memory: 2000);
        _script.Program("device", cores: 1, resources: new() { ["gpu"] = 1 });
        Assert.Empty(rich.Take<AskBack>());
    }

    [Fact]
    public void A_program_that_does_not_answer_is_asked_again_after_a_rest()
    {
        _script.Worker("one", cores: 2);
        var rich = _script.Program("rich", cores: 1);
        var poor = _script.Program("poor", cores: 1);
        Assert.Single(rich.Take<AskBack>());
        _script.Pass(TimeSpan.FromSeconds(60));
        Assert.Empty(rich.Take<AskBack>());
        _script.Pass(TimeSpan.FromSeconds(30));
        Assert.Single(rich.Take<AskBack>());
        Assert.Empty(CoordinatorTests.Grants(poor));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Shares_come_to_rest_and_nothing_stays_unused(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 60; round++)
        {
            var script = new ClusterScript();
            var workers = new Dictionary<string, ScriptedPeer>();
            var programs = new Dictionary<string, ScriptedPeer>();
            var (works, runs) = (random.Next(1, 5), random.Next(2, 6));
            var size = random.Next(0, 3);
            for (var i = 0; i < works; i++) workers.Add($"w{i}", script.Worker($"w{i}", cores: random.Next(2, 9)));
            var where = new Dictionary<(string, int), (string Worker, int Cores)>();
            for (var i = 0; i < runs; i++) programs.Add($"p{i}", script.Program($"p{i}", cores: size == 2 ? random.Next(1, 3) : size, most: random.Next(4) == 0 ? 2 : int.MaxValue));
            var story = new System.Text.StringBuilder();
            var steps = 0;
            for (var any = true; any; steps++)
            {
                any = false;
                Assert.True(steps < 200, $"seed {seed}, round {round}: executors go back and forth: {story}");
                foreach (var (name, program) in programs)
                {
                    foreach (var grant in CoordinatorTests.Grants(program))
                    {
                        where[(name, grant.Executor)] = (grant.Worker, grant.Cores);
                        story.AppendLine($"{name} gets {grant}");
                    }
                    foreach (var asked in program.Take<AskBack>())
                    {
                        var mine = asked.Any.Where(executor => where.ContainsKey((name, executor.Value))).Select(executor => executor.Value).ToArray();
                        random.Shuffle(mine);
                        foreach (var executor in mine.Take(asked.Count))
                        {
                            any = true;
                            story.AppendLine($"{name} gives {executor} ({where[(name, executor)]}) back: {asked.Reason}");
                            Leave(workers[where[(name, executor)].Worker], program, executor, name);
                            where.Remove((name, executor));
                        }
                    }
                }
            }
            var person = script.Dial();
            person.Say(new AskStatus());
            var status = Assert.Single(person.Take<StatusAnswer>());
            if (size > 1 || status.Applications.Any(program => program.Executors == 2)) continue;
            Assert.True(status.Workers.All(worker => worker.FreeCores == 0), $"seed {seed}, round {round}: cores are left");
            var total = status.Workers.Sum(worker => worker.Cores);
            var least = status.Applications.Min(program => program.Cores);
            if (size == 1) Assert.True(status.Applications.Max(program => program.Cores) - least <= 1, $"seed {seed}, round {round}: shares differ");
            if (total >= 2 * runs) Assert.True(least > 0, $"seed {seed}, round {round}: a program has nothing");
        }
    }

    private static void Leave(ScriptedPeer worker, ScriptedPeer program, int executor, string? name = null)
    {
        name ??= "rich";
        program.Say(new ReleaseExecutor(name, new ExecutorId(executor), "it was asked back"));
        worker.Say(new ExecutorExited(name, new ExecutorId(executor), 0, "it was told to"));
    }
}
