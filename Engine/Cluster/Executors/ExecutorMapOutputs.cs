using System.Collections.Concurrent;
using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Tasks;

namespace Dataflow.Cluster;

/// <summary>What an executor knows of map outputs: asked of the driver once for each shuffle, and again when some were lost since.</summary>
/// <param name="ask">Asks the driver; the answer comes by <see cref="Learn"/>.</param>
internal sealed class ExecutorMapOutputs(Action<ShuffleId> ask) : IMapOutputs
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ShuffleId, TaskCompletionSource<(MapOutputLocations? Locations, long Epoch)>> _shuffles = [];
    private readonly ConcurrentDictionary<WorkerId, BlockServer> _servers = new();
    private readonly ConcurrentDictionary<WorkerId, CancellationTokenSource> _losses = new();
    private long _epoch;

    public int? MapCount(ShuffleId shuffle) => Find(shuffle)?.Maps.Length;

    public MapLocation? LocationOf(ShuffleId shuffle, int map)
    {
        var known = Find(shuffle);
        return known is { Maps: var maps } && (uint)map < (uint)maps.Length && maps[map] >= 0
            ? new MapLocation(known.Servers[maps[map]].Server, new TaskId(known.Writers[map]))
            : null;
    }

    /// <summary>Where a server that holds map outputs is found.</summary>
    public BlockServer? Find(WorkerId server) => _servers.GetValueOrDefault(server);

    /// <summary>Cancelled when a server is gone: what is being read from it will not come.</summary>
    public CancellationToken LossOf(WorkerId server) => _losses.GetOrAdd(server, static _ => new CancellationTokenSource()).Token;

    /// <summary>Notes that a server is gone; it counts as such until an answer names it.</summary>
    public void Lose(WorkerId server) => _losses.GetOrAdd(server, static _ => new CancellationTokenSource()).Cancel();

    /// <summary>Notes that outputs were lost before this epoch: what was learned earlier may be out of date.</summary>
    public void AdvanceTo(long epoch)
    {
        lock (_lock)
        {
            if (epoch <= _epoch) return;
            _epoch = epoch;
            foreach (var (shuffle, answer) in _shuffles.ToArray())
            {
                if (answer.Task.IsCompletedSuccessfully && answer.Task.Result.Epoch < epoch) _shuffles.Remove(shuffle);
            }
        }
    }

    /// <summary>Takes the driver's answer.</summary>
    public void Learn(MapOutputsAnswer answer)
    {
        var locations = answer.Locations is { } bytes ? MapOutputLocations.Decode(bytes) : null;
        foreach (var server in locations?.Servers ?? [])
        {
            _servers[server.Server] = server;

            // The driver reaches it again.
            if (_losses.TryGetValue(server.Server, out var loss) && loss.IsCancellationRequested) _losses.TryRemove(new(server.Server, loss));
        }
        TaskCompletionSource<(MapOutputLocations? Locations, long Epoch)>? waiting;
        lock (_lock)
        {
            waiting = _shuffles.GetValueOrDefault(answer.Shuffle);

            // An answer with holes is good for those who asked; whoever asks next may find them filled.
            if (locations is null || locations.HasHoles || answer.Epoch < _epoch) _shuffles.Remove(answer.Shuffle);
        }
        waiting?.TrySetResult((locations, answer.Epoch));
    }

    /// <summary>Forgets a shuffle.</summary>
    public void Forget(ShuffleId shuffle)
    {
        lock (_lock)
        {
            if (_shuffles.TryGetValue(shuffle, out var known) && known.Task.IsCompleted) _shuffles.Remove(shuffle);
        }
    }

    private MapOutputLocations? Find(ShuffleId shuffle)
    {
        TaskCompletionSource<(MapOutputLocations? Locations, long Epoch)>? answer;
        var isFirst = false;
        lock (_lock)
        {
            if (!_shuffles.TryGetValue(shuffle, out answer))
            {
                _shuffles[shuffle] = answer = new TaskCompletionSource<(MapOutputLocations? Locations, long Epoch)>(TaskCreationOptions.RunContinuationsAsynchronously);
                isFirst = true;
            }
        }
        if (isFirst) ask(shuffle);
        if (TaskContext.Current is { } task)
            task.WaitFor(answer.Task);
        else
            answer.Task.Wait();
        return answer.Task.Result.Locations;
    }
}
