using Dataflow.Scheduling;
using Dataflow.Tracking;

namespace Dataflow.Cluster;

/// <summary>
/// What executors are told of map outputs: worked out and encoded once for all that ask, as long as nothing of it changes. A thousand executors ask when a stage
/// begins, and each answer names every output.
/// </summary>
/// <remarks>Called by links on threads of their own.</remarks>
internal sealed class MapOutputAnswers
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ShuffleId, (MapOutputsAnswer Answer, long Version, long Servers)> _known = [];

    /// <summary>Who serves the outputs of a shuffle now.</summary>
    /// <param name="shuffle">The shuffle.</param>
    /// <param name="outputs">Who wrote them.</param>
    /// <param name="servers">Changes whenever a server comes, goes or moves; read before the call.</param>
    /// <param name="find">Where a server is found; null if it is gone.</param>
    public MapOutputsAnswer Of(ShuffleId shuffle, MapOutputTracker outputs, long servers, Func<WorkerId, BlockServer?> find)
    {
        lock (_lock)
        {
            // Read before the locations: an answer may be newer than it says, never older.
            var (epoch, version) = (outputs.Epoch, outputs.VersionOf(shuffle));
            if (_known.TryGetValue(shuffle, out var known) && known.Answer.Epoch == epoch && known.Version == version && known.Servers == servers) return known.Answer;
            if (outputs.MapCount(shuffle) is not { } count) return new MapOutputsAnswer(shuffle, epoch, null);

            var answer = new MapOutputsAnswer(shuffle, epoch, LocationsOf(shuffle, count, outputs, find).Encode());
            _known[shuffle] = (answer, version, servers);
            return answer;
        }
    }

    /// <summary>Forgets a shuffle that the tracker has forgotten.</summary>
    public void Drop(ShuffleId shuffle)
    {
        lock (_lock) _known.Remove(shuffle);
    }

    private static MapOutputLocations LocationsOf(ShuffleId shuffle, int count, MapOutputTracker outputs, Func<WorkerId, BlockServer?> find)
    {
        var servers = new List<BlockServer>();
        var positions = new Dictionary<WorkerId, int>();
        var (maps, writers) = (new int[count], new long[count]);
        for (var map = 0; map < count; map++)
        {
            maps[map] = -1;
            if (outputs.LocationOf(shuffle, map) is not { } location) continue;
            if (!positions.TryGetValue(location.Server, out var position))
            {
                if (find(location.Server) is not { } server) continue;
                positions[location.Server] = position = servers.Count;
                servers.Add(server);
            }
            maps[map] = position;
            writers[map] = location.Writer.Value;
        }
        return new MapOutputLocations(servers, maps, writers);
    }
}
