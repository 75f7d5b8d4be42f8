using Dataflow.Cluster;
using Dataflow.Scheduling;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>Who gets which executors, and what a coordinator tells whom; without threads, sockets or clocks.</summary>
public sealed class CoordinatorTests
{
    private readonly ClusterScript _script = new();

    [Fact]
    public void A_program_gets_an_executor_on_each_worker_also_on_those_that_come_later()
    {
        var one = _script.Worker("one");
        var program = _script.Program("app");
        var two = _script.Worker("two", cores: 2, memory: 1000);

        Assert.Equal([(1, "one", 4, 4000L), (2, "two", 2, 1000L)], Grants(program));
        var launch = Assert.Single(one.Take<LaunchExecutor>());
        Assert.Equal(("app", new ExecutorId(1), 4, 4000L, "http://app:2/"), (launch.Application, launch.Executor, launch.Cores, launch.MemoryBytes, launch.DriverUrl));
        Assert.Single(two.Take<LaunchExecutor>());
        Assert.Equal(["one", "two"], program.Take<WorkerNews>().Select(news => news.Name));
    }

    [Fact]
    public void The_secret_reaches_the_worker_sealed_for_its_own_link()
    {
        var secret = ClusterToken.Create();
        _script.Program("app", secret: secret);
        var worker = _script.Worker("one");
        Assert.Equal(secret.Export(), worker.Channel.Unseal(Assert.Single(worker.Take<LaunchExecutor>()).Secret));
    }

    [Fact]
    public void The_program_with_the_fewest_cores_is_served_first()
    {
        var a = _script.Program("a", cores: 1, most: 6);
        var b = _script.Program("b", cores: 2, most: 2);
        _script.Worker("one", cores: 4, memory: 4000);
        _script.Worker("two", cores: 4, memory: 4000);
        Assert.Equal(4, Grants(a).Count);
        Assert.Equal(2, Grants(b).Count);
    }

    [Fact]
    public void Cores_and_memory_of_a_worker_are_never_given_twice()
    {
        var random = new Random(11);
        var workers = Enumerable.Range(0, 5).Select(i => (Cores: random.Next(1, 9), Memory: (long)random.Next(100, 2000))).ToArray();
        var used = new Dictionary<string, (int Cores, long Memory)>();
        var programs = new List<ScriptedPeer>();
        for (var i = 0; i < 12; i++)
        {
            programs.Add(_script.Program($"app-{i}", least: random.Next(1, 3), most: random.Next(3, 5), cores: random.Next(0, 4), memory: random.Next(2) * random.Next(50, 800)));
            if (i % 2 == 0 && i / 2 < workers.Length) _script.Worker($"w{i / 2}", workers[i / 2].Cores, workers[i / 2].Memory);
        }
        foreach (var (_, worker, cores, memory) in programs.SelectMany(Grants))
        {
            var before = used.GetValueOrDefault(worker);
            used[worker] = (before.Cores + cores, before.Memory + memory);
        }
        Assert.NotEmpty(used);
        Assert.All(used, entry =>
        {
            var (cores, memory) = workers[int.Parse(entry.Key[1..])];
            Assert.InRange(entry.Value.Cores, 1, cores);
            Assert.InRange(entry.Value.Memory, 1, memory);
        });
    }

    [Fact]
    public void Fewer_than_the_least_are_not_granted_and_keep_nobody_else_waiting()
    {
        _script.Worker("one", cores: 2);
        var all = _script.Program("all", least: 3, cores: 1);
        var some = _script.Program("some", cores: 1, most: 1);
        Assert.Empty(Grants(all));
        Assert.Single(Grants(some));

        _script.Worker("two", cores: 2);
        Assert.Equal(3, Grants(all).Count);
    }

