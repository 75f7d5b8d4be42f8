using System.Buffers;
using Dataflow.Compression;
using Dataflow.Scheduling;
using Dataflow.Serialization;
using Dataflow.Shuffle;

namespace Dataflow.Cluster;

/// <summary>
/// Serves the map outputs of a store: a block is the segments of some reduce partitions of one output, reduce partition after reduce
/// partition, each in writing order. Rows that are objects of this process are encoded; segments on disk go as they lie there.
/// </summary>
internal sealed class ShuffleBlockProvider(ShuffleStore store) : IBlockProvider
{
    public ServedBlock? Open(BlockName name, bool near) =>
        name.Kind == BlockKind.Shuffle && store.Find(new ShuffleId((int)name.First), name.Second, new TaskId(name.Writer)) is { } output && name.ReduceEnd <= output.ReducePartitions
            ? new SegmentsBlock(output, name, near)
            : null;

    private sealed class SegmentsBlock(MapOutput output, BlockName name, bool near) : ServedBlock
    {
        // Smaller segments are not worth the codec's start.
        private const int LeastToCompress = 512;

        private int _reduce = name.ReduceStart - 1;
        private IReadOnlyList<Segment> _segments = [];
        private int _next;
        private SegmentView _view;
        private BlockWriter? _writer;
        private byte[]? _bytes;

        public override bool TryNext(out BlockPiece piece)
        {
            Return();
            piece = default;
            while (_next == _segments.Count)
            {
                if (++_reduce == name.ReduceEnd) return false;
                _segments = output.Segments(_reduce);
                _next = 0;
            }
            var segment = _segments[_next++];
            switch (output.Lend(segment, out _view))
            {
                case NativeBody:
                    piece = Packed(segment, _view.Memory);
                    return true;
                case FileBody file:
                    _bytes = ArrayPool<byte>.Shared.Rent(file.StoredLength);
                    file.Fetch(_bytes.AsSpan(0, file.StoredLength));
                    piece = new BlockPiece(_reduce, segment.Tag, segment.Rows, file.RawLength, file.Compression, _bytes.AsMemory(0, file.StoredLength));
                    return true;
                case ObjectBody objects:
                    _writer ??= new BlockWriter();
                    _writer.Reset();
                    objects.Encode(_writer);
                    piece = Packed(segment, _writer.WrittenMemory);
                    return true;
                default:
                    throw new InvalidOperationException($"Segments of kind {segment.Body.GetType().Name} can't be served. This is a bug of Dataflow: please report it.");
            }
        }

        public override void Dispose()
        {
            Return();
            _writer?.Dispose();
            _writer = null;
        }

        private BlockPiece Packed(Segment segment, ReadOnlyMemory<byte> raw)
        {
            var codec = CompressionCodecs.Lz4;
            if (!near && raw.Length >= LeastToCompress)
            {
                _bytes = ArrayPool<byte>.Shared.Rent(codec.MaxCompressedLength(raw.Length));
                if (codec.TryCompress(raw.Span, _bytes, out var length))
                    return new BlockPiece(_reduce, segment.Tag, segment.Rows, raw.Length, codec.Id, _bytes.AsMemory(0, length));
            }
            return new BlockPiece(_reduce, segment.Tag, segment.Rows, raw.Length, CompressionCodecs.None.Id, raw);
        }

        private void Return()
        {
            _view.Dispose();
            _view = default;
            if (_bytes is null) return;
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = null;
        }
    }
}
