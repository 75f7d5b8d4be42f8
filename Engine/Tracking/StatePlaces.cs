using Dataflow.Scheduling;
using Dataflow.Storage;

namespace Dataflow.Tracking;

/// <summary>Which executors keep which objects of partitions in their <see cref="ExecutorState"/>.</summary>
internal sealed class StatePlaces
{
    private readonly Dictionary<string, List<ExecutorId>> _places = new(StringComparer.Ordinal);

    // An older version that is dropped because a newer one came is told after that.
    private readonly Dictionary<(string Key, ExecutorId Executor), long> _versions = [];

    /// <summary>Executors that keep an object, the one that got it last first: it has the newest version.</summary>
    public IReadOnlyList<ExecutorId> ExecutorsOf(string key) => _places.TryGetValue(key, out var executors) ? executors : [];

    public void Update(ExecutorId executor, StateUpdate update)
    {
        if (!_places.TryGetValue(update.Key, out var executors)) _places[update.Key] = executors = new(1);
        if (update.IsHere)
        {
            executors.Remove(executor);
            executors.Insert(0, executor);
            _versions[(update.Key, executor)] = update.Version;
        }
        else if (_versions.TryGetValue((update.Key, executor), out var version) && version <= update.Version)
        {
            Remove(update.Key, executor);
        }
        if (executors.Count == 0) _places.Remove(update.Key);
    }

    /// <summary>Forgets what an executor kept. Costs the number of objects.</summary>
    public void RemoveExecutor(ExecutorId executor)
    {
        foreach (var key in _places.Where(place => place.Value.Contains(executor)).Select(place => place.Key).ToArray())
        {
            Remove(key, executor);
            if (_places[key].Count == 0) _places.Remove(key);
        }
    }

    private void Remove(string key, ExecutorId executor)
    {
        _places[key].Remove(executor);
        _versions.Remove((key, executor));
    }
}
