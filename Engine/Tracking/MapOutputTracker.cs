using System.Collections.Concurrent;
using Dataflow.Scheduling;
using Dataflow.Shuffle;

namespace Dataflow.Tracking;

/// <summary>
/// Who serves which map output, and how large it is. Registered by the server that answers for it, so an output outlives the executor
/// that wrote it.
/// </summary>
/// <remarks>
/// Changed by the scheduler's mailbox only. <see cref="MapCount"/> and <see cref="LocationOf"/> may be read by any thread: a task that
/// reads a moment too early finds what its own fetch would have found.
/// <para>A location names the attempt that wrote the output. Readers take no other attempt's, and a late complaint about an output does not harm
/// its successor.</para>
/// </remarks>
internal sealed class MapOutputTracker : IMapOutputs
{
    private readonly ConcurrentDictionary<ShuffleId, Shuffle> _shuffles = new();

    /// <summary>Counts losses. What was learned of map outputs, or made from them, in an earlier epoch may be out of date.</summary>
    public long Epoch { get; private set; }

    /// <summary>Begins an epoch: something was dropped that those who work with earlier ones must not bring back.</summary>
    public void Advance() => Epoch++;

    /// <summary>How many shuffles are known.</summary>
    public int Count => _shuffles.Count;

    /// <summary>Makes a shuffle known, if it is not.</summary>
    public void Declare(ShuffleId shuffle, int maps, int reducePartitions)
    {
        if (!_shuffles.ContainsKey(shuffle)) _shuffles[shuffle] = new Shuffle(maps, reducePartitions);
    }

    /// <summary>Whether every map output is registered.</summary>
    public bool IsComplete(ShuffleId shuffle) => _shuffles.TryGetValue(shuffle, out var known) && known.Missing == 0;

    /// <summary>Whether every map output was registered once since the shuffle was last begun anew: someone may have read it.</summary>
    public bool WasComplete(ShuffleId shuffle) => _shuffles.TryGetValue(shuffle, out var known) && known.WasComplete;

    /// <summary>Whether a recomputed output of a stage that claims to be determinate was seen to differ.</summary>
    public bool IsIndeterminate(ShuffleId shuffle) => _shuffles.TryGetValue(shuffle, out var known) && known.IsIndeterminate;

    public void MarkIndeterminate(ShuffleId shuffle) => _shuffles[shuffle].IsIndeterminate = true;

    /// <summary>Whether a map output is registered.</summary>
    public bool Has(ShuffleId shuffle, int map) => _shuffles.TryGetValue(shuffle, out var known) && known.Locations[map] is not null;

    /// <summary>How many map outputs no server holds.</summary>
    public int MissingCount(ShuffleId shuffle) => _shuffles[shuffle].Missing;

    /// <summary>The map outputs that no server holds, ascending.</summary>
    public int[] MissingOf(ShuffleId shuffle)
    {
        var known = _shuffles[shuffle];
        var missing = new int[known.Missing];
        for (int map = 0, next = 0; next < missing.Length; map++)
        {
            if (known.Locations[map] is null) missing[next++] = map;
        }
        return missing;
    }

    public int? MapCount(ShuffleId shuffle) => _shuffles.TryGetValue(shuffle, out var known) ? known.Locations.Length : null;

    public MapLocation? LocationOf(ShuffleId shuffle, int map)
    {
        if (!_shuffles.TryGetValue(shuffle, out var known) || (uint)map >= (uint)known.Locations.Length) return null;
        return Volatile.Read(ref known.Locations[map]);
    }

    /// <summary>Counts changes of where the outputs of a shuffle are; 0 if it is not known. Who reads it before the locations may keep them until it differs. Any thread.</summary>
    public long VersionOf(ShuffleId shuffle) => _shuffles.TryGetValue(shuffle, out var known) ? Volatile.Read(ref known.Version) : 0;

    /// <summary>The sizes noted so far; null if the shuffle is not known.</summary>
    public MapOutputSizes? SizesOf(ShuffleId shuffle) => _shuffles.TryGetValue(shuffle, out var known) ? known.Sizes : null;

