using Dataflow.Tasks;

namespace Dataflow.TaskScheduling;

// Tasks that start together or not at all.
internal sealed partial class TaskScheduler
{
    // Where each task of the gang that is about to start goes.
    private readonly List<ExecutorSlots> _places = [];

    /// <summary>Finds a place for every task of a barrier set, near its data where there is room. Costs tasks x executors.</summary>
    /// <returns>Whether all have one.</returns>
    private bool PlanGang(TaskSet set)
    {
        var request = set.Request;
        var rooms = new List<(ExecutorSlots Executor, int Room)>(_executors.Count);
        var total = 0L;
        foreach (var executor in _executors.Values)
        {
            var room = executor.Room(request.Needs);
            if (room == 0) continue;
            rooms.Add((executor, room));
            total += room;
        }
        if (total < set.Count) return false;

        _places.Clear();
        for (var index = 0; index < set.Count; index++)
        {
            var preference = request.Preferences?[index] ?? Preference.None;
            var at = -1;
            for (var i = 0; i < rooms.Count; i++)
            {
                if (rooms[i].Room > 0 && (at < 0 || IsBetter(rooms[i], rooms[at], preference))) at = i;
            }
            _places.Add(rooms[at].Executor);
            rooms[at] = rooms[at] with { Room = rooms[at].Room - 1 };
        }
        return true;
    }

    /// <summary>Whether a gang that could start now still waits for an executor that keeps what a task of it needs and has no free slot.</summary>
    private bool WaitsForState(TaskSet set)
    {
        if (set.Request.Preferences is not { } preferences || set.WaitsUntil is not { } until || until <= _now) return false;
        for (var index = 0; index < set.Count; index++)
        {
            var preference = preferences[index];
            if (!preference.IsOfState || preference.Executors.Contains(_places[index].Id)) continue;
            if (preference.Executors.Any(executor => _executors.TryGetValue(executor, out var known) && known.Capacity(set.Request.Needs) > 0)) return true;
        }
        return false;
    }

    private static bool IsBetter((ExecutorSlots Executor, int Room) a, (ExecutorSlots Executor, int Room) b, Preference preference)
    {
        var (nearA, nearB) = (Nearness(a.Executor, preference), Nearness(b.Executor, preference));
        return nearA != nearB ? nearA < nearB : a.Room > b.Room;
    }

    private static Locality Nearness(ExecutorSlots executor, Preference preference) =>
        preference.IsNone ? Locality.Any
        : preference.Executors.Contains(executor.Id) ? Locality.Executor
        : preference.Hosts.Contains(executor.Host, StringComparer.OrdinalIgnoreCase) ? Locality.Host
        : Locality.Any;

    private void LaunchGang(TaskSet set, TimeSpan now)
    {
        var hosts = new string[set.Count];
        for (var index = 0; index < hosts.Length; index++)
        {
            var request = set.Request;
            hosts[request.PartitionOf(request.Tasks[index])] = _places[index].Host;
        }
        var gang = new Gang(hosts);
        for (var index = 0; index < hosts.Length; index++) Launch(set, index, _places[index], speculative: false, gang, now);
        Dequeue(set);
    }
}
