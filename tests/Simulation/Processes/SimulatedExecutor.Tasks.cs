using Dataflow.Cluster;
using Dataflow.Errors;
using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Tasks;

namespace Dataflow.Simulation;

// What its tasks ask for, and how they end.
internal sealed partial class SimulatedExecutor : ICommitCoordinator, IMeetingPoint, IShuffleFetcher
{
    // How long a fetch waits for a server that does not answer.
    private static readonly TimeSpan FetchPatience = TimeSpan.FromSeconds(5);

    public World World => _world;

    /// <summary>Whether the code of tasks throws now and then.</summary>
    public bool CodeFails => _cluster.CodeFails;

    /// <summary>How long a task takes, beside what it waits for.</summary>
    public TimeSpan TaskTime()
    {
        var time = _world.Milliseconds(0.2, _world.Chance(0.05) ? 3000 : 150);
        return _world.Time.Now < Machine.SlowUntil ? time * 20 : time;
    }

    public bool MayCommit(TaskDescription task)
    {
        var asks = new AskCommit(task.Id, task.Stage, task.StageAttempt, task.Partition);
        var granted = SimulatedTask.Current!.Ask<CommitAnswer>(() =>
        {
            _driver.Send(asks);
            if (_world.Chance(0.1)) _driver.Send(asks);
        }).Granted;
        _world.Note(granted ? "task {0} may commit partition {1}" : "task {0} may not commit partition {1}", task.Id.Value, task.Partition);
        return granted;
    }

    public byte[][] Meet(TaskDescription task, int meeting, MeetingKind kind, byte[] message, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var asks = new AskMeeting(task.Id, task.Stage, task.StageAttempt, task.Partition, meeting, kind, message, timeout);
        MeetingAnswer given;
        var isFirst = true;
        do
        {
            given = SimulatedTask.Current!.Ask<MeetingAnswer>(() =>
            {
                if (isFirst) _driver.Send(asks);
                if (isFirst && _world.Chance(0.1)) _driver.Send(asks);
                isFirst = false;
            });
        }
        while (given.Meeting != meeting);
        return given.Messages ?? throw new BarrierException($"{kind}() in task {task.Partition} of stage {task.Stage} did not come to an end: {given.Failure}.");
    }

    public MapOutput[] Fetch(
        ShuffleId shuffle, IReadOnlyList<(int Map, MapLocation Location)> wanted, int reduceStart, int reduceEnd, TaskContext context)
    {
        var outputs = new MapOutput[wanted.Count];
        context.OnCompletion(done =>
        {
            foreach (var output in outputs)
            {
                if (output is not null) done.Services.Shuffles.Abandon(output);
            }
        });
        foreach (var server in Enumerable.Range(0, wanted.Count).GroupBy(i => wanted[i].Location.Server))
        {
            var first = wanted[server.First()];
            var source = Reach(server.Key, first);
            foreach (var position in server) outputs[position] = Take(source, wanted[position]);
            Travel(Machine.Number, source.Machine.Number, first);
        }
        return outputs;

        IOutputServer Reach(WorkerId server, (int Map, MapLocation Location) first)
        {
            if (_outputs.Find(server) is not { } found) throw Lost(first, FetchFailure.Unreachable, "nobody knows where its server is");
            var source = _cluster.Find(new Uri(found.DataUrl));
            Travel(Machine.Number, source.Machine.Number, first);
            if (!source.IsDead) return source;
            if (source.DiedSilently) SimulatedTask.Current!.Pause(FetchPatience);
            throw Lost(first, FetchFailure.Unreachable, $"the server {server} does not answer");
        }

        // Question and answer cross the network; while it is cut they wait, for some time.
        void Travel(int here, int there, (int Map, MapLocation Location) first)
        {
            SimulatedTask.Current!.Pause(_cluster.Network.Latency());
            for (var waited = TimeSpan.Zero; !_cluster.Network.IsWhole(here, there); waited += TimeSpan.FromMilliseconds(500))
            {
                if (waited > FetchPatience) throw Lost(first, FetchFailure.Unreachable, $"machine {there} did not answer for {FetchPatience.TotalSeconds} s");
                SimulatedTask.Current!.Pause(TimeSpan.FromMilliseconds(500));
            }
        }

        MapOutput Take(IOutputServer source, (int Map, MapLocation Location) one)
        {
            if (source.IsDead) throw Lost(one, FetchFailure.Unreachable, $"the server {one.Location.Server} was gone before it had answered");
            var output = _services.Shuffles.Begin(shuffle, one.Map, reduceEnd, context.Description);
            try
            {
                using var block = source.Open(BlockName.Shuffle(shuffle, one.Map, one.Location.Writer, reduceStart, reduceEnd))
                    ?? throw Lost(one, FetchFailure.Missing, "the server does not have it");
                while (block.TryNext(out var piece)) output.Add(piece.Part, Segments.Read(piece, _services.Pool));
            }
            catch (CorruptDataException error)
            {
                _services.Shuffles.Abandon(output);
                throw Lost(one, FetchFailure.Corrupt, error.Message);
            }
            catch (TempFolderException error)
            {
                _services.Shuffles.Abandon(output);
                throw Lost(one, FetchFailure.Missing, error.Message);
            }
            catch
            {
                _services.Shuffles.Abandon(output);
                throw;
            }
            return output;
        }

        FetchFailedException Lost((int Map, MapLocation Location) output, FetchFailure failure, string why)
        {
            _world.Note("executor {0} can't have output {1} of shuffle {2}", Id.Value, output.Map, shuffle.Value);
            _world.Explain(why);
            return context.LostInput(new FetchFailedException(shuffle, output.Map, output.Location, failure, why));
        }
    }

    public void OnEnded(SimulatedTask task, TaskOutcome outcome, byte[] report)
    {
        var id = task.Description.Id;
        _running.Remove(id);
        _world.Note("executor {0} ends task {1}", Id.Value, id.Value);
        _world.Explain(outcome is TaskThrew threw ? threw.Exception.Message : outcome.GetType().Name);
        var finished = new TasksFinished([new TaskFinish(id, report)]);
        _driver.Send(finished);

        // Said twice, at once or long after: the driver heard it the first time.
        if (_world.Chance(0.05)) _driver.Send(finished);
        if (_world.Chance(0.05)) _world.Time.After(_world.Milliseconds(1, 20_000), () => _driver.Send(finished));
    }

    /// <summary>A task waits for what another one on this executor does, or for an answer.</summary>
    private static void WaitFor(Task task, CancellationToken cancellationToken)
    {
        for (var pause = TimeSpan.FromMilliseconds(1); !task.IsCompleted; pause = pause < TimeSpan.FromMilliseconds(100) ? pause * 2 : pause)
            SimulatedTask.Current!.Pause(pause);
    }
}
