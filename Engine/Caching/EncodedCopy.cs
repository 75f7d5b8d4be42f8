using Dataflow.Serialization;
using Dataflow.Storage;

namespace Dataflow.Caching;

/// <summary>A partition that another executor encoded: whole encoded blocks, of elements whose type its reader knows.</summary>
internal sealed class EncodedCopy(NativePiece[] pieces) : IDisposable
{
    private int _disposed;

    public NativePiece[] Pieces => pieces;

    /// <summary>Bytes of memory that it takes.</summary>
    public long Bytes => pieces.Sum(piece => (long)piece.Buffer.Capacity);

    /// <summary>Reads the elements.</summary>
    /// <param name="owner">Disposed with the reader.</param>
    public ChunkReader<T> Open<T>(IDisposable owner) => new EncodedBlockReader<T>(Encoded(), owner: owner);

    /// <summary>The bytes, piece by piece.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Encoded() => pieces.Select(piece => (ReadOnlyMemory<byte>)piece.Buffer.Memory[..piece.Count]);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        foreach (var piece in pieces) piece.Buffer.Dispose();
    }
}

/// <summary>A copy that is kept for the executor that computed it. Its elements have no type until somebody reads them.</summary>
internal sealed class CopiedBlock : StoredBlock
{
    private readonly EncodedCopy _copy;
    private readonly CacheSpace _space;

    /// <param name="copy">The bytes.</param>
    /// <param name="space">Where they were reserved.</param>
    public CopiedBlock(EncodedCopy copy, CacheSpace space)
    {
        _copy = copy;
        _space = space;
        MemoryBytes = copy.Bytes;
    }

    public override MemoryKind Kind => MemoryKind.Native;

    /// <summary>Reads the elements; the reader ends a lease that the caller took.</summary>
    public ChunkReader<T> Open<T>() => _copy.Open<T>(new Lease(this));

    public override IEnumerable<ReadOnlyMemory<byte>> Encoded() => _copy.Encoded();

    public override StoredBlock ToDisk(TempFolders temp) => throw new InvalidOperationException("A copy is kept in memory or not at all. This is a bug of Dataflow: please report it.");

    protected override void Free()
    {
        _copy.Dispose();
        _space.Release(MemoryBytes, MemoryKind.Native);
    }

    private sealed class Lease(CopiedBlock block) : IDisposable
    {
        public void Dispose() => block.EndLease();
    }
}
