using Dataflow.Cluster;
using Dataflow.Scheduling;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>How many executors a program asks for as its load comes and goes, and which it gives back, by the second.</summary>
public sealed class ExecutorDemandTests
{
    private static readonly ClusterOptions Options = new() { ExecutorIdleTimeout = TimeSpan.FromSeconds(10), BacklogTimeout = TimeSpan.FromSeconds(1) };

    [Fact]
    public void Without_tasks_the_least_are_wanted_and_nobody_looks_again()
    {
        Assert.Equal(new Answer(0, [], null), Look(new ExecutorDemand(Options), 0, hasJobs: false));
        Assert.Equal(new Answer(3, [], null), Look(new ExecutorDemand(Options with { MinExecutors = 3 }), 0, hasJobs: false));
    }

    [Fact]
    public void The_first_executor_is_asked_for_at_once_and_then_each_backlog_timeout_twice_as_many()
    {
        var demand = new ExecutorDemand(Options with { ExecutorCores = 1 });
        Assert.Equal(new Answer(1, [], 1), Look(demand, 0, waiting: 100));

        // A look in between, as when another job comes, asks for nothing.
        Assert.Equal(new Answer(1, [], 1), Look(demand, 0.5, waiting: 100));
        Assert.Equal(new Answer(3, [], 2), Look(demand, 1, waiting: 100));
        Assert.Equal(new Answer(7, [], 3), Look(demand, 2, waiting: 100, here: [Busy(1), Busy(2)]));
        Assert.Equal(new Answer(15, [], 4), Look(demand, 3, waiting: 100, here: [Busy(1), Busy(2)]));
    }

    [Fact]
    public void No_more_are_wanted_than_all_tasks_could_use()
    {
        var demand = new ExecutorDemand(Options);

        // Three executors of four slots: five tasks run, and five wait.
        ExecutorLoad[] here = [Busy(1, slots: 4), new(new ExecutorId(2), 4, 1, default, false)];
        Look(demand, 0, waiting: 5, fit: 4, here: here);
        Assert.Equal(3, Look(demand, 1, waiting: 5, fit: 4, here: here).Wanted);
        Assert.Equal(3, Look(demand, 2, waiting: 5, fit: 4, here: here).Wanted);
        Assert.Equal(3, Look(demand, 9, waiting: 5, fit: 4, here: here).Wanted);
    }

    [Fact]
    public void Tasks_that_take_several_slots_need_as_many_executors_as_they_leave_room_for()
    {
        // Two of three slots: one task an executor, though slots would be enough for three on two.
        var demand = new ExecutorDemand(Options with { ExecutorCores = 3 });
        var answer = Look(demand, 0, waiting: 3, cpus: 2);
        for (var second = 1; second < 5; second++) answer = Look(demand, second, waiting: 3, cpus: 2);
        Assert.Equal(3, answer.Wanted);
    }

    [Fact]
    public void The_most_bound_what_is_wanted()
    {
        var demand = new ExecutorDemand(Options with { MaxExecutors = 2 });
        var answer = Look(demand, 0, waiting: 1000);
        for (var second = 1; second < 5; second++) answer = Look(demand, second, waiting: 1000);
        Assert.Equal(2, answer.Wanted);
    }

    [Fact]
    public void Tasks_that_wait_for_less_than_the_backlog_timeout_lead_to_nothing()
    {
        var demand = new ExecutorDemand(Options);
        for (var second = 0.0; second < 20; second += 1)
        {
            Assert.Equal(1, Look(demand, second, waiting: 10, here: [Busy(1)]).Wanted);
            Assert.Equal(1, Look(demand, second + 0.9, here: [Busy(1)]).Wanted);
        }
    }

