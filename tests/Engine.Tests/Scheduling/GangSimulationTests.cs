using Dataflow.Jobs;
using Dataflow.Scheduling;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>
/// The whole machine under random failures and losses, with gangs and ordinary stages at once: whatever happens, gangs start whole, nobody gets
/// more slots than there are, only tasks of one attempt meet, and every job ends.
/// </summary>
public sealed class GangSimulationTests
{
    private const int Meetings = 3;

    [Fact]
    public void Gangs_start_whole_and_every_job_ends()
    {
        for (var seed = 0; seed < 150; seed++)
        {
            try
            {
                new Simulation(seed).Run();
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                throw new InvalidOperationException($"With seed {seed}: {error.Message}", error);
            }
        }
    }

    private sealed class Simulation(int seed)
    {
        private const int MostSteps = 20_000;

        private readonly Random _random = new(seed);
        private readonly SchedulerMachine _machine = new(
            DataflowOptions.Default with { TaskMaxAttempts = 200, StageMaxAttempts = 10_000, NoExecutorTimeout = TimeSpan.FromHours(9) },
            new Random(seed), DateTimeOffset.UnixEpoch, places: true);

        private readonly List<SchedulerAction> _actions = [];
        private readonly Dictionary<ExecutorId, int> _slots = [];
        private readonly List<Attempt> _running = [];
        private readonly HashSet<JobId> _ended = [];
        private TimeSpan _now;
        private int _nextExecutor;

        public void Run()
        {
            for (var i = 0; i < 3; i++) AddExecutor();
            var before = new TestShuffle(new TestRdd(5), 4);
            var behind = new TestShuffle(new TestRdd(4, before) { StartsTogether = true }, 2);
            Rdd[] roots =
            [
                new TestRdd(7), new TestRdd(2, behind), new TestRdd(3) { StartsTogether = true },
                new TestRdd(6, new OneToOneDependency(new TestRdd(6) { StartsTogether = true })), new TestRdd(4) { Resources = new ResourceProfile(cpus: 2) },
            ];
            foreach (var (root, job) in roots.Select((root, job) => (root, job)))
            {
                _ = root.Determinacy;
                Feed(new JobSubmitted(new JobId(job), new JobRequest(root, [.. Enumerable.Range(0, root.PartitionCount)], (_, _) => null)));
                for (var steps = _random.Next(10); steps > 0; steps--) Step();
            }
            for (var step = 0; _ended.Count < roots.Length; step++)
            {
                Assert.True(step < MostSteps, $"jobs {string.Join(", ", Enumerable.Range(0, roots.Length).Where(job => !_ended.Contains(new JobId(job))))} do not end");
                Step();
            }
            while (_running.Count > 0) End(_running[0], new TaskKilled("its job ended"));
            Assert.Equal((0, 0, 0), (_machine.Dag.JobCount, _machine.Dag.StageCount, _machine.Tasks.SetCount));
        }

        private void Step()
        {
            var dice = _random.Next(100);
            if (dice < 1)
                LoseSomeone();
            else if (dice < 10 || _running.Count == 0)
                Pass();
            else
                Advance(_running[_random.Next(_running.Count)]);
            _machine.Launch(_now, _actions);
            CarryOut();
        }

        private void Advance(Attempt attempt)
        {
            var task = attempt.Task.Description;
            if (attempt.IsWaiting && !attempt.IsKilled) return;
            if (attempt.IsKilled)
                End(attempt, new TaskKilled("as asked"));
            else if (_random.Next(60) == 0)
                End(attempt, new TaskThrew(new FormatException("n/a")));
            else if (task.Gang is not null && attempt.Met < Meetings)
                Arrive(attempt);
            else
                End(attempt, new TaskSucceeded(attempt.Task is ShuffleMapTask map ? ((TestShuffle)((MapStageBinary)map.Binary).Dependency).Status(new WorkerId(attempt.Executor.Value)) : null));
        }

        private void Arrive(Attempt attempt)
        {
            var task = attempt.Task.Description;
            attempt.IsWaiting = true;
            Feed(new BarrierArrived(
                task.Id, task.Stage, task.StageAttempt, task.Partition, attempt.Met, MeetingKind.AllGather, [(byte)attempt.Met, (byte)task.StageAttempt],
                TimeSpan.FromHours(5), answer =>
                {
                    attempt.IsWaiting = false;
                    if (answer.Messages is not { } messages)
                    {
                        attempt.IsKilled = true;
                        return;
                    }
                    Assert.Equal(task.Gang!.TaskCount, messages.Length);
                    Assert.All(messages, message => Assert.Equal([(byte)attempt.Met, (byte)task.StageAttempt], message));
                    attempt.Met++;
                }));
        }

        private void End(Attempt attempt, TaskOutcome outcome)
        {
            _running.Remove(attempt);
            _slots[attempt.Executor] += attempt.Task.Description.Cpus;
            Feed(new TaskEnded(attempt.Task.Description.Id, outcome, new TaskMetrics(), null));
        }

        private void Pass()
        {
            _now += TimeSpan.FromMilliseconds(50);
            Feed(TimePassed.Instance);
        }

        private void AddExecutor()
        {
            var id = new ExecutorId(_nextExecutor++);
            _slots[id] = 3;
            Feed(new ExecutorAdded(id, new WorkerId(id.Value), $"host-{id}", 3));
        }

        private void LoseSomeone()
        {
            var lost = _slots.Keys.ElementAt(_random.Next(_slots.Count));
            _slots.Remove(lost);
            _running.RemoveAll(attempt => attempt.Executor == lost);
            Feed(_random.Next(2) == 0 ? new ExecutorLost(lost, "it crashed") : new WorkerLost(new WorkerId(lost.Value), "it crashed"));
            for (var steps = _random.Next(5); steps > 0; steps--) Pass();
            AddExecutor();
        }

        private void Feed(SchedulerEvent happened)
        {
            _machine.Handle(happened, _now, _actions);
            CarryOut();
        }

        private void CarryOut()
        {
            var actions = _actions.ToArray();
            _actions.Clear();
            foreach (var gang in actions.OfType<LaunchTask>().Where(launch => launch.Task.Description.Gang is not null).GroupBy(launch => launch.Task.Description.Gang))
                Assert.Equal(Enumerable.Range(0, gang.Key!.TaskCount), gang.Select(launch => launch.Task.Description.Partition).Order());
            foreach (var action in actions)
            {
                switch (action)
                {
                    case LaunchTask launch:
                        _slots[launch.Executor] -= launch.Task.Description.Cpus;
                        Assert.InRange(_slots[launch.Executor], 0, 3);
                        _running.Add(new Attempt(launch.Task, launch.Executor));
                        break;
                    case KillTask kill:
                        if (_running.Find(attempt => attempt.Task.Description.Id == kill.Task) is { } killed) killed.IsKilled = true;
                        break;
                    case AnswerBarrier answer: answer.Question.Reply(answer); break;
                    case EndJob end:
                        Assert.True(end.Failure is null, end.Failure?.What);
                        _ended.Add(end.Job);
                        break;
                }
            }
        }
    }

    private sealed class Attempt(StageTask task, ExecutorId executor)
    {
        public StageTask Task => task;

        public ExecutorId Executor => executor;

        public int Met { get; set; }

        public bool IsWaiting { get; set; }

        public bool IsKilled { get; set; }
    }
}
