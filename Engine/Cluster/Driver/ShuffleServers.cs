using Dataflow.Scheduling;
using Dataflow.Tracking;

namespace Dataflow.Cluster;

/// <summary>
/// The workers that serve map outputs, and where. One that is gone for good never comes back under its number; one that only did not answer
/// is welcome again, without what it served before.
/// </summary>
/// <param name="workers">Calls workers beside the links of their executors.</param>
/// <remarks>Called on any thread.</remarks>
internal sealed class ShuffleServers(IWorkerCalls workers)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<WorkerId, BlockServer> _servers = [];
    private readonly MapOutputAnswers _answers = new();
    private readonly HashSet<WorkerId> _gone = [];
    private readonly HashSet<WorkerId> _checked = [];
    private long _changes;

    /// <summary>Who serves which map output; set before the first job.</summary>
    public MapOutputTracker MapOutputs { get; set; } = null!;

    /// <summary>Notes where a worker serves.</summary>
    /// <returns>False if it is gone for good.</returns>
    public bool Add(RegisterExecutor register)
    {
        lock (_lock)
        {
            if (_gone.Contains(register.Worker)) return false;
            var server = new BlockServer(register.Worker, new Uri(register.WorkerUrl).ToString(), register.Host, register.WorkerFolder);
            if (_servers.GetValueOrDefault(register.Worker) != server) _changes++;
            _servers[register.Worker] = server;
            return true;
        }
    }

    /// <summary>Forgets where a worker serves.</summary>
    /// <returns>False if it was gone for good before.</returns>
    public bool Lose(WorkerId worker, bool forGood)
    {
        lock (_lock)
        {
            if (forGood ? !_gone.Add(worker) : _gone.Contains(worker)) return false;
            if (_servers.Remove(worker)) _changes++;
            return true;
        }
    }

    /// <summary>Where a worker serves; null if that is not known.</summary>
    public Uri? UrlOf(WorkerId worker)
    {
        lock (_lock) return _servers.GetValueOrDefault(worker) is { } server ? new Uri(server.DataUrl) : null;
    }

    /// <summary>Asks a worker once whether it answers, however many ask at the same time.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="lost">Told why it counts as lost, if it does.</param>
    public void Check(WorkerId worker, Action<string> lost)
    {
        BlockServer? server;
        lock (_lock)
        {
            if (_gone.Contains(worker) || (_servers.TryGetValue(worker, out server) && !_checked.Add(worker))) return;
        }
        if (server is null)
            lost("nobody knows where it is");
        else
            workers.Check(new Uri(server.DataUrl), answers =>
            {
                lock (_lock) _checked.Remove(worker);
                if (!answers) lost($"{server.DataUrl} does not answer");
            });
    }

    /// <summary>Forgets a shuffle, and has workers without an executor remove its files: nobody else would.</summary>
    /// <param name="shuffle">The shuffle.</param>
    /// <param name="reached">Workers whose executors are told.</param>
    public void Drop(ShuffleId shuffle, IReadOnlySet<WorkerId> reached)
    {
        _answers.Drop(shuffle);
        Uri[] left;
        lock (_lock) left = [.. _servers.Where(server => !reached.Contains(server.Key)).Select(server => new Uri(server.Value.DataUrl))];
        foreach (var server in left) workers.Drop(server, shuffle);
    }

    /// <summary>Who serves the outputs of a shuffle now. Cost: one step a map task when something has changed, else none.</summary>
    public MapOutputsAnswer LocationsOf(ShuffleId shuffle)
    {
        long changes;
        lock (_lock) changes = _changes;
        return _answers.Of(shuffle, MapOutputs, changes, Find);
    }

    private BlockServer? Find(WorkerId worker)
    {
        lock (_lock) return _servers.GetValueOrDefault(worker);
    }
}
