using Dataflow.Caching;
using Dataflow.Serialization;
using Dataflow.Tasks;

namespace Dataflow.Storage;

/// <summary>The cached partitions of one executor: in memory as objects or bytes, or on disk; computed once, leased while they are read,
/// evicted when others need the memory.</summary>
/// <remarks>
/// <para>Elements without references lie in native memory at every level, and are lent where they lie; other objects are lent in place
/// too, encoded ones are decoded at each read.</para>
/// <para>Evicted is what was not used for longest, and never a block of the Rdd that the memory is for. A block that is being read is left
/// alone; if it is removed, its memory is freed when the last reader ends.</para>
/// <para>A partition is computed and stored as a whole before its first reader starts. So a task that holds up others by computing a block
/// waits only for what that block is made of, and waits can't form a circle.</para>
/// </remarks>
public sealed class BlockStore : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<RddBlockId, CacheEntry> _entries = [];

    // What tasks of stages that were submitted before an epoch must not keep any more.
    private readonly Dictionary<int, long> _dropped = [];
    private readonly NativePool _pool;
    private readonly TempFolders _temp;
    private readonly Charge _native;
    private readonly Charge _managed;
    private long _clock;

    /// <summary>Makes an empty store.</summary>
    /// <param name="memory">What bounds the blocks in memory.</param>
    /// <param name="pool">Where they lie.</param>
    /// <param name="temp">Where blocks on disk lie.</param>
    public BlockStore(MemoryBudget memory, NativePool pool, TempFolders temp)
    {
        ArgumentNullException.ThrowIfNull(memory);
        _pool = pool;
        _temp = temp;
        _native = new Charge(this, memory, MemoryKind.Native);
        _managed = new Charge(this, memory, MemoryKind.Managed);
    }

    /// <summary>Told of each block that comes, moves or goes. Called on the thread that made the change; must be quick and must not
    /// throw.</summary>
    public event Action<BlockUpdate>? Updated;

    /// <summary>Bytes of blocks in memory.</summary>
    public long MemoryBytes => _native.UsedBytes + _managed.UsedBytes;

    /// <summary>What is cached, by Rdd.</summary>
    public IReadOnlyList<CachedRdd> Cached
    {
        get
        {
            lock (_lock)
            {
                return [.. _entries.Where(pair => pair.Value.Block is not null).GroupBy(pair => pair.Key.Rdd).OrderBy(group => group.Key)
                    .Select(group => new CachedRdd(group.Key, group.Count(),
                        group.Sum(pair => pair.Value.Block!.MemoryBytes), group.Sum(pair => pair.Value.Block!.DiskBytes)))];
            }
        }
    }

    /// <summary>Whether a block can be read without computing it.</summary>
    public bool Contains(RddBlockId id)
    {
        lock (_lock) return _entries.TryGetValue(id, out var entry) && entry.Block is not null;
    }

    /// <summary>Reads a partition from where it is kept, or computes it and keeps it as the level says, as far as memory and disk
    /// allow.</summary>
    /// <remarks>If another task computes it already, this waits for that, as long as neither is cancelled. If it can't be kept, the
    /// elements come all the same.</remarks>
    /// <param name="id">The partition.</param>
    /// <param name="level">How to keep it.</param>
    /// <param name="compute">Computes it; may be called again when what was kept turns out to be damaged.</param>
    /// <param name="context">The running task; a reader that it forgets is disposed when it ends.</param>
    /// <returns>A reader that the caller disposes; it holds a lease of the block.</returns>
    /// <exception cref="CodecException">The level asks for bytes, and an element can't be encoded.</exception>
    public ChunkReader<T> GetOrCompute<T>(RddBlockId id, StorageLevel level, Func<ChunkReader<T>> compute, TaskContext context)
    {
        ArgumentNullException.ThrowIfNull(id);
        ArgumentNullException.ThrowIfNull(level);
        ArgumentNullException.ThrowIfNull(compute);
        ArgumentNullException.ThrowIfNull(context);
        if (!level.IsKept) return compute();

        while (true)
        {
            context.ThrowIfCancelled();
            CacheEntry entry;
            StoredBlock? block = null;
            lock (_lock)
            {
                if (!_entries.TryGetValue(id, out entry!))
                {
                    if (context.Description.Epoch < _dropped.GetValueOrDefault(id.Rdd)) return compute();
                    entry = new CacheEntry(level, context);
                    _entries.Add(id, entry);
                }
                else if (entry.Block is { } kept && kept.TryLease())
                {
                    entry.LastUse = ++_clock;
                    block = kept;
                }
                else if (entry.Builder == context)
                {
                    // The partition's own computation asks for it: there is nothing to wait for.
                    return compute();
                }
            }

            if (block is not null)
            {
                if (block is CopiedBlock copy) return Lend(copy.Open<T>(), context);
                if (block is not StoredBlock<T> typed)
                {
                    block.EndLease();
                    throw new InvalidOperationException(
                        $"{id} holds {block.GetType().GenericTypeArguments[0]}, and is read as {typeof(T)}. Please report this.");
                }
                if (typed.MemoryBytes == 0 && entry.Level.UseMemory) typed = MoveToMemory(id, entry, typed);
                return Lend(new CachedReader<T>(this, id, typed, context, () => GetOrCompute(id, level, compute, context)), context);
            }
            if (entry.Builder == context) return Lend(Build(id, entry, () => FromPeer<T>(id, context) ?? compute(), context), context);
            context.WaitFor(entry.Built);
        }
    }

    /// <summary>Drops all blocks of an Rdd; memory and files that are being read are freed when their readers end.</summary>
    /// <param name="rdd">Id of the Rdd.</param>
    public void Remove(int rdd) => Remove(rdd, 0);

    /// <summary>Drops all blocks of an Rdd; tasks of stages that were submitted before an epoch keep none from now on.</summary>
    internal void Remove(int rdd, long epoch)
    {
        List<(RddBlockId Id, StoredBlock Block)> removed = [];
        lock (_lock)
        {
            if (epoch > _dropped.GetValueOrDefault(rdd)) _dropped[rdd] = epoch;
            foreach (var (id, entry) in _entries.Where(pair => pair.Key.Rdd == rdd).ToList())
            {
                _entries.Remove(id);
                if (entry.Block is { } block) removed.Add((id, block));
            }
        }
        foreach (var (id, block) in removed)
        {
            block.EndLease();
            Tell(new BlockUpdate(id, BlockChange.Removed, 0, 0));
        }
    }

    /// <summary>A block that is here, with a lease that the caller ends; null if it is not here.</summary>
    internal StoredBlock? Lease(RddBlockId id)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(id, out var entry) || entry.Block is not { } block || !block.TryLease()) return null;
            entry.LastUse = ++_clock;
            return block;
        }
    }

    /// <summary>Keeps a copy of what another executor has, if there is room, it is not here, and it was not dropped meanwhile.</summary>
    /// <param name="id">The block.</param>
    /// <param name="copy">The copy; the store's from now on.</param>
    /// <param name="replicas">On how many executors it is to be.</param>
    /// <param name="epoch">When the copy was asked for.</param>
    internal void Add(RddBlockId id, EncodedCopy copy, int replicas, long epoch)
    {
        var space = new CacheSpace(this, id.Rdd, _pool);
        if (!space.TryReserve(copy.Bytes, MemoryKind.Native))
        {
            copy.Dispose();
            return;
        }
        var block = new CopiedBlock(copy, space);
        var entry = new CacheEntry(new StorageLevel(UseMemory: true, UseDisk: false, Serialized: true, replicas), null) { Block = block };
        entry.SetBuilt();
        var isKept = false;
        lock (_lock)
        {
            entry.LastUse = ++_clock;
            isKept = epoch >= _dropped.GetValueOrDefault(id.Rdd) && _entries.TryAdd(id, entry);
        }
        if (isKept)
            Tell(new BlockUpdate(id, BlockChange.Added, block.MemoryBytes, 0) { Replicas = replicas });
        else
            block.EndLease();
    }

    /// <summary>Drops everything.</summary>
    public void Dispose()
    {
        int[] rdds;
        lock (_lock) rdds = [.. _entries.Keys.Select(id => id.Rdd).Distinct()];
        foreach (var rdd in rdds) Remove(rdd);
        _native.Dispose();
        _managed.Dispose();
    }

    // Without an Rdd to evict for, only what is free is taken.
    internal bool TryReserve(long bytes, MemoryKind kind, int? rdd)
    {
        var charge = kind == MemoryKind.Native ? _native : _managed;
        while (!charge.Budget.TryReserve(bytes, charge))
        {
            if (rdd is null || Evict(bytes, rdd, null) == 0) return false;
        }
        return true;
    }

    internal void Release(long bytes, MemoryKind kind)
    {
        var charge = kind == MemoryKind.Native ? _native : _managed;
        charge.Budget.Release(bytes, charge);
    }

    /// <summary>Drops a block whose bytes can't be read.</summary>
    internal void Damaged(RddBlockId id, StoredBlock block, Exception problem)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(id, out var entry) || entry.Block != block) return;
            _entries.Remove(id);
        }
        block.EndLease();
        Tell(new BlockUpdate(id, BlockChange.Damaged, 0, 0, problem.Message));
    }

    private static ChunkReader<T> Lend<T>(ChunkReader<T> reader, TaskContext context)
    {
        context.OnCompletion(_ => reader.Dispose());
        return reader;
    }

    private static ChunkReader<T>? FromPeer<T>(RddBlockId id, TaskContext context)
    {
        if (context.Description.CachePeers.Count == 0 || context.Services.Peers?.TryFetch(id, context) is not { } copy) return null;
        try
        {
            var lease = context.ReserveWork(copy.Bytes);
            return copy.Open<T>(new Both(copy, lease));
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    private ChunkReader<T> Build<T>(RddBlockId id, CacheEntry entry, Func<ChunkReader<T>> compute, TaskContext context)
    {
        var build = new BlockBuild<T>(entry.Level, new CacheSpace(this, id.Rdd, _pool), _temp);
        try
        {
            var reader = build.Run(compute);
            if (build.Block is { } block)
            {
                ThrowIfIncomplete(block, context);

                // One lease for the store, one for this reader.
                block.TryLease();
                if (Publish(id, entry, block))
                    Tell(new BlockUpdate(id, BlockChange.Added, block.MemoryBytes, block.DiskBytes) { Replicas = entry.Level.Replicas });
                else
                    block.EndLease();
                return new CachedReader<T>(this, id, block, context, null);
            }
            Forget(id, entry);
            Tell(new BlockUpdate(id, BlockChange.NotKept, 0, 0, build.Problem));
            return reader!;
        }
        catch
        {
            Forget(id, entry);
            throw;
        }
        finally
        {
            entry.SetBuilt();
        }
    }

    /// <summary>Brings a block that was moved to disk back, if there is room to spare now. The caller's lease goes over to what is
    /// returned.</summary>
    private StoredBlock<T> MoveToMemory<T>(RddBlockId id, CacheEntry entry, StoredBlock<T> onDisk)
    {
        // Twice its size must be free: what only just fits would be moved out again at the next need.
        var budget = _native.Budget;
        var free = budget.LimitBytes - budget.ReservedBytes;
        lock (_lock)
        {
            if (entry.IsMoving || entry.Block != onDisk || entry.MovedBytes == 0 || free < 2 * entry.MovedBytes) return onDisk;
            entry.IsMoving = true;
        }

        var build = new BlockBuild<T>(entry.Level with { UseDisk = false }, new CacheSpace(this, id.Rdd, _pool, evicts: false), _temp);
        var swapped = false;
        try
        {
            build.Run(onDisk.Open)?.Dispose();
        }
        catch (Exception e) when (e is CorruptDataException or TempFolderException)
        {
            // Met again by the reader, which knows what to do.
        }
        finally
        {
            lock (_lock)
            {
                entry.IsMoving = false;
                swapped = build.Block is not null && _entries.TryGetValue(id, out var current) && current == entry && entry.Block == onDisk;
                if (swapped)
                {
                    entry.Block = build.Block;
                    build.Block!.TryLease();
                }
            }
        }
        if (!swapped)
        {
            build.Block?.EndLease();
            return onDisk;
        }
        onDisk.EndLease();
        onDisk.EndLease();
        Tell(new BlockUpdate(id, BlockChange.MovedToMemory, build.Block!.MemoryBytes, 0));
        return build.Block;
    }

    // Whatever reads the block later would miss the rows too.
    private static void ThrowIfIncomplete(StoredBlock block, TaskContext context)
    {
        try
        {
            context.ThrowIfInputLost();
        }
        catch
        {
            block.EndLease();
            throw;
        }
    }

    private bool Publish(RddBlockId id, CacheEntry entry, StoredBlock block)
    {
        lock (_lock)
        {
            entry.Builder = null;

            // Unpersisted meanwhile: the reader has it alone.
            if (!_entries.TryGetValue(id, out var current) || current != entry) return false;
            entry.Block = block;
            entry.LastUse = ++_clock;
            return true;
        }
    }

    private void Forget(RddBlockId id, CacheEntry entry)
    {
        lock (_lock)
        {
            if (_entries.TryGetValue(id, out var current) && current == entry) _entries.Remove(id);
        }
    }

    /// <summary>Moves or drops what was not used for longest.</summary>
    /// <param name="bytes">How many bytes of memory are wanted.</param>
    /// <param name="keepRdd">Blocks of this Rdd stay; null spares none.</param>
    /// <param name="kind">Only memory of this kind; null takes both.</param>
    /// <returns>Bytes of memory freed.</returns>
    private long Evict(long bytes, int? keepRdd, MemoryKind? kind)
    {
        List<(RddBlockId Id, CacheEntry Entry)> candidates;
        lock (_lock)
        {
            candidates = [.. _entries.Where(pair => pair.Key.Rdd != keepRdd && IsEvictable(pair.Value, kind))
                .OrderBy(pair => pair.Value.LastUse).Select(pair => (pair.Key, pair.Value))];
        }
        var freed = 0L;
        foreach (var (id, entry) in candidates)
        {
            if (freed >= bytes) break;
            freed += EvictOne(id, entry, kind);
        }
        return freed;
    }

    private static bool IsEvictable(CacheEntry entry, MemoryKind? kind) =>
        entry is { Block: { MemoryBytes: > 0, IsIdle: true } block, IsMoving: false } && (kind is null || block.Kind == kind);

    private long EvictOne(RddBlockId id, CacheEntry entry, MemoryKind? kind)
    {
        StoredBlock block;
        lock (_lock)
        {
            if (!IsEvictable(entry, kind) || !_entries.TryGetValue(id, out var current) || current != entry) return 0;
            block = entry.Block!;
            if (!block.TryLease()) return 0;
            entry.IsMoving = true;
        }

        StoredBlock? moved = null;
        string? problem = null;
        try
        {
            if (entry.Level.UseDisk) moved = block.ToDisk(_temp);
        }
        catch (Exception e)
        {
            // No disk, or a codec that refused a value or threw: whoever needs the memory has nothing to do with it.
            problem = e.Message;
        }

        var stays = false;
        lock (_lock)
        {
            entry.IsMoving = false;
            stays = _entries.TryGetValue(id, out var current) && current == entry && entry.Block == block;
            if (stays && moved is not null) (entry.Block, entry.MovedBytes) = (moved, block.MemoryBytes);
            if (stays && moved is null) _entries.Remove(id);
        }
        if (!stays) moved?.EndLease();

        // The store's lease, unless Remove has ended it, and the one of this move.
        var free = (stays && block.EndLease()) | block.EndLease();
        if (stays)
        {
            Tell(moved is not null
                ? new BlockUpdate(id, BlockChange.MovedToDisk, 0, moved.DiskBytes)
                : new BlockUpdate(id, BlockChange.Evicted, 0, 0, problem));
        }
        return free ? block.MemoryBytes : 0;
    }

    private void Tell(BlockUpdate update) => Updated?.Invoke(update);

    private sealed class Both(IDisposable first, IDisposable second) : IDisposable
    {
        public void Dispose()
        {
            first.Dispose();
            second.Dispose();
        }
    }

    /// <summary>What the budget knows of the cache, for one kind of memory.</summary>
    private sealed class Charge(BlockStore store, MemoryBudget budget, MemoryKind kind)
        : MemoryConsumer(budget, kind == MemoryKind.Native ? "cached blocks" : "cached objects", MemoryPriority.Cache, kind)
    {
        protected internal override long OnRevoke(long bytes) => store.Evict(bytes, null, Kind);
    }
}