    [Fact]
    public void Executors_that_had_nothing_to_do_for_long_enough_are_given_back_but_the_least()
    {
        var demand = new ExecutorDemand(Options with { MinExecutors = 1 });
        ExecutorLoad[] here = [Idle(1, since: 2), Idle(2, since: 0), Idle(3, since: 1)];
        Assert.Equal(new Answer(1, [], 10), Look(demand, 5, here: here, hasJobs: false));
        Assert.Equal(new Answer(1, [2], 11), Look(demand, 10, here: here, hasJobs: false));

        // The longest idle first, and one stays.
        var (wanted, release, _) = Look(demand, 30, here: here, hasJobs: false);
        Assert.Equal((1, "2,3"), (wanted, string.Join(',', release)));
        Assert.Equal(new Answer(1, [], null), Look(demand, 40, here: [Idle(1, since: 2)], hasJobs: false));
    }

    [Fact]
    public void Executors_that_run_a_task_or_are_waited_for_are_not_given_back()
    {
        var demand = new ExecutorDemand(Options);
        Assert.Equal("2", string.Join(',', Look(demand, 30, here: [Busy(1), Idle(2, since: 0)]).Release));

        // Two tasks that only one of the two may be good for, whichever it is: they would run by now if any would do.
        Assert.Empty(Look(demand, 60, waiting: 2, fit: 4, here: [Idle(1, since: 0, slots: 4), Idle(2, since: 0, slots: 4)]).Release);
    }

    [Fact]
    public void Executors_that_keep_blocks_have_a_time_of_their_own_or_none()
    {
        ExecutorLoad[] here = [Idle(1, since: 0, keeps: true), Idle(2, since: 5)];
        var forEver = new ExecutorDemand(Options);
        Assert.Equal("2", string.Join(',', Look(forEver, 10_000, here: here, hasJobs: false).Release));

        // What they keep may be dropped while nothing else happens.
        Assert.NotNull(Look(forEver, 20_000, here: [here[0]], hasJobs: false).NextLook);

        var longer = new ExecutorDemand(Options with { CachedExecutorIdleTimeout = TimeSpan.FromSeconds(60) });
        Assert.Equal("2", string.Join(',', Look(longer, 59, here: here, hasJobs: false).Release));
        Assert.Equal(new Answer(0, [1], 69 + 1), Look(longer, 60, here: [here[0]], hasJobs: false));
    }

    [Theory]
    [InlineData(11)]
    public void Load_that_comes_and_goes_faster_than_the_idle_timeout_moves_no_executor(int seed)
    {
        var random = new Random(seed);
        var demand = new ExecutorDemand(Options);
        var lastBusy = new double[2];
        for (var second = 0; second < 500; second++)
        {
            // Two executors of four slots; jobs of eight tasks that take a part of a second, every few seconds.
            var runs = random.Next(4) == 0 || second - lastBusy[0] > 8;
            if (runs) lastBusy[0] = lastBusy[1] = second;
            var answer = runs
                ? Look(demand, second, here: [Busy(1, 4), Busy(2, 4)])
                : Look(demand, second, here: [Idle(1, lastBusy[0], 4), Idle(2, lastBusy[1], 4)], hasJobs: false);
            Assert.True(answer.Release.Length == 0, $"seed {seed}: {answer} after {second} s");
            Assert.True(answer.Wanted <= 2, $"seed {seed}: {answer} after {second} s");
        }
    }

