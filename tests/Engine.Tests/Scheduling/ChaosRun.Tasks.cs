using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Engine.Tests.Scheduling;

// What the tasks do.
internal sealed partial class ChaosRun
{
    private void Launch(LaunchTask launch)
    {
        Check(_executors.TryGetValue(launch.Executor, out var executor), "a task was launched on an executor that is gone");
        Check(_running.Values.Count(task => task.Executor == launch.Executor) < executor.Slots, "an executor has more tasks than slots");
        var running = new ChaosTask(launch.Task, launch.Executor, executor.Worker);
        Plan(running, launch.Task.Binary.Rdd, null);

        // Some inputs are read now, the others when the task is about to end; what cannot be read now is tried again then.
        running.Unread.RemoveAll(input => _random.Next(2) > 0 && TryRead(running, input) is null);
        _running.Add(running.Id, running);
    }

    /// <summary>Lists what a task reads: map outputs, and kept partitions where they are not on its executor.</summary>
    private void Plan(ChaosTask task, Rdd rdd, KeptPartition? into)
    {
        foreach (var dependency in rdd.Dependencies)
        {
            if (dependency is ShuffleDependency shuffle)
            {
                for (var map = 0; map < shuffle.Rdd.PartitionCount; map++) task.Unread.Add((shuffle, map, into));
                continue;
            }
            if (!dependency.Rdd.StorageLevel.IsKept)
            {
                Plan(task, dependency.Rdd, into);
                continue;
            }
            var kept = new KeptPartition(dependency.Rdd.Id, task.Task.Partition.Index);
            if (_blocks[task.Executor].TryGetValue(kept.Id, out var block))
            {
                task.Add(block, into);
                continue;
            }
            task.Kept.Add(kept);
            Plan(task, dependency.Rdd, kept);
        }
    }

    private void Finish(ChaosTask running, bool healthy)
    {
        if (running.IsKilled && _random.Next(3) > 0)
        {
            End(running, new TaskKilled("killed"));
            return;
        }
        if (!healthy && _random.Next(12) == 0)
        {
            End(running, new TaskThrew(new FormatException("n/a")));
            return;
        }
        if (TryReadAll(running) is { } failed)
        {
            End(running, failed);
            return;
        }
        foreach (var kept in running.Kept) Keep(running, kept);
        if (!_running.ContainsKey(running.Id)) return;
        if (running.Task.Binary is MapStageBinary)
        {
            End(running, new TaskSucceeded(Write(running)));
            return;
        }
        if (MayCommit(running.Task.Description))
            End(running, new TaskSucceeded(ContentOf(running)));
        else
            End(running, new CommitDenied());
    }

    /// <summary>A task that the driver has given up ends: nobody hears of it, but what it writes is there.</summary>
    private void FinishZombie()
    {
        var zombie = Pick(_zombies);
        _zombies.Remove(zombie);
        if (TryReadAll(zombie) is null && zombie.Task.Binary is MapStageBinary) Write(zombie);
    }

    private FetchFailed? TryReadAll(ChaosTask task)
    {
        foreach (var input in task.Unread)
        {
            if (TryRead(task, input) is { } failed) return failed;
        }
        task.Unread.Clear();
        foreach (var kept in task.Kept) task.Content = task.Content.Merge(kept.Content);
        return null;
    }

    /// <summary>Reads one map output from whoever is said to serve it.</summary>
    private FetchFailed? TryRead(ChaosTask task, (ShuffleDependency Shuffle, int Map, KeptPartition? Into) input)
    {
        var (shuffle, map, into) = input;
        var location = _machine.MapOutputs.LocationOf(shuffle.ShuffleId, map);
        if (location is null) return Failed(FetchFailure.Missing, "nobody serves it");
        if (_lost.Contains(location.Server)) return Failed(FetchFailure.Unreachable, "no answer");
        if (!_stores[location.Server].TryGetValue((shuffle.ShuffleId, map), out var output) || output.Writer != location.Writer)
            return Failed(FetchFailure.Missing, "it is gone");
        task.Add(output.Content, into);
        return null;

        FetchFailed Failed(FetchFailure failure, string why) => new(shuffle.ShuffleId, map, location, failure, why);
    }

    private void Keep(ChaosTask task, KeptPartition kept)
    {
        if (kept.IsDropped) return;
        _blocks[task.Executor][kept.Id] = kept.Content;
        Send(task.Executor, new BlockUpdated(task.Executor, new BlockUpdate(new RddBlockId(kept.Id.Rdd, kept.Id.Partition), BlockChange.Added, 1, 0)));
    }

    /// <summary>Registers a map output with the worker, as <see cref="ShuffleStore"/> does.</summary>
    private MapStatus Write(ChaosTask task)
    {
        var dependency = ((MapStageBinary)task.Task.Binary).Dependency;
        var description = task.Task.Description;
        var output = new ServedOutput(ContentOf(task), (description.Stage.Value, description.StageAttempt), task.Id);
        var store = _stores[task.Worker];
        var key = (dependency.ShuffleId, task.Task.Partition.Index);
        if (!store.TryGetValue(key, out var served) || served.Origin.CompareTo(output.Origin) < 0) store[key] = served = output;
        return new MapStatus(
            new MapLocation(task.Worker, served.Writer), new long[dependency.ReducePartitions], new long[dependency.ReducePartitions], 0);
    }

    private Content ContentOf(ChaosTask task)
    {
        var rdd = task.Task.Binary.Rdd;
        return rdd.Determinacy == Determinacy.Indeterminate ? task.Content.With((rdd.Id, task.Task.Partition.Index), _nextVersion++) : task.Content;
    }

    private bool MayCommit(TaskDescription task)
    {
        var granted = false;
        Feed(new CommitAsked(task.Id, task.Stage, task.StageAttempt, task.Partition, answer => granted = answer));
        if (!granted) return false;
        var key = (task.Stage, task.Partition);
        if (_commits.TryGetValue(key, out var holder) && holder != task.Id) Check(!_running.ContainsKey(holder), "two attempts that run may commit the same partition");
        _commits[key] = task.Id;
        return true;
    }

    private void End(ChaosTask task, TaskOutcome outcome)
    {
        _running.Remove(task.Id);
        Send(task.Executor, new TaskEnded(task.Id, outcome, new TaskMetrics(), null));
    }
}
