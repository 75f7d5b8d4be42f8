using Dataflow.Cluster;
using Dataflow.Scheduling;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>A driver's link to its coordinator: registered, lost, made anew.</summary>
public sealed class DriverLinkTests : IExecutorRoster
{
    private readonly ClusterScript _script = new();
    private readonly List<string> _changes = [];
    private readonly List<ExecutorId> _lost = [];
    private readonly List<WorkerId> _drained = [];
    private readonly List<(string Any, int Count)> _asked = [];
    private readonly List<WorkerId> _lostWorkers = [];
    private readonly List<MemoryChannel> _links = [];
    private IReadOnlyList<ExecutorId> _executors = [];
    private bool _isDown;

    IReadOnlyList<ExecutorId> IExecutorRoster.Executors => _executors;

    void IExecutorRoster.Lose(ExecutorId executor, string reason) => _lost.Add(executor);

    void IExecutorRoster.LoseWorker(WorkerId worker, string reason) => _lostWorkers.Add(worker);

    void IExecutorRoster.DrainWorker(WorkerId worker, string reason) => _drained.Add(worker);

    void IExecutorRoster.GiveBack(IReadOnlyList<ExecutorId> any, int count, TimeSpan grace, string reason) => _asked.Add((string.Join(' ', any), count));

    [Fact]
    public void A_draining_worker_is_passed_on_and_executors_that_have_not_come_are_given_back()
    {
        _ = Start().StartAsync();
        Run();
        var worker = _script.Worker("one");
        var number = Assert.Single(worker.Take<WorkerRegistered>()).Worker;
        worker.Say(new Drain(number, TimeSpan.FromSeconds(30)));
        Assert.Equal([number], _drained);
        Assert.Equal(new ExecutorId(1), Assert.Single(worker.Take<StopExecutor>()).Executor);
        Assert.Equal(["one Joined", "one Draining"], _changes);
    }

    [Fact]
    public void Asked_for_an_executor_it_gives_one_that_has_not_come_and_then_one_that_is_here()
    {
        _ = Start().StartAsync();
        Run();
        var one = _script.Worker("one");
        var two = _script.Worker("two");
        one.Take<LaunchExecutor>();
        _executors = [new ExecutorId(1)];
        _script.Program("other");
        Assert.Equal(new ExecutorId(2), Assert.Single(two.Take<StopExecutor>()).Executor);
        Assert.Empty(_asked);
        Assert.Empty(one.Take<StopExecutor>());

        // When both are here the driver is to choose.
        two.Say(new ExecutorExited("app", new ExecutorId(2), 0, "it was told to"));
        _script.Worker("three", cores: 8);
        _executors = [new ExecutorId(1), new ExecutorId(3)];
        _script.Program("another");
        Assert.Equal([($"{new ExecutorId(1)} {new ExecutorId(3)}", 1)], _asked);
    }

    [Fact]
    public void The_program_hears_of_workers_and_what_becomes_of_them()
    {
        var link = Start();
        Assert.True(link.StartAsync().IsCompleted || Run());
        var worker = _script.Worker("one");
        _ = worker.Channel.CloseAsync("bye");
        Run();
        Assert.Equal(["one Joined", "one Left"], _changes);
        Assert.Single(_lostWorkers);
    }

    [Fact]
    public void A_lost_link_is_made_anew_and_executors_are_numbered_beyond_all_that_was_granted()
    {
        var link = Start();
        var started = link.StartAsync();
        Run();
        Assert.True(started.IsCompletedSuccessfully);
        var worker = _script.Worker("one");
        var number = Assert.Single(worker.Take<WorkerRegistered>()).Worker;
        _executors = [Assert.Single(worker.Take<LaunchExecutor>()).Executor];
        link.Ready(_executors[0]);
        Run();

        _isDown = true;
        _links[^1].Break("the coordinator was killed");
        _script.Restart();
        Run();
        _script.Pass(TimeSpan.FromMinutes(5));
        Assert.Empty(_lost);
        Assert.Empty(_lostWorkers);
        _isDown = false;
        _script.Pass(TimeSpan.FromSeconds(1));

        var back = _script.Worker("one", before: number, epoch: 2, running: [new RunningExecutor("app", _executors[0], 4, 4000, new Dictionary<string, IReadOnlyList<string>>())]);
        Assert.Empty(back.Take<LaunchExecutor>());
        var two = _script.Worker("two");
        Assert.True(Assert.Single(two.Take<LaunchExecutor>()).Executor.Value > DriverLink.UnheardGrants);
        Assert.Equal(["one Joined", "two Joined"], _changes);
    }