    [Theory]
    [InlineData(3)]
    public void Any_load_is_served_and_let_go_of(int seed)
    {
        // A cluster of ten executors with two slots that gives what is wanted a second later; jobs of any size; tasks of any length.
        var random = new Random(seed);
        var demand = new ExecutorDemand(Options with { MinExecutors = 1 });
        var here = new Dictionary<int, (List<double> Ends, double LastBusy)>();
        var (waiting, next, wanted, most) = (0, 1, 1, 0);
        for (var second = 0; second < 2000; second++)
        {
            if (second < 1900 && random.Next(30) == 0) waiting += random.Next(1, 60);
            for (; here.Count < Math.Min(wanted, 10); next++) here.Add(next, ([], second));
            foreach (var id in here.Keys.ToArray())
            {
                var (ends, lastBusy) = here[id];
                if (ends.RemoveAll(end => end <= second) > 0) here[id] = (ends, lastBusy = second);
                for (; ends.Count < 2 && waiting > 0; waiting--) ends.Add(second + random.Next(1, 20));
            }
            ExecutorLoad[] loads = [.. here.Select(each => new ExecutorLoad(new ExecutorId(each.Key), 2, each.Value.Ends.Count, TimeSpan.FromSeconds(each.Value.LastBusy), false))];
            var running = here.Values.Sum(each => each.Ends.Count);
            var answer = Look(demand, second, waiting, fit: 2, here: loads, hasJobs: waiting + running > 0);
            Assert.True(answer.Wanted <= Math.Max(Math.Max(1, here.Count), (waiting + running + 1) / 2), $"seed {seed}: {answer} after {second} s for {waiting} + {running} tasks");
            foreach (var id in answer.Release)
            {
                Assert.True(here[id].Ends.Count == 0 && second - here[id].LastBusy >= 10, $"seed {seed}: {id} was given back after {second} s");
                here.Remove(id);
            }
            Assert.True(here.Count >= 1, $"seed {seed}: none is left after {second} s");
            wanted = answer.Wanted;
            most = Math.Max(most, here.Count);
        }
        Assert.True(most == 10, $"seed {seed}: never more than {most} executors");
        Assert.True(waiting == 0 && here.Count == 1, $"seed {seed}: {waiting} tasks wait, {here.Count} executors are left");
    }

    [Fact]
    public void Options_that_make_no_sense_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ClusterOptions { MinExecutors = -1 }.Check());
        Assert.Throws<ArgumentOutOfRangeException>(() => new ClusterOptions { MinExecutors = 3, MaxExecutors = 2 }.Check());
        Assert.Throws<ArgumentOutOfRangeException>(() => new ClusterOptions { MaxExecutors = 0 }.Check());
        Assert.Throws<ArgumentOutOfRangeException>(() => new ClusterOptions { BacklogTimeout = TimeSpan.Zero }.Check());
        Assert.Throws<ArgumentOutOfRangeException>(() => new ClusterOptions { ExecutorIdleTimeout = Timeout.InfiniteTimeSpan }.Check());
        Assert.Throws<ArgumentOutOfRangeException>(() => (Options with { CachedExecutorIdleTimeout = TimeSpan.FromSeconds(5) }).Check());
        new ClusterOptions().Check();
        Options.Check();
    }

    private static ExecutorLoad Busy(int id, int slots = 1) => new(new ExecutorId(id), slots, slots, default, false);

    private static ExecutorLoad Idle(int id, double since, int slots = 1, bool keeps = false) => new(new ExecutorId(id), slots, 0, TimeSpan.FromSeconds(since), keeps);

    private static Answer Look(ExecutorDemand demand, double second, int waiting = 0, int cpus = 1, int fit = 0, ExecutorLoad[]? here = null, bool hasJobs = true)
    {
        var answer = demand.Look(new SchedulerLoad(TimeSpan.FromSeconds(second), hasJobs, waiting == 0 ? [] : [new WaitingTasks(waiting, cpus, fit)], here ?? []));
        return new Answer(answer.Wanted, [.. answer.Release.Select(executor => executor.Value)], answer.NextLook?.TotalSeconds);
    }

    private sealed record Answer(int Wanted, int[] Release, double? NextLook)
    {
        public bool Equals(Answer? other) => other is not null && Wanted == other.Wanted && Release.SequenceEqual(other.Release) && NextLook == other.NextLook;

        public override int GetHashCode() => Wanted;

        public override string ToString() => $"{Wanted} wanted, [{string.Join(", ", Release)}] given back, next look {NextLook}";
    }
}
