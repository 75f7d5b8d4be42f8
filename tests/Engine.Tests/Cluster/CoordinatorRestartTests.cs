using Dataflow.Cluster;
using Dataflow.Scheduling;
using static Dataflow.Engine.Tests.Cluster.CoordinatorTests;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>Links break and coordinators start anew: nothing is granted twice, nothing that lives is given up, nothing dead is kept.</summary>
public sealed class CoordinatorRestartTests
{
    private static readonly Dictionary<string, IReadOnlyList<string>> NoResources = [];

    private readonly ClusterScript _script = new();

    [Fact]
    public void A_worker_whose_link_broke_comes_back_under_its_number_with_its_executors()
    {
        var worker = _script.Worker("one");
        var program = _script.Program("app");
        var number = Assert.Single(worker.Take<WorkerRegistered>()).Worker;
        Assert.Single(Grants(program));

        worker.Channel.Break("cut");
        _script.Dispatcher.RunAll();
        _script.Pass(_script.Settings.WorkerPatience / 2);
        var again = _script.Worker("one", before: number, epoch: 2, running: [new RunningExecutor("app", new ExecutorId(1), 4, 4000, NoResources)]);
        _script.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal(number, Assert.Single(again.Take<WorkerRegistered>()).Worker);
        Assert.Empty(program.Take<WorkerGone>());
        Assert.Empty(Grants(program));
        Assert.Empty(again.Take<StopExecutor>());
    }

    [Fact]
    public void A_worker_that_stays_away_is_gone_and_begins_anew_when_it_returns()
    {
        var worker = _script.Worker("one");
        var program = _script.Program("app");
        var number = Assert.Single(worker.Take<WorkerRegistered>()).Worker;
        worker.Channel.Break("cut");
        _script.Dispatcher.RunAll();
        _script.Pass(_script.Settings.WorkerPatience * 2);
        Assert.Equal(number, Assert.Single(program.Take<WorkerGone>()).Worker);

        var again = _script.Worker("one", before: number, epoch: 2, running: [new RunningExecutor("app", new ExecutorId(1), 4, 4000, NoResources)]);
        Assert.NotEqual(number, Assert.Single(again.Take<WorkerRegistered>()).Worker);
        Assert.Equal(new ExecutorId(1), Assert.Single(again.Take<StopExecutor>()).Executor);
        Assert.Equal([1], Grants(program).Select(grant => grant.Executor));

        // Its cores are taken until its process has ended.
        again.Say(new ExecutorExited("app", new ExecutorId(1), 0, "it was told to"));
        Assert.Equal([2], Grants(program).Select(grant => grant.Executor));
    }

