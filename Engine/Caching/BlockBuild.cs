using Dataflow.Serialization;
using Dataflow.Storage;

namespace Dataflow.Caching;

/// <summary>Computes one partition and keeps it: in memory, else on disk, else not at all, in which case the elements still reach the
/// reader.</summary>
internal sealed class BlockBuild<T>(StorageLevel level, CacheSpace space, TempFolders temp)
{
    /// <summary>The block, if it could be kept.</summary>
    public StoredBlock<T>? Block { get; private set; }

    /// <summary>Why it was not kept.</summary>
    public string? Problem { get; private set; }

    /// <summary>Runs the computation.</summary>
    /// <returns>The elements, when there is no <see cref="Block"/>.</returns>
    public ChunkReader<T>? Run(Func<ChunkReader<T>> compute)
    {
        var source = compute();
        try
        {
            return level.UseMemory ? InMemory(ref source, compute) : OnDisk(null, default, ref source, compute);
        }
        finally
        {
            source?.Dispose();
        }
    }

    private ChunkReader<T>? InMemory(ref ChunkReader<T>? source, Func<ChunkReader<T>> compute)
    {
        using BlockBuilder<T> builder = typeof(T) == typeof(Slab) ? (BlockBuilder<T>)(object)new SlabBlockBuilder(space)
            : NativeBlock<T>.Serves ? new NativeBlockBuilder<T>(space)
            : level.Serialized ? new SerializedBlockBuilder<T>(space)
            : new ObjectBlockBuilder<T>(space);
        while (source!.TryRead(out var chunk))
        {
            var taken = builder.Add(chunk);
            if (taken < chunk.Length) return WithoutMemory(builder.Gathered(), chunk[taken..], ref source, compute);
        }
        Block = builder.Finish();
        return Block is not null ? null : WithoutMemory(builder.Gathered(), default, ref source, compute);
    }

    // Memory is out: all that was gathered and what follows goes to disk, or is only passed on.
    private ChunkReader<T>? WithoutMemory(StoredBlock<T> gathered, ReadOnlySpan<T> rest, ref ChunkReader<T>? source, Func<ChunkReader<T>> compute)
    {
        string? why = null;
        if (level.UseDisk && (level.Serialized || CodecRegistry.CanEncode(typeof(T), out why)))
        {
            try
            {
                return OnDisk(gathered, rest, ref source, compute);
            }
            finally
            {
                gathered.EndLease();
            }
        }

        Problem = why ?? "The memory budget has no room for it.";
        var kept = rest.ToArray();
        var tail = source!;
        source = null;
        return new Appended<T>(new LeasedReader<T>(gathered), ChunkReader<T>.From(kept.AsMemory()), tail);
    }

    private ChunkReader<T>? OnDisk(StoredBlock<T>? gathered, ReadOnlySpan<T> rest, ref ChunkReader<T>? source, Func<ChunkReader<T>> compute)
    {
        try
        {
            using var builder = new DiskBlockBuilder<T>(temp);
            if (gathered is not null)
            {
                using var before = gathered.Open();
                while (before.TryRead(out var chunk)) builder.Add(chunk);
            }
            builder.Add(rest);
            while (source!.TryRead(out var chunk)) builder.Add(chunk);
            Block = builder.Finish();
            return null;
        }
        catch (Exception e) when (e is TempFolderException || (e is CodecException && !level.Serialized))
        {
            // A cache that can't be written costs time, not the job: nothing was read yet, so the partition is computed once more and only
            // passed on.
            Problem = e.Message;
            source?.Dispose();
            source = null;
            return compute();
        }
    }
}
