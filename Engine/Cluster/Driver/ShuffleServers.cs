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
    private readonly Dictionary<WorkerId, ShuffleSource> _servers = [];
    private readonly HashSet<WorkerId> _gone = [];
    private readonly HashSet<WorkerId> _checked = [];

    /// <summary>Who serves which map output; set before the first job.</summary>
    public MapOutputTracker MapOutputs { get; set; } = null!;

    /// <summary>Notes where a worker serves.</summary>
    /// <returns>False if it is gone for good.</returns>
    public bool Add(RegisterExecutor register)
    {
        lock (_lock)
        {
            if (_gone.Contains(register.Worker)) return false;
            _servers[register.Worker] = new ShuffleSource(new Uri(register.WorkerUrl), register.Host, register.WorkerFolder);
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
            _servers.Remove(worker);
            return true;
        }
    }

    /// <summary>Where a worker serves; null if that is not known.</summary>
    public Uri? UrlOf(WorkerId worker)
    {
        lock (_lock) return _servers.GetValueOrDefault(worker)?.Url;
    }

    /// <summary>Asks a worker once whether it answers, however many ask at the same time.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="lost">Told why it counts as lost, if it does.</param>
    public void Check(WorkerId worker, Action<string> lost)
    {
        ShuffleSource? server;
        lock (_lock)
        {
            if (_gone.Contains(worker) || (_servers.TryGetValue(worker, out server) && !_checked.Add(worker))) return;
        }
        if (server is null)
            lost("nobody knows where it is");
        else
            workers.Check(server.Url, answers =>
            {
                lock (_lock) _checked.Remove(worker);
                if (!answers) lost($"{server.Url} does not answer");
            });
    }

    /// <summary>Has workers without an executor remove the files of a shuffle: nobody else would.</summary>
    /// <param name="shuffle">The shuffle.</param>
    /// <param name="reached">Workers whose executors are told.</param>
    public void Drop(ShuffleId shuffle, IReadOnlySet<WorkerId> reached)
    {
        Uri[] left;
        lock (_lock) left = [.. _servers.Where(server => !reached.Contains(server.Key)).Select(server => server.Value.Url)];
        foreach (var server in left) workers.Drop(server, shuffle);
    }

    /// <summary>Who serves the outputs of a shuffle now. Cost: one step a map task.</summary>
    public MapOutputsAnswer LocationsOf(ShuffleId shuffle)
    {
        // Read before the locations: an answer may be newer than it says, never older.
        var epoch = MapOutputs.Epoch;
        if (MapOutputs.MapCount(shuffle) is not { } count) return new MapOutputsAnswer(shuffle, epoch, [], null, []);
        var servers = new List<BlockServer>();
        var positions = new Dictionary<WorkerId, int>();
        var maps = new int[count];
        var writers = new long[count];
        for (var map = 0; map < count; map++)
        {
            maps[map] = -1;
            if (MapOutputs.LocationOf(shuffle, map) is not { } location || SourceOf(location.Server) is not { } server) continue;
            if (!positions.TryGetValue(location.Server, out var position))
            {
                positions[location.Server] = position = servers.Count;
                servers.Add(new BlockServer(location.Server, server.Url.ToString(), server.Host, server.Folder));
            }
            maps[map] = position;
            writers[map] = location.Writer.Value;
        }
        return new MapOutputsAnswer(shuffle, epoch, servers, maps, writers);
    }

    private ShuffleSource? SourceOf(WorkerId worker)
    {
        lock (_lock) return _servers.GetValueOrDefault(worker);
    }

    /// <summary>Where the map outputs of a worker are had.</summary>
    private sealed record ShuffleSource(Uri Url, string Host, string? Folder);
}