    [Fact]
    public void Named_resources_are_given_by_address_and_come_back()
    {
        var worker = _script.Worker("one", resources: new() { ["gpu"] = ["0", "1", "2"] });
        var program = _script.Program("app", cores: 1, resources: new() { ["gpu"] = 2 });
        var launch = Assert.Single(worker.Take<LaunchExecutor>());
        Assert.Equal(["0", "1"], launch.Resources["gpu"]);

        worker.Say(new ExecutorExited("app", launch.Executor, 1, "it failed"));
        Assert.Equal(2, Assert.Single(worker.Take<LaunchExecutor>()).Resources["gpu"].Distinct().Count());
        Assert.Equal(2, Grants(program).Count);
    }

    [Fact]
    public void A_worker_that_is_too_small_is_named_to_the_program()
    {
        _script.Worker("small", cores: 1, memory: 500);
        var program = _script.Program("app", cores: 1, memory: 1000);
        Assert.Empty(Grants(program));
        var news = program.Take<WorkerNews>().Single(news => news.Kind == WorkerChangeKind.TooSmall);
        Assert.Contains("500 bytes", news.Reason);
        Assert.Contains("1,000", news.Reason);
    }

    [Fact]
    public void A_worker_that_lacks_a_resource_is_named_to_the_program_and_shown_by_the_status()
    {
        _script.Worker("one", resources: new() { ["gpu"] = ["0", "1"] });
        var program = _script.Program("app", cores: 1, resources: new() { ["gpu"] = 3 });
        Assert.Empty(Grants(program));
        Assert.Contains("it offers 2 gpu, and an executor is to have 3", program.Take<WorkerNews>().Single(news => news.Kind == WorkerChangeKind.TooSmall).Reason);

        _script.Program("other", cores: 1, most: 1, resources: new() { ["gpu"] = 1 });
        var person = _script.Dial();
        person.Say(new AskStatus());
        Assert.Equal([new ResourceStatus("gpu", 2, 1)], Assert.Single(person.Take<StatusAnswer>()).Workers.Single().Resources);
    }

    [Fact]
    public void An_executor_that_ends_is_replaced_and_a_worker_given_up_after_five_starts_in_vain()
    {
        var worker = _script.Worker("one");
        var program = _script.Program("app");
        for (var i = 1; i <= 5; i++)
            worker.Say(new ExecutorExited("app", Assert.Single(worker.Take<LaunchExecutor>()).Executor, 139, $"failure {i}"));
        Assert.Empty(worker.Take<LaunchExecutor>());
        Assert.Equal([1, 2, 3, 4, 5], Grants(program).Select(grant => grant.Executor));
        Assert.Contains("failure 5", program.Take<WorkerNews>().Single(news => news.Kind == WorkerChangeKind.GivenUp).Reason);

        // For this program only, and not for ever: what stood in the way may have passed.
        _script.Pass(TimeSpan.FromSeconds(29));
        Assert.Empty(worker.Take<LaunchExecutor>());
        _script.Pass(TimeSpan.FromSeconds(1));
        worker.Say(new ExecutorExited("app", Assert.Single(worker.Take<LaunchExecutor>()).Executor, 139, "failure 6"));
        Assert.Empty(worker.Take<LaunchExecutor>());
        Assert.Empty(program.Take<WorkerNews>());
        _script.Program("other");
        Assert.Equal("other", Assert.Single(worker.Take<LaunchExecutor>()).Application);
    }

    [Fact]
    public void An_executor_that_has_worked_is_replaced_as_often_as_it_ends()
    {
        var worker = _script.Worker("one");
        var program = _script.Program("app");
        for (var i = 1; i <= 20; i++)
        {
            var executor = Assert.Single(worker.Take<LaunchExecutor>()).Executor;
            program.Say(new ExecutorReady("app", executor));
            worker.Say(new ExecutorExited("app", executor, 137, "killed"));
        }
        Assert.Equal(20, program.Take<ExecutorExited>().Count);
        Assert.Single(worker.Take<LaunchExecutor>());
    }

