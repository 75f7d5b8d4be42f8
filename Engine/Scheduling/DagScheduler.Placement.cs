using System.Collections.Concurrent;
using System.Reflection;
using Dataflow.Storage;
using Dataflow.TaskScheduling;

namespace Dataflow.Scheduling;

// Where tasks would best run.
internal sealed partial class DagScheduler
{
    // A task reads its lineage in order; what it meets in the first thousand steps decides.
    private const int FarthestLook = 1000;

    // A server that holds a fifth of what a task reads is worth going to.
    private const double BigPart = 0.2;

    private const int MostMapOutputsWeighed = 1000;

    private static readonly ConcurrentDictionary<Type, bool> Placing = new();

    private Preference[]? PreferencesOf(Stage stage, int[] tasks)
    {
        var lineage = StageGraph.NarrowLineage(stage.Rdd, _isCached);
        var matters = _cached.HasAny(stage.Rdd.Id) || lineage.Exists(
            rdd => rdd.StateName is not null || _cached.HasAny(rdd.Id) || HasPlaces(rdd) || rdd.LiveDependencies.Any(dependency =>
                dependency is ShuffleDependency || _cached.HasAny(dependency.Rdd.Id)));
        if (!matters) return null;

        var preferences = new Preference[tasks.Length];
        var any = false;
        for (var i = 0; i < tasks.Length; i++)
        {
            preferences[i] = PreferenceOf(stage.Rdd, stage.PartitionOf(tasks[i]));
            any |= !preferences[i].IsNone;
        }
        return any ? preferences : null;
    }

    /// <summary>The first place that the lineage of a partition names: where its state or itself is kept, else where its source or most of its input is.</summary>
    private Preference PreferenceOf(Rdd root, int partition)
    {
        var stack = new Stack<(Rdd Rdd, int Partition)>();
        stack.Push((root, partition));
        for (var looked = 0; looked < FarthestLook && stack.TryPop(out var at); looked++)
        {
            var (rdd, index) = at;
            if (rdd.StateName is { } state && KeepersOf(ExecutorState.KeyOf(state, index)) is { Count: > 0 } keepers)
                return new Preference(keepers, HostsOf(keepers)) { IsOfState = true };
            var executors = _cached.ExecutorsOf(rdd.Id, index);
            if (executors.Count > 0) return new Preference([.. executors], HostsOf(executors));
            var part = rdd.PartitionArray[index];
            if (HasPlaces(rdd) && rdd.PreferredLocations(part) is { Count: > 0 } hosts) return new Preference([], hosts);
            for (var i = rdd.LiveDependencies.Count - 1; i >= 0; i--)
            {
                switch (rdd.LiveDependencies[i])
                {
                    case NarrowDependency narrow:
                        foreach (var parent in narrow.ParentsOf(index).Reverse()) stack.Push((narrow.Rdd, parent));
                        break;
                    case ShuffleDependency shuffle when part is ShuffleReadPartition read && ServersOf(shuffle, read) is { Count: > 0 } servers:
                        return new Preference([], servers);
                }
            }
        }
        return Preference.None;
    }

    // One that is about to leave takes no tasks: what it keeps is made anew elsewhere.
    private List<ExecutorId> KeepersOf(string key) => [.. _states.ExecutorsOf(key).Where(executor => !_closed.Contains(executor)).Take(1)];

    private List<string> HostsOf(IReadOnlyList<ExecutorId> executors)
    {
        var hosts = new List<string>(executors.Count);
        foreach (var executor in executors)
        {
            if (_executors.TryGetValue(executor, out var known) && !hosts.Contains(known.Host)) hosts.Add(known.Host);
        }
        return hosts;
    }

    private List<string> ServersOf(ShuffleDependency shuffle, ShuffleReadPartition read)
    {
        var maps = _outputs.MapCount(shuffle.ShuffleId) ?? 0;
        if (maps > MostMapOutputsWeighed || _outputs.SizesOf(shuffle.ShuffleId) is not { } sizes) return [];
        var bytes = new Dictionary<WorkerId, long>();
        var total = 0L;
        for (var map = read.MapStart; map < Math.Min(read.MapEnd, maps); map++)
        {
            if (_outputs.LocationOf(shuffle.ShuffleId, map)?.Server is not { } server) continue;
            for (var reduce = read.ReduceStart; reduce < read.ReduceEnd; reduce++)
            {
                var size = sizes.BytesOf(map, reduce);
                bytes[server] = bytes.GetValueOrDefault(server) + size;
                total += size;
            }
        }
        return [.. bytes
            .Where(pair => pair.Value > 0 && pair.Value >= total * BigPart && _hosts.ContainsKey(pair.Key))
            .OrderByDescending(pair => pair.Value)
            .Select(pair => _hosts[pair.Key])
            .Distinct()];
    }

    private static bool HasPlaces(Rdd rdd) => Placing.GetOrAdd(rdd.GetType(), static type =>
        type.GetMethod(nameof(Rdd.PreferredLocations), BindingFlags.Public | BindingFlags.Instance)!.DeclaringType != typeof(Rdd));
}
