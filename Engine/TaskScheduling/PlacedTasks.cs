using Dataflow.Scheduling;

namespace Dataflow.TaskScheduling;

/// <summary>
/// The waiting tasks of a set by where they would best run, and how far from there they may run by now: a slot that is not near is
/// refused for a bounded time, in the hope of one that is (Zaharia et al., Delay Scheduling, EuroSys 2010, section 3).
/// </summary>
internal sealed class PlacedTasks
{
    private readonly Preference[] _preferences;
    private readonly Dictionary<ExecutorId, List<int>> _byExecutor = [];
    private readonly Dictionary<string, List<int>> _byHost = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<ExecutorId> _gone = [];
    private Locality _level = Locality.Executor;
    private TimeSpan _since;

    public PlacedTasks(Preference[] preferences, TimeSpan now)
    {
        _preferences = preferences;
        _since = now;

        // They are stacks: the first task is put on last.
        for (var index = preferences.Length - 1; index >= 0; index--) Add(index);
    }

    /// <summary>Tasks for which it does not matter.</summary>
    public List<int> Anywhere { get; } = [];

    public List<int>? At(ExecutorId executor) => _byExecutor.GetValueOrDefault(executor);

    public List<int>? At(string host) => _byHost.GetValueOrDefault(host);

    public void Add(int index)
    {
        var preference = _preferences[index];
        if (preference.IsNone)
        {
            Anywhere.Add(index);
            return;
        }
        foreach (var executor in preference.Executors)
        {
            if (!_gone.Contains(executor)) Stack(_byExecutor, executor).Add(index);
        }
        foreach (var host in preference.Hosts) Stack(_byHost, host).Add(index);
    }

    /// <summary>An executor is gone: tasks that wanted it go where they would next best run.</summary>
    public void Gone(ExecutorId executor)
    {
        _gone.Add(executor);
        _byExecutor.Remove(executor);
    }

    /// <summary>How far from their data tasks may run now. A level at which nothing waits is passed at once.</summary>
    public Locality Allowed(TimeSpan now, TimeSpan wait, Predicate<int> isPending)
    {
        while (_level < Locality.Any)
        {
            if (!(_level == Locality.Executor ? AnyWaits(_byExecutor.Values, isPending) : AnyWaits(_byHost.Values, isPending)))
                _since = now;
            else if (now - _since >= wait)
                _since += wait;
            else
                break;
            _level++;
        }
        return _level;
    }

    /// <summary>A task was launched at a level: it is worth waiting there again.</summary>
    public void Launched(Locality level, TimeSpan now)
    {
        if (level > _level) return;
        _level = level;
        _since = now;
    }

    public TimeSpan? WaitsUntil(TimeSpan wait) => _level < Locality.Any ? _since + wait : null;

    private static bool AnyWaits(IEnumerable<List<int>> stacks, Predicate<int> isPending)
    {
        foreach (var stack in stacks)
        {
            while (stack.Count > 0 && !isPending(stack[^1])) stack.RemoveAt(stack.Count - 1);
            if (stack.Count > 0) return true;
        }
        return false;
    }

    private static List<int> Stack<TKey>(Dictionary<TKey, List<int>> stacks, TKey key)
        where TKey : notnull
    {
        if (!stacks.TryGetValue(key, out var stack)) stacks[key] = stack = [];
        return stack;
    }
}
