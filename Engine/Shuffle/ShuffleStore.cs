using System.Collections.Concurrent;
using Dataflow.Scheduling;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Shuffle;

/// <summary>The map outputs of this process, and the runs of its tasks. Under memory pressure it moves them to disk, finished ones first.</summary>
/// <remarks>With a <see cref="Folder"/> every finished output is a file there as well, which stays when this process ends: what is kept of it in memory only
/// spares readers of this process the file.</remarks>
internal sealed class ShuffleStore : IDisposable
{
    // Outputs of other processes are known by their indexes, which can be read again.
    private const int MostOthers = 1024;

    private readonly ConcurrentDictionary<(ShuffleId Shuffle, int Map), MapOutput> _outputs = new();
    private readonly ConcurrentDictionary<(string Folder, MapFileId Id), MapOutput> _others = new();
    private readonly ConcurrentDictionary<string, ShuffleFolder> _neighbours = new();
    private readonly ConcurrentDictionary<MapOutput, byte> _growing = new();
    private readonly TempFolders _temp;
    private readonly bool _inMemory;
    private readonly SegmentMemory _native;
    private readonly SegmentMemory _managed;
    private long _spilledBytes;

    public ShuffleStore(WorkerId worker, MemoryBudget budget, NativePool pool, TempFolders temp, bool inMemory = true)
    {
        _inMemory = inMemory;
        Worker = worker;
        Pool = pool;
        _temp = temp;
        _native = new SegmentMemory(this, budget, MemoryKind.Native);
        _managed = new SegmentMemory(this, budget, MemoryKind.Managed);
    }

    public WorkerId Worker { get; }

    /// <summary>The worker's folder for map outputs; null where they end with this process.</summary>
    public ShuffleFolder? Folder { get; init; }

    public NativePool Pool { get; }

    /// <summary>Bytes of segments that went to disk for lack of memory, since the start.</summary>
    public long SpilledBytes => Interlocked.Read(ref _spilledBytes);

    /// <summary>How many map outputs are registered.</summary>
    public int Count => _outputs.Count;

    /// <summary>Starts an output that nobody can read yet.</summary>
    public MapOutput Begin(ShuffleId shuffle, int map, int reducePartitions, TaskDescription writer)
    {
        var output = new MapOutput(this, shuffle, map, reducePartitions) { Writer = writer.Id, Origin = (writer.Stage.Value, writer.StageAttempt) };
        _growing.TryAdd(output, 0);
        return output;
    }

    /// <summary>Registers a finished output. It replaces one of an earlier attempt at the stage; one of the same attempt, or a later one, stays.</summary>
    /// <remarks>So a copy of a slow task that ends second, or a task that nobody waits for any more, does not change what others are reading.</remarks>
    /// <returns>The status of the output that is served from now on.</returns>
    /// <exception cref="TempFolderException">It can't be written to the worker's folder.</exception>
    public MapStatus Register(ShuffleId shuffle, MapOutput output)
    {
        try
        {
            if (Folder is not null) output.Save(Folder);
        }
        catch
        {
            Abandon(output);
            throw;
        }

        // Before anybody else knows of it and may drop it.
        output.Status = output.StatusOf(Worker);
        MapOutput? replaced = null;
        var served = _outputs.AddOrUpdate((shuffle, output.Map), output, (_, old) =>
        {
            var stays = old.Origin.CompareTo(output.Origin) >= 0;
            replaced = stays ? null : old;
            return stays ? old : output;
        });
        _growing.TryRemove(output, out _);
        if (served != output) Drop(shuffle, output);
        if (replaced is not null) Drop(shuffle, replaced);
        return served.Status!;
    }

    /// <summary>Drops an output whose task failed, or runs whose task ended.</summary>
    public void Abandon(MapOutput output)
    {
        _growing.TryRemove(output, out _);
        output.Dispose();
    }

    public MapOutput? Find(ShuffleId shuffle, int map) => _outputs.GetValueOrDefault((shuffle, map));

    /// <summary>The output that one attempt wrote, here or in another process of this worker; null if it is gone, or if another attempt's is in its place.</summary>
    /// <exception cref="CorruptDataException">Its file is damaged.</exception>
    /// <exception cref="TempFolderException">The disk fails.</exception>
    public MapOutput? Find(ShuffleId shuffle, int map, TaskId writer)
    {
        if (Find(shuffle, map) is { } output && output.Writer == writer) return output;
        return Folder is null ? null : FindIn(Folder, new MapFileId(shuffle, map, writer));
    }

