using Dataflow.Cluster;
using Dataflow.Scheduling;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>What a worker does about executors while its link comes and goes; the executors are played.</summary>
public sealed class WorkerAgentTests : IExecutorStarter
{
    private readonly ClusterScript _script = new();
    private readonly Dictionary<int, PlayedExecutor> _executors = [];
    private readonly List<string> _forgotten = [];
    private readonly List<MemoryChannel> _links = [];
    private bool _isDown;
    private ClusterException? _refusal;

    Task<IStartedExecutor> IExecutorStarter.StartAsync(LaunchExecutor launch, ClusterToken secret, FileSources sources) => launch.Application == "broken"
        ? throw new ClusterException("a file is missing")
        : Task.FromResult<IStartedExecutor>(_executors[launch.Executor.Value] = new PlayedExecutor(launch.Executor.Value));

    void IExecutorStarter.Forget(string application) => _forgotten.Add(application);

    [Fact]
    public void Executors_live_on_while_the_coordinator_is_away_and_are_named_to_the_next()
    {
        Start();
        var program = _script.Program("app");
        Assert.Equal([1], _executors.Keys);

        CutAndRestart();
        _script.Pass(TimeSpan.FromSeconds(50));
        Assert.False(_executors[1].IsAsked);
        _isDown = false;
        _script.Pass(TimeSpan.FromSeconds(1));
        program = _script.Program("app", executors: [1], first: 100, epoch: 2);
        Assert.Equal([1], CoordinatorTests.Grants(program).Select(grant => grant.Executor));
        Assert.Equal([1], _executors.Keys);

        // What ends afterwards is replaced as ever.
        Exit(1);
        Assert.Equal([1, 100], _executors.Keys.Order());
    }

    [Fact]
    public async Task A_coordinator_that_stays_away_ends_the_worker_and_its_executors()
    {
        var agent = Start();
        _script.Program("app");
        CutAndRestart();
        _script.Pass(TimeSpan.FromSeconds(1));
        _script.Pass(TimeSpan.FromSeconds(60));
        Assert.True(_executors[1].IsAsked);
        Exit(1);
        Assert.Contains("could not be reached again for 60 s", await agent.Ended.WaitAsync(TestNode.Patience));
    }

    [Fact]
    public async Task A_coordinator_that_does_not_come_is_an_error()
    {
        _isDown = true;
        var agent = Start();
        _script.Pass(TimeSpan.FromSeconds(59));
        Assert.False(agent.Ended.IsCompleted);
        _script.Pass(TimeSpan.FromSeconds(2));
        var error = await Assert.ThrowsAsync<ClusterException>(() => agent.Ended.WaitAsync(TestNode.Patience));
        Assert.Contains("for 60 s", error.Message);
        Assert.Contains("nobody is there", error.Message);
    }

    [Fact]
    public void A_worker_waits_for_a_coordinator_that_starts_after_it()
    {
        _isDown = true;
        Start();
        _script.Pass(TimeSpan.FromSeconds(30));
        Assert.Empty(_links);
        _isDown = false;
        _script.Pass(TimeSpan.FromSeconds(1));
        Assert.Single(_links);
        _script.Program("app");
        Assert.Equal([1], _executors.Keys);
    }

    [Fact]
    public async Task A_refusal_is_not_waited_for()
    {
        _refusal = new ClusterException("the token is not the right one") { IsRefusal = true };
        var agent = Start();
        Assert.Same(_refusal, await Assert.ThrowsAsync<ClusterException>(() => agent.Ended.WaitAsync(TestNode.Patience)));
    }

    [Fact]
    public async Task Another_version_is_refused_at_the_worker_too()
    {
        var agent = Start(version: "7.7.7");
        var error = await Assert.ThrowsAsync<ClusterException>(() => agent.Ended.WaitAsync(TestNode.Patience));
        Assert.Contains("7.7.7", error.Message);
        Assert.Contains(CoordinatorHost.EngineVersion, error.Message);
    }

    [Fact]
    public void An_executor_that_does_not_listen_is_ended_by_force()
    {
        Start();
        var program = _script.Program("app");
        program.Say(new ApplicationEnded("app", "done"));
        Assert.Equal(["app"], _forgotten);
        Assert.True(_executors[1].IsAsked);
        _script.Pass(TimeSpan.FromSeconds(9));
        Assert.False(_executors[1].IsKilled);
        _script.Pass(TimeSpan.FromSeconds(2));
        Assert.True(_executors[1].IsKilled);
    }

    [Fact]
    public void What_is_kept_for_a_program_that_ended_while_the_link_was_cut_is_removed()
    {
        Start();
        var program = _script.Program("app");
        _isDown = true;
        _links[^1].Break("cut");
        _script.Dispatcher.RunAll();
        Exit(1);
        program.Say(new ApplicationEnded("app", "done"));
        Assert.Empty(_forgotten);
        _isDown = false;
        _script.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(["app"], _forgotten);
    }

