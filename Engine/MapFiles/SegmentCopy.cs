using System.Buffers;
using Dataflow.Serialization;

namespace Dataflow.Shuffle;

/// <summary>Brings segments of any kind into a map file: objects are encoded, what was spilled goes as it lies there.</summary>
internal sealed class SegmentCopy(MapFileWriter file) : IDisposable
{
    private BlockWriter? _writer;

    public MapFileEntry Append(int reduce, Segment segment)
    {
        switch (segment.Body)
        {
            case NativeBody native:
                return file.Append(reduce, segment.Tag, segment.Rows, native.Span, native.Span.Length, 0);
            case ObjectBody objects:
                _writer ??= new BlockWriter();
                _writer.Reset();
                objects.Encode(_writer);
                return file.Append(reduce, segment.Tag, segment.Rows, _writer.Written, _writer.Length, 0);
            case FileBody spilled:
                var stored = ArrayPool<byte>.Shared.Rent(spilled.StoredLength);
                try
                {
                    var bytes = stored.AsSpan(0, spilled.StoredLength);
                    spilled.Fetch(bytes);
                    return file.Append(reduce, segment.Tag, segment.Rows, bytes, spilled.RawLength, spilled.Compression);
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(stored);
                }
            default:
                throw new InvalidOperationException($"Segments of kind {segment.Body.GetType().Name} can't be written. This is a bug of Dataflow: please report it.");
        }
    }

    public void Dispose() => _writer?.Dispose();
}