    [Fact]
    public void A_worker_that_registers_again_hears_which_of_its_programs_have_ended()
    {
        var worker = _script.Worker("one");
        var number = Assert.Single(worker.Take<WorkerRegistered>()).Worker;
        _script.Program("lives");
        var ended = _script.Program("ended");
        worker.Channel.Break("cut");
        _script.Dispatcher.RunAll();
        ended.Say(new ApplicationEnded("ended", "it is done"));

        var again = _script.Worker("one", before: number, epoch: 2, applications: ["lives", "ended"]);
        Assert.Equal(["ended"], again.Take<ApplicationEnded>().Select(said => said.Application));
        _script.Pass(TimeSpan.FromMinutes(2));
        Assert.Empty(again.Take<ApplicationEnded>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_coordinator_that_starts_anew_gives_programs_time_to_come_back(bool comesBack)
    {
        _script.Restart();
        var worker = _script.Worker("one", applications: ["app"]);
        _script.Pass(_script.Settings.ApplicationPatience / 2);
        Assert.Empty(worker.Take<ApplicationEnded>());
        if (comesBack) _script.Program("app", epoch: 2);
        _script.Pass(_script.Settings.ApplicationPatience);
        Assert.Equal(comesBack ? [] : ["app"], worker.Take<ApplicationEnded>().Select(said => said.Application));
    }

    [Fact]
    public void A_program_that_comes_back_hears_of_workers_that_drain_and_lets_them_go()
    {
        var worker = _script.Worker("one");
        var number = Assert.Single(worker.Take<WorkerRegistered>()).Worker;
        var program = _script.Program("app");
        program.Channel.Break("cut");
        _script.Dispatcher.RunAll();
        worker.Say(new Drain(number, TimeSpan.FromSeconds(30)));
        var again = _script.Program("app", executors: [1], first: 100, epoch: 2);
        Assert.Equal(number, Assert.Single(again.Take<Drain>()).Worker);
        again.Say(new HandedOver("another", number));
        Assert.Equal(new HandedOver("app", number), Assert.Single(worker.Take<HandedOver>()));
    }

    [Fact]
    public void A_worker_that_says_goodbye_is_gone_at_once()
    {
        var worker = _script.Worker("one");
        var program = _script.Program("app");
        _ = worker.Channel.CloseAsync("it was told to");
        _script.Dispatcher.RunAll();
        Assert.Single(program.Take<WorkerGone>());
    }

    [Fact]
    public void What_was_launched_while_the_link_broke_is_launched_again()
    {
        var worker = _script.Worker("one");
        var number = Assert.Single(worker.Take<WorkerRegistered>()).Worker;
        var program = _script.Program("app");
        worker.Channel.Break("cut");
        _script.Dispatcher.RunAll();

        var again = _script.Worker("one", before: number, epoch: 2);
        Assert.Equal(new ExecutorId(2), Assert.Single(again.Take<LaunchExecutor>()).Executor);
        Assert.Equal(new ExecutorId(1), Assert.Single(program.Take<ExecutorExited>()).Executor);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_coordinator_that_starts_anew_learns_who_has_what(bool workersFirst)
    {
        var number = Assert.Single(_script.Worker("one").Take<WorkerRegistered>()).Worker;
        _script.Program("app", cores: 2, most: 2);
        _script.Restart();

        ScriptedPeer worker = null!, program = null!;
        if (workersFirst) worker = Worker();
        program = _script.Program("app", cores: 2, most: 2, executors: [1, 2], first: 1000, epoch: 2);
        if (!workersFirst) worker = Worker();

        Assert.Equal(number, Assert.Single(worker.Take<WorkerRegistered>()).Worker);
        Assert.Empty(worker.Take<LaunchExecutor>());
        Assert.Empty(worker.Take<StopExecutor>());

        // A number that the old coordinator may have given without the program's hearing of it is not given again.
        worker.Say(new ExecutorExited("app", new ExecutorId(2), 137, "killed"));
        Assert.Equal(new ExecutorId(1000), Assert.Single(worker.Take<LaunchExecutor>()).Executor);
        Assert.Contains(Grants(program), grant => grant.Executor == 1000);

        ScriptedPeer Worker() => _script.Worker(
            "one", before: number, epoch: 2,
            running: [new RunningExecutor("app", new ExecutorId(1), 2, 2000, NoResources), new RunningExecutor("app", new ExecutorId(2), 2, 2000, NoResources)]);
    }

    [Fact]
    public void Executors_that_a_program_has_count_until_their_worker_had_time_to_come_back()
    {
        var program = _script.Program("app", cores: 1, most: 2, executors: [1, 2], first: 1000, epoch: 2);
        _script.Worker("new");
        Assert.Empty(Grants(program));
        _script.Pass(TimeSpan.FromSeconds(31));
        Assert.Equal([1000, 1001], Grants(program).Select(grant => grant.Executor));
    }

    [Fact]
    public void Executors_whose_program_does_not_come_back_are_ended()
    {
        var worker = _script.Worker("one", before: new WorkerId(12), epoch: 2, running: [new RunningExecutor("gone", new ExecutorId(7), 4, 4000, NoResources)]);
        var program = _script.Program("app");
        Assert.Empty(Grants(program));
        _script.Pass(TimeSpan.FromSeconds(31));
        Assert.Equal("gone", Assert.Single(worker.Take<ApplicationEnded>()).Application);
        worker.Say(new ExecutorExited("gone", new ExecutorId(7), 0, "it ended"));
        Assert.Single(Grants(program));
    }

    [Fact]
    public void A_program_whose_link_broke_keeps_its_executors_for_a_while_and_gets_no_more()
    {
        var worker = _script.Worker("one");
        var program = _script.Program("app", cores: 1, most: 8);
        program.Channel.Break("cut");
        _script.Dispatcher.RunAll();
        var two = _script.Worker("two");
        Assert.Empty(two.Take<LaunchExecutor>());

        _script.Program("app", cores: 1, most: 8, executors: [1, 2, 3, 4], first: 100, epoch: 2);
        Assert.Equal(4, two.Take<LaunchExecutor>().Count);
        Assert.Empty(worker.Take<ApplicationEnded>());
    }

    [Fact]
    public void Numbers_of_workers_differ_between_coordinators()
    {
        var before = Enumerable.Range(0, 100).Select(i => Assert.Single(_script.Worker($"w{i}").Take<WorkerRegistered>()).Worker).ToList();
        _script.Restart();
        var after = Enumerable.Range(0, 100).Select(i => Assert.Single(_script.Worker($"v{i}").Take<WorkerRegistered>()).Worker).ToList();
        Assert.Equal(200, before.Concat(after).Distinct().Count());
    }
}