    /// <summary>The output that one attempt wrote in a process of another worker of this machine; null if it is not there.</summary>
    /// <param name="folder">That worker's folder for map outputs of this application.</param>
    /// <exception cref="CorruptDataException">Its file is damaged.</exception>
    /// <exception cref="TempFolderException">The disk fails.</exception>
    public MapOutput? FindIn(string folder, ShuffleId shuffle, int map, TaskId writer) =>
        FindIn(_neighbours.GetOrAdd(folder, static path => new ShuffleFolder(path)), new MapFileId(shuffle, map, writer));

    private MapOutput? FindIn(ShuffleFolder folder, MapFileId id)
    {
        // By folder: what moved may be gone where it was.
        if (_others.TryGetValue((folder.Path, id), out var other)) return other;
        if (folder.Find(id) is not { } file) return null;
        if (_others.Count >= MostOthers) _others.Clear();
        return _others.GetOrAdd((folder.Path, id), MapOutput.From(this, file));
    }

    /// <summary>Drops all outputs of a shuffle.</summary>
    public void Remove(ShuffleId shuffle)
    {
        foreach (var key in _outputs.Keys)
        {
            if (key.Shuffle == shuffle) Remove(shuffle, key.Map);
        }
        foreach (var (key, output) in _others)
        {
            if (key.Id.Shuffle == shuffle && _others.TryRemove(key, out _)) output.Dispose();
        }
        Folder?.Remove(shuffle);
        foreach (var neighbour in _neighbours.Values) neighbour.Close(shuffle);
    }

    /// <summary>Drops one output.</summary>
    public bool Remove(ShuffleId shuffle, int map)
    {
        if (!_outputs.TryRemove((shuffle, map), out var output)) return false;
        Drop(shuffle, output);
        return true;
    }

    /// <summary>Counts bytes that went to disk.</summary>
    public void CountSpilled(long bytes) => Interlocked.Add(ref _spilledBytes, bytes);

    public SpillFile NewFile(string name) => new(_temp.Create(name));

    /// <summary>Accounts for a segment in memory; false when it must go to disk at once.</summary>
    public bool TryHold(SegmentBody body)
    {
        if (!_inMemory) return false;
        var memory = body is NativeBody ? _native : _managed;
        if (memory.Budget.TryReserve(body.Bytes, memory)) return true;

        // Writing few large pieces is quicker than each segment by itself.
        const long least = 16 << 20;
        return Spill(Math.Max(body.Bytes, least)) > 0 && memory.Budget.TryReserve(body.Bytes, memory);
    }

    /// <summary>Ends the account of a segment that was held.</summary>
    public void Release(SegmentBody body)
    {
        var memory = body is NativeBody ? _native : _managed;
        memory.Budget.Release(body.Bytes, memory);
    }

    /// <summary>Moves segments to disk until enough memory is free or none is left.</summary>
    public long Spill(long wanted)
    {
        var freed = 0L;
        // The dictionary's own copy: ordering it as it is would count entries first and copy them then, and some may be gone in between.
        foreach (var (_, output) in _outputs.ToArray().OrderBy(pair => pair.Key.Shuffle.Value).ThenBy(pair => pair.Key.Map))
        {
            if (freed >= wanted) return freed;
            freed += output.Spill(wanted - freed);
        }
        foreach (var output in _growing.Keys)
        {
            if (freed >= wanted) return freed;
            freed += output.Spill(wanted - freed);
        }
        return freed;
    }

    public void Dispose()
    {
        foreach (var output in _outputs.Values) output.Dispose();
        foreach (var output in _growing.Keys) output.Dispose();
        foreach (var output in _others.Values) output.Dispose();
        _outputs.Clear();
        _others.Clear();
        _growing.Clear();
        Folder?.Dispose();
        foreach (var neighbour in _neighbours.Values) neighbour.Dispose();
        _native.Dispose();
        _managed.Dispose();
    }

    private void Drop(ShuffleId shuffle, MapOutput output)
    {
        output.Dispose();
        Folder?.Remove(new MapFileId(shuffle, output.Map, output.Writer));
    }

    private sealed class SegmentMemory(ShuffleStore store, MemoryBudget budget, MemoryKind kind)
        : MemoryConsumer(budget, $"shuffle segments ({(kind == MemoryKind.Native ? "native" : "objects")})", MemoryPriority.Runs, kind)
    {
        protected internal override long OnRevoke(long bytes) => store.Spill(bytes);
    }
}
