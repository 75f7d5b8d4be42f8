using System.Buffers;
using Dataflow.Caching;
using Dataflow.Compression;
using Dataflow.Storage;

namespace Dataflow.Cluster;

/// <summary>Serves the cached partitions of an executor, encoded: what is kept as objects is encoded as it is sent.</summary>
internal sealed class CachedBlockProvider(BlockStore store) : IBlockProvider
{
    public ServedBlock? Open(BlockName name, bool near) =>
        name.Kind == BlockKind.Cached && store.Lease(new RddBlockId((int)name.First, name.Second)) is { } block ? new CachedBlock(block, near) : null;

    private sealed class CachedBlock(StoredBlock block, bool near) : ServedBlock
    {
        private readonly IEnumerator<ReadOnlyMemory<byte>> _pieces = block.Encoded().GetEnumerator();
        private byte[]? _packed;
        private int _disposed;

        public override bool TryNext(out BlockPiece piece)
        {
            Return();
            piece = default;
            if (!_pieces.MoveNext()) return false;
            var raw = _pieces.Current;
            piece = new BlockPiece(0, 0, 0, raw.Length, CompressionCodecs.None.Id, raw);
            if (near) return true;
            var codec = CompressionCodecs.Lz4;
            _packed = ArrayPool<byte>.Shared.Rent(codec.MaxCompressedLength(raw.Length));
            if (codec.TryCompress(raw.Span, _packed, out var length)) piece = new BlockPiece(0, 0, 0, raw.Length, codec.Id, _packed.AsMemory(0, length));
            return true;
        }

        public override void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
            Return();
            _pieces.Dispose();
            block.EndLease();
        }

        private void Return()
        {
            if (_packed is null) return;
            ArrayPool<byte>.Shared.Return(_packed);
            _packed = null;
        }
    }
}