    [Fact]
    public void What_a_program_gives_back_or_leaves_goes_to_the_next()
    {
        var worker = _script.Worker("one");
        var first = _script.Program("first", cores: 4);
        var second = _script.Program("second", cores: 4);
        var third = _script.Program("third", cores: 4);
        worker.Take<LaunchExecutor>();

        first.Say(new WantExecutors("first", new ExecutorWish(0, 0, 0, 0, new Dictionary<string, int>())));
        first.Say(new ReleaseExecutor("first", new ExecutorId(1), "idle"));
        Assert.Equal("first", Assert.Single(worker.Take<StopExecutor>()).Application);

        // Its cores are taken until its process has ended.
        Assert.Empty(Grants(second));
        worker.Say(new ExecutorExited("first", new ExecutorId(1), 0, "it was told to"));
        Assert.Single(Grants(second));

        second.Say(new ApplicationEnded("second", "done"));
        Assert.Equal("second", Assert.Single(worker.Take<ApplicationEnded>()).Application);
        Assert.Empty(Grants(third));
        worker.Say(new ExecutorExited("second", new ExecutorId(1), 0, "done"));
        Assert.Single(Grants(third));
    }

    [Fact]
    public void Another_version_is_refused_with_a_message_that_names_both()
    {
        foreach (var peer in (ScriptedPeer[])[_script.Worker("old", version: "0.0.9"), _script.Program("app", version: "0.0.9")])
        {
            var reason = Assert.Single(peer.Take<Refused>()).Reason;
            Assert.Contains("0.0.9", reason);
            Assert.Contains(CoordinatorHost.EngineVersion, reason);
            Assert.NotNull(peer.End);
        }
    }

    [Fact]
    public void A_second_worker_of_a_name_replaces_the_first_for_good()
    {
        var first = _script.Worker("one");
        var program = _script.Program("app");
        var second = _script.Worker("one");
        Assert.Contains("same name", Assert.Single(program.Take<WorkerGone>()).Reason);
        Assert.Contains("name", Assert.Single(first.Take<Refused>()).Reason);
        Assert.Single(second.Take<LaunchExecutor>());
    }

    [Fact]
    public void A_stranger_with_the_name_of_a_program_but_another_secret_is_refused()
    {
        _script.Program("app");
        var stranger = _script.Program("app", epoch: 2, secret: ClusterToken.Create());
        Assert.Single(stranger.Take<Refused>());
    }

    [Fact]
    public void The_status_lists_workers_and_programs_and_a_killed_program_is_told()
    {
        var worker = _script.Worker("one");
        var program = _script.Program("app", cores: 1, most: 2);
        var person = _script.Dial();
        person.Say(new AskStatus());
        var status = Assert.Single(person.Take<StatusAnswer>());
        Assert.Equal(("one", 4, 2), status.Workers.Select(each => (each.Name, each.Cores, each.FreeCores)).Single());
        Assert.Equal(("app", 2, 2), status.Applications.Select(each => (each.Application, each.Executors, each.Cores)).Single());

        person.Say(new KillApplication("nobody", "by hand"));
        Assert.Contains("app", Assert.Single(person.Take<Refused>()).Reason);
        person.Say(new KillApplication("app", "by hand"));
        Assert.Single(person.Take<ApplicationEnded>());
        Assert.Equal("by hand", Assert.Single(program.Take<Shutdown>()).Reason);
        Assert.Single(worker.Take<ApplicationEnded>());
        Assert.Single(_script.Program("app", epoch: 2).Take<Refused>());
    }

    [Fact]
    public void A_message_out_of_place_ends_its_link_and_no_other()
    {
        var worker = _script.Worker("one");
        var stranger = _script.Dial();
        stranger.Say(new ExecutorExited("app", new ExecutorId(1), 0, ""));
        Assert.NotNull(stranger.End);
        Assert.Null(worker.End);
        _script.Program("app");
        Assert.Single(worker.Take<LaunchExecutor>());
    }

    internal static List<(int Executor, string Worker, int Cores, long Memory)> Grants(ScriptedPeer program) =>
        [.. program.Take<GrantExecutors>().SelectMany(grant => grant.Executors).Select(each => (each.Executor.Value, each.WorkerName, each.Cores, each.MemoryBytes))];
}
