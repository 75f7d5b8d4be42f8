using System.Buffers;
using Dataflow.Compression;
using Dataflow.Serialization;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Shuffle;

/// <summary>
/// One file of segments, appended one after the other: LZ4 blocks, or raw bytes where that saves less than a tenth, each with a CRC-32C.
/// The index is in memory: the bodies themselves.
/// </summary>
/// <remarks>One thread appends at a time; any number read.</remarks>
internal sealed class SpillFile(TempFile file) : ISegmentFile, IDisposable
{
    private readonly Lock _lock = new();
    private TempFileReader? _reader;
    private bool _disposed;

    public string Path => file.Path;

    /// <summary>Writes the rows of a segment to the end.</summary>
    /// <exception cref="TempFolderException">The disk is full, or fails.</exception>
    public FileBody Append(SegmentBody body)
    {
        if (body is NativeBody native) return Append(native.Span, body.Bytes);
        using var writer = new BlockWriter();
        ((ObjectBody)body).Encode(writer);
        return Append(writer.Written, body.Bytes);
    }

    public void Read(long offset, Span<byte> destination)
    {
        TempFileReader reader;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            reader = _reader ??= file.OpenRead();
        }
        reader.ReadExactly(destination, offset);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            _reader?.Dispose();
        }
        file.Dispose();
    }

    private FileBody Append(ReadOnlySpan<byte> raw, long bytes)
    {
        var codec = CompressionCodecs.Lz4;
        var rented = ArrayPool<byte>.Shared.Rent(codec.MaxCompressedLength(raw.Length));
        try
        {
            var compressed = codec.TryCompress(raw, rented, out var length);
            var stored = compressed ? rented.AsSpan(0, length) : raw;
            var offset = file.Length;
            file.Append(stored);
            return new FileBody(this, offset, stored.Length, raw.Length, Crc32C.Of(stored), compressed ? codec.Id : CompressionCodecs.None.Id, bytes);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
