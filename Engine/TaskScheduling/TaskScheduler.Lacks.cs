using Dataflow.Scheduling;

namespace Dataflow.TaskScheduling;

// Tasks that nobody can run: too few slots for a gang, more cpus than any executor has, a resource that nobody offers.
internal sealed partial class TaskScheduler
{
    // Sets that ask for more than one slot a task, and since when no executor could ever serve them.
    private readonly List<(TaskSet Set, TimeSpan? Since)> _demanding = [];

    private TimeSpan Patience => _grows ? _options.NoExecutorTimeout : TimeSpan.Zero;

    /// <summary>Gives up the sets that could not be served for too long, with what there is.</summary>
    private void LookForLacks(TimeSpan now)
    {
        for (var i = _demanding.Count - 1; i >= 0; i--)
        {
            var (set, since) = _demanding[i];
            if (set.IsStopped) continue;

            // Without any executor the DAG scheduler's own clock runs.
            if (_executors.Count == 0 || CanServe(set))
            {
                _demanding[i] = (set, null);
                continue;
            }
            since ??= now;
            _demanding[i] = (set, since);
            if (now - since < Patience) continue;

            var room = RoomWhenIdle(set);
            var offers = _executors.Values.Select(executor => executor.ToString()).Distinct().Order(StringComparer.Ordinal).ToArray();
            _events.Enqueue(new TaskSetUnplaceable(set.Request.Stage, set.Request.Attempt, room, offers));
            Stop(set);
        }
    }

    /// <summary>When the first of them is given up; null if none lacks anything.</summary>
    private TimeSpan? LacksUntil()
    {
        TimeSpan? first = null;
        foreach (var (set, since) in _demanding)
        {
            if (since is { } began && !set.IsStopped) first = Earlier(first, began + Patience);
        }
        return first;
    }

    /// <summary>Whether the executors that are there could run the set if nothing else ran.</summary>
    private bool CanServe(TaskSet set) => RoomWhenIdle(set) >= (set.Request.IsBarrier ? set.Count : 1);

    private int RoomWhenIdle(TaskSet set)
    {
        var room = 0L;
        foreach (var executor in _executors.Values) room += executor.Capacity(set.Request.Needs);
        return (int)Math.Min(room, int.MaxValue);
    }
}