    /// <summary>Notes an output.</summary>
    /// <returns>False if an earlier output of the same task had another checksum: the task does not give the same rows each time.</returns>
    public bool Register(ShuffleId shuffle, int map, MapStatus status)
    {
        var known = _shuffles[shuffle];
        var former = known.Checksums[map];
        if (known.Locations[map] is null) known.Missing--;
        known.Checksums[map] = status.Checksum;
        known.Sizes.Set(map, status.Bytes, status.Rows);
        Place(known, map, status.Location);
        known.WasComplete |= known.Missing == 0;
        return former == 0 || status.Checksum == 0 || former == status.Checksum;
    }

    /// <summary>Forgets an output that could not be read.</summary>
    /// <param name="shuffle">The shuffle.</param>
    /// <param name="map">The map output.</param>
    /// <param name="location">The output that is meant, which may be another than the one that is known now; null if none was known.</param>
    /// <returns>Whether it was registered.</returns>
    public bool Unregister(ShuffleId shuffle, int map, MapLocation? location)
    {
        if (location is null || LocationOf(shuffle, map) != location) return false;
        var known = _shuffles[shuffle];
        Forget(known, map);
        Epoch++;
        return true;
    }

    /// <summary>All outputs that a server holds.</summary>
    public List<(ShuffleId Shuffle, int Map, TaskId Writer)> ServedBy(WorkerId server)
    {
        var served = new List<(ShuffleId, int, TaskId)>();
        foreach (var (shuffle, known) in _shuffles.ToArray().OrderBy(pair => pair.Key.Value))
        {
            for (var map = 0; map < known.Locations.Length; map++)
            {
                if (known.Locations[map] is { } location && location.Server == server) served.Add((shuffle, map, location.Writer));
            }
        }
        return served;
    }

    /// <summary>Notes that another server holds an output now, with the same rows.</summary>
    /// <returns>False if it was not where it is said to come from: it was lost or made anew meanwhile.</returns>
    public bool Move(ShuffleId shuffle, int map, MapLocation former, WorkerId to)
    {
        if (LocationOf(shuffle, map) != former) return false;
        Place(_shuffles[shuffle], map, former with { Server = to });
        return true;
    }

    /// <summary>Whether an output is still there, at another place than it was.</summary>
    public bool HasMoved(ShuffleId shuffle, int map, MapLocation? former) =>
        former is not null && LocationOf(shuffle, map) is { } now && now.Writer == former.Writer && now.Server != former.Server;

    /// <summary>Forgets all outputs that a server held.</summary>
    public void UnregisterServer(WorkerId server)
    {
        foreach (var known in _shuffles.Values)
        {
            for (var map = 0; map < known.Locations.Length; map++)
            {
                if (known.Locations[map]?.Server == server) Forget(known, map);
            }
        }
        Epoch++;
    }

    /// <summary>Forgets all outputs of a shuffle, which is then begun anew. What they were does not bind what comes.</summary>
    public void UnregisterAll(ShuffleId shuffle)
    {
        if (!_shuffles.TryGetValue(shuffle, out var known)) return;
        for (var map = 0; map < known.Locations.Length; map++)
        {
            if (known.Locations[map] is not null) Forget(known, map);
        }
        Array.Clear(known.Checksums);
        known.Sizes.Clear();
        known.WasComplete = false;
        Epoch++;
    }

    /// <summary>Forgets a shuffle that nobody can read any more.</summary>
    public void Remove(ShuffleId shuffle) => _shuffles.TryRemove(shuffle, out _);

    private static void Place(Shuffle known, int map, MapLocation? location)
    {
        Volatile.Write(ref known.Locations[map], location);

        // After it: a reader that saw the old version may have seen the new place, and looks once too often.
        Volatile.Write(ref known.Version, known.Version + 1);
    }

    private static void Forget(Shuffle known, int map)
    {
        Place(known, map, null);
        known.Missing++;
    }

    private sealed class Shuffle
    {
        public long Version;

        public Shuffle(int maps, int reducePartitions)
        {
            Locations = new MapLocation?[maps];
            Checksums = new ulong[maps];
            Sizes = new MapOutputSizes(maps, reducePartitions);
            Missing = maps;
            WasComplete = maps == 0;
        }

        public MapLocation?[] Locations { get; }
        public ulong[] Checksums { get; }
        public MapOutputSizes Sizes { get; }
        public int Missing { get; set; }
        public bool WasComplete { get; set; }
        public bool IsIndeterminate { get; set; }
    }
}
