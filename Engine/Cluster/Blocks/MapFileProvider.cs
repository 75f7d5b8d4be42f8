using System.Buffers;
using Dataflow.Compression;
using Dataflow.Scheduling;
using Dataflow.Shuffle;

namespace Dataflow.Cluster;

/// <summary>Serves the map outputs of one application from the worker's files, whichever executor wrote them, and whether it lives or not.</summary>
internal sealed class MapFileProvider(ShuffleFolder folder) : IBlockProvider
{
    public ServedBlock? Open(BlockName name, bool near)
    {
        if (name.Kind != BlockKind.Shuffle) return null;
        var file = folder.Find(new MapFileId(new ShuffleId((int)name.First), name.Second, new TaskId(name.Writer)));
        return file is not null && name.ReduceEnd <= file.Index.ReducePartitions ? new FileBlock(file, file.Index, name, near) : null;
    }

    public bool Drop(BlockName name)
    {
        if (name.Kind != BlockKind.Shuffle) return false;
        folder.Remove(new ShuffleId((int)name.First));
        return true;
    }

    /// <summary>What is asked for lies together in the file: it is read in large pieces, and sent segment by segment.</summary>
    private sealed class FileBlock(MapFile file, MapFileIndex index, BlockName name, bool near) : ServedBlock
    {
        // Small enough that both ends work at the same time.
        private const int ReadBytes = 512 << 10;

        private readonly int _count = index.Entries(name.ReduceStart, name.ReduceEnd).Length;
        private int _next;
        private int _part = name.ReduceStart;
        private byte[]? _bytes;
        private long _start;
        private long _end;
        private byte[]? _packed;

        public override bool TryNext(out BlockPiece piece)
        {
            Return(ref _packed);
            piece = default;
            if (_next == _count) return false;
            var entries = index.Entries(name.ReduceStart, name.ReduceEnd);
            var entry = entries[_next];
            if (entry.Offset + entry.StoredLength > _end) Fill(entries[_next..]);
            while (index.Entries(name.ReduceStart, _part + 1).Length <= _next) _part++;
            _next++;
            var stored = _bytes.AsMemory((int)(entry.Offset - _start), entry.StoredLength);
            var actual = Crc32C.Of(stored.Span);
            if (actual != entry.Checksum)
            {
                throw new CorruptDataException(
                    $"{entry.StoredLength:N0} bytes at offset {entry.Offset:N0} of {file.Path} have checksum {actual:x8} instead of {entry.Checksum:x8}.");
            }
            piece = Pack(entry, stored);
            return true;
        }

        public override void Dispose()
        {
            Return(ref _packed);
            Return(ref _bytes);
        }

        private void Fill(ReadOnlySpan<MapFileEntry> entries)
        {
            _start = _end = entries[0].Offset;
            foreach (var entry in entries)
            {
                if (_end > _start && _end - _start + entry.StoredLength > ReadBytes) break;
                _end += entry.StoredLength;
            }
            var length = (int)(_end - _start);
            if (_bytes is null || _bytes.Length < length)
            {
                Return(ref _bytes);
                _bytes = ArrayPool<byte>.Shared.Rent(length);
            }
            file.Read(_start, _bytes.AsSpan(0, length));
        }

        // Files hold rows as they are, since most are read on the machine that wrote them; a network is slower than the codec.
        private BlockPiece Pack(MapFileEntry entry, ReadOnlyMemory<byte> stored)
        {
            const int leastToCompress = 512;
            var codec = CompressionCodecs.Lz4;
            if (!near && entry.Compression == CompressionCodecs.None.Id && stored.Length >= leastToCompress)
            {
                _packed = ArrayPool<byte>.Shared.Rent(codec.MaxCompressedLength(stored.Length));
                if (codec.TryCompress(stored.Span, _packed, out var length))
                    return new BlockPiece(_part, entry.Tag, entry.Rows, entry.RawLength, codec.Id, _packed.AsMemory(0, length));
            }
            return new BlockPiece(_part, entry.Tag, entry.Rows, entry.RawLength, entry.Compression, stored);
        }

        private static void Return(ref byte[]? bytes)
        {
            if (bytes is null) return;
            ArrayPool<byte>.Shared.Return(bytes);
            bytes = null;
        }
    }
}