    [Fact]
    public void A_new_coordinator_has_what_is_kept_for_programs_that_are_gone_removed()
    {
        Start();
        _script.Program("app");
        Exit(1);
        CutAndRestart();
        _isDown = false;
        _script.Pass(TimeSpan.FromSeconds(1));
        Assert.Empty(_forgotten);
        _script.Pass(_script.Settings.ApplicationPatience);
        Assert.Equal(["app"], _forgotten);
    }

    [Fact]
    public void An_executor_that_can_not_be_started_is_told_with_the_reason()
    {
        Start();
        var program = _script.Program("broken");
        Assert.Contains("a file is missing", program.Take<WorkerNews>().Single(news => news.Kind == WorkerChangeKind.GivenUp).Reason);
    }

    [Fact]
    public async Task A_draining_worker_takes_nothing_new_and_leaves_when_its_executors_have_ended()
    {
        var agent = Start();
        var program = _script.Program("app", cores: 1, most: 2);
        agent.Drain(TimeSpan.FromSeconds(30));
        _script.Dispatcher.RunAll();
        var drain = Assert.Single(program.Take<Drain>());
        Assert.Equal(TimeSpan.FromSeconds(30), drain.Deadline);
        Assert.False(_executors[1].IsAsked);
        var late = _script.Program("late");
        Assert.Empty(CoordinatorTests.Grants(late));

        // The program gives them back when they are idle.
        program.Say(new ReleaseExecutor("app", new ExecutorId(1), "idle"));
        program.Say(new ReleaseExecutor("app", new ExecutorId(2), "idle"));
        Exit(1);
        Exit(2);

        // What they wrote may be wanted still.
        Assert.False(agent.Ended.IsCompleted);
        program.Say(new HandedOver("app", drain.Worker));
        Assert.Equal("it was drained", await agent.Ended.WaitAsync(TestNode.Patience));
        Assert.Single(program.Take<WorkerGone>());
    }

    [Fact]
    public async Task A_draining_worker_leaves_at_its_deadline_in_any_case()
    {
        var agent = Start();
        var program = _script.Program("app");
        agent.Drain(TimeSpan.FromSeconds(30));
        _script.Dispatcher.RunAll();
        _script.Pass(TimeSpan.FromSeconds(29));
        Assert.False(_executors[1].IsAsked);
        _script.Pass(TimeSpan.FromSeconds(2));
        Assert.Single(program.Take<WorkerGone>());
        Assert.True(_executors[1].IsAsked);
        Exit(1);
        Assert.Contains("deadline", await agent.Ended.WaitAsync(TestNode.Patience));
    }

    [Fact]
    public async Task A_worker_without_executors_drains_at_once()
    {
        var agent = Start();
        agent.Drain(TimeSpan.FromSeconds(30));
        _script.Dispatcher.RunAll();
        Assert.Equal("it was drained", await agent.Ended.WaitAsync(TestNode.Patience));
    }

    private WorkerAgent Start(string? version = null)
    {
        var agent = new WorkerAgent(
            new WorkerOffer("one", "here", 4, 4000, new Dictionary<string, IReadOnlyList<string>>(), ""), Dial, this,
            new WorkerAgentSettings { Dispatcher = _script.Dispatcher, Time = _script.Time, Version = version ?? CoordinatorHost.EngineVersion });
        agent.Start();
        _script.Dispatcher.RunAll();
        return agent;
    }

    private Task<IControlChannel> Dial(CancellationToken cancellation)
    {
        if (_refusal is not null) throw _refusal;
        if (_isDown) throw new ClusterException("nobody is there");
        var (here, there) = MemoryChannel.CreatePair(_script.Dispatcher);
        _links.Add(here);
        _script.Coordinator.Accept(there);
        return Task.FromResult<IControlChannel>(here);
    }

    private void CutAndRestart()
    {
        _isDown = true;
        _links[^1].Break("the coordinator was killed");
        _script.Restart();
        _script.Dispatcher.RunAll();
    }

    // Who waits for the end of an executor goes on elsewhere; it puts a message into the agent's mailbox then.
    private void Exit(int executor)
    {
        var before = _script.Dispatcher.Scheduled;
        _executors[executor].Exit.SetResult((0, "it ended"));
        Assert.True(SpinWait.SpinUntil(() => _script.Dispatcher.Scheduled != before, TestNode.Patience), "the agent did not hear of it");
        _script.Dispatcher.RunAll();
    }

    private sealed class PlayedExecutor(int number) : IStartedExecutor
    {
        public TaskCompletionSource<(int Code, string Reason)> Exit { get; } = new();

        public bool IsAsked { get; private set; }

        public bool IsKilled { get; private set; }

        public int ProcessId => number;

        public Task<(int Code, string Reason)> Exited => Exit.Task;

        public void End() => IsAsked = true;

        public void Kill() => IsKilled = true;
    }
}