    [Fact]
    public void An_executor_that_is_given_back_while_the_coordinator_is_away_is_given_back_to_its_successor()
    {
        var link = Start();
        _ = link.StartAsync();
        Run();
        var worker = _script.Worker("one");
        var number = Assert.Single(worker.Take<WorkerRegistered>()).Worker;
        _executors = [Assert.Single(worker.Take<LaunchExecutor>()).Executor];
        link.Ready(_executors[0]);
        Run();

        _isDown = true;
        _links[^1].Break("the coordinator was killed");
        _script.Restart();
        Run();
        link.Want(new ExecutorWish(1, 0, 0, 0, new Dictionary<string, int>()));
        link.Release(_executors[0], "it had nothing to do");
        Run();
        _isDown = false;
        _script.Pass(TimeSpan.FromSeconds(1));

        // The worker comes back after the program.
        var back = _script.Worker("one", before: number, epoch: 2, running: [new RunningExecutor("app", _executors[0], 4, 4000, new Dictionary<string, IReadOnlyList<string>>())]);
        Run();
        Assert.Equal("it had nothing to do", Assert.Single(back.Take<StopExecutor>()).Reason);
        back.Say(new ExecutorExited("app", _executors[0], 0, "it had nothing to do"));
        Assert.Equal(_executors, _lost);
        Assert.Empty(back.Take<LaunchExecutor>());
    }

    [Fact]
    public void A_worker_that_does_not_come_back_to_a_new_coordinator_leaves()
    {
        var link = Start();
        _ = link.StartAsync();
        Run();
        _script.Worker("one");
        _links[^1].Break("the coordinator was killed");
        _script.Restart();
        Run();
        _script.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(["one Joined"], _changes);
        _script.Pass(TimeSpan.FromSeconds(31));
        Assert.Equal(["one Joined", "one Left"], _changes);
        Assert.Empty(_lost);
        Assert.Empty(_lostWorkers);
    }

    [Fact]
    public async Task A_coordinator_of_another_version_refuses_and_starting_fails_naming_both()
    {
        var link = Start(version: "9.9.9");
        var started = link.StartAsync();
        Run();
        var error = await Assert.ThrowsAsync<ClusterException>(() => started);
        Assert.Contains("9.9.9", error.Message);
        Assert.Contains(CoordinatorHost.EngineVersion, error.Message);
    }

    [Fact]
    public async Task A_coordinator_that_is_not_there_is_an_error_at_first()
    {
        _isDown = true;
        var started = Start().StartAsync();
        Run();
        await Assert.ThrowsAsync<ClusterException>(() => started);
    }

    [Fact]
    public void The_end_of_the_program_reaches_its_workers()
    {
        var link = Start();
        _ = link.StartAsync();
        Run();
        var worker = _script.Worker("one");
        var ended = link.EndAsync("done");
        Run();
        Assert.Equal("done", Assert.Single(worker.Take<ApplicationEnded>()).Reason);
        Run();
        Assert.True(SpinWait.SpinUntil(() => Run() && ended.IsCompleted, TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task A_program_that_is_killed_hears_why()
    {
        var link = Start();
        _ = link.StartAsync();
        Run();
        _script.Dial().Say(new KillApplication("app", "by hand"));
        Assert.Equal("by hand", await link.Dismissed);
    }

    private DriverLink Start(string? version = null) => new(
        new DriverApplication("app", "test", new Uri("http://app:2"), ClusterToken.Create(), [], new Dictionary<string, string>()),
        new ExecutorWish(1, int.MaxValue, 0, 0, new Dictionary<string, int>()), Dial, this, change => _changes.Add($"{change.Worker.Name} {change.Kind}"),
        new DriverLinkSettings { Dispatcher = _script.Dispatcher, Time = _script.Time, Version = version ?? CoordinatorHost.EngineVersion });

    private Task<IControlChannel> Dial(CancellationToken cancellation)
    {
        if (_isDown) throw new ClusterException("nobody is there");
        var (here, there) = MemoryChannel.CreatePair(_script.Dispatcher);
        _links.Add(here);
        _script.Coordinator.Accept(there);
        return Task.FromResult<IControlChannel>(here);
    }

    private bool Run()
    {
        _script.Dispatcher.RunAll();
        return true;
    }
}
