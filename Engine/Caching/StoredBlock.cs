using Dataflow.Storage;
using Dataflow.Serialization;

namespace Dataflow.Caching;

/// <summary>One partition that is kept, in one of four forms. Leased by the store and by each reader; frees what it holds when the last
/// lease ends.</summary>
internal abstract class StoredBlock
{
    private int _leases = 1;

    /// <summary>Bytes of memory it is charged for.</summary>
    public long MemoryBytes { get; protected init; }

    /// <summary>Bytes on disk.</summary>
    public long DiskBytes { get; protected init; }

    /// <summary>Where its memory lies.</summary>
    public abstract MemoryKind Kind { get; }

    /// <summary>Whether nobody but the store holds it.</summary>
    public bool IsIdle => Volatile.Read(ref _leases) == 1;

    /// <summary>Takes a lease, unless the last one has ended.</summary>
    public bool TryLease()
    {
        var leases = Volatile.Read(ref _leases);
        while (leases > 0)
        {
            var seen = Interlocked.CompareExchange(ref _leases, leases + 1, leases);
            if (seen == leases) return true;
            leases = seen;
        }
        return false;
    }

    /// <summary>Ends a lease.</summary>
    /// <returns>Whether it was the last, so that the memory is free now.</returns>
    public bool EndLease()
    {
        if (Interlocked.Decrement(ref _leases) > 0) return false;
        Free();
        return true;
    }

    /// <summary>The same elements on disk.</summary>
    /// <exception cref="TempFolderException">The disk is full, or fails.</exception>
    /// <exception cref="CodecException">An element can't be encoded.</exception>
    public abstract StoredBlock ToDisk(TempFolders temp);

    /// <summary>The elements as whole encoded blocks, for another executor. A piece is valid until the next is asked for; the caller holds a lease.</summary>
    /// <exception cref="CodecException">An element can't be encoded.</exception>
    public abstract IEnumerable<ReadOnlyMemory<byte>> Encoded();

    protected abstract void Free();
}

/// <summary>A kept partition of elements of one type.</summary>
internal abstract class StoredBlock<T> : StoredBlock
{
    /// <summary>Reads the elements. The caller holds a lease for as long as it reads.</summary>
    public abstract ChunkReader<T> Open();

    public override IEnumerable<ReadOnlyMemory<byte>> Encoded()
    {
        using var writer = new BlockWriter();
        using var reader = Open();
        while (Fill(reader, writer))
        {
            yield return writer.WrittenMemory;
            writer.Reset();
        }
    }

    private static bool Fill(ChunkReader<T> reader, BlockWriter writer)
    {
        const int most = 256 << 10;
        while (writer.Length < most && reader.TryRead(out var chunk)) BlockEncoder.Write(chunk, writer);
        return writer.Length > 0;
    }

    public override StoredBlock ToDisk(TempFolders temp)
    {
        using var builder = new DiskBlockBuilder<T>(temp);
        using var reader = Open();
        while (reader.TryRead(out var chunk)) builder.Add(chunk);
        return builder.Finish();
    }
}

/// <summary>Gathers the elements of a partition, chunk by chunk, into one of the forms.</summary>
internal abstract class BlockBuilder<T> : IDisposable
{
    /// <summary>Takes elements.</summary>
    /// <returns>How many were taken: fewer than there are when memory does not suffice.</returns>
    public abstract int Add(ReadOnlySpan<T> items);

    /// <summary>Makes the block; the builder is empty then. Null when memory does not suffice for the last piece.</summary>
    public abstract StoredBlock<T>? Finish();

    /// <summary>What was gathered, as a block that is not complete; the builder is empty then.</summary>
    public abstract StoredBlock<T> Gathered();

    /// <summary>Frees what was gathered and not made a block.</summary>
    public abstract void Dispose();
}

/// <summary>How many elements a reader lends at a time, and how many a piece of a block holds.</summary>
internal static class BlockPieces
{
    // Arrays beyond 85,000 bytes would go to the large object heap, which is collected with the oldest generation only.
    private const int ArrayBytes = 64 << 10;

    /// <summary>Elements lent at a time: enough to make the call for each chunk cheap, few enough to notice a cancellation.</summary>
    public static int LentLength<T>() =>
        Math.Clamp(ArrayBytes / System.Runtime.CompilerServices.Unsafe.SizeOf<T>(), 1, 4 * ChunkReader<T>.DefaultLength);
}
