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
internal sealed class SpillFile(TempFile file) : IDisposable
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
            return new FileBody(this, offset, stored.Length, raw.Length, Crc32C.Of(stored), compressed, bytes);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}

/// <summary>Rows in a spill file.</summary>
internal sealed class FileBody(SpillFile file, long offset, int storedLength, int rawLength, uint checksum, bool compressed, long bytes)
    : SegmentBody
{
    public override long Bytes => bytes;

    public override SegmentView Open() => throw new InvalidOperationException("A segment on disk is read, not lent.");

    public override void Free() { }

    /// <summary>Bytes in the file.</summary>
    public int StoredLength => storedLength;

    /// <summary>Bytes of the rows.</summary>
    public int RawLength => rawLength;

    /// <summary>Id of the compression of the bytes in the file.</summary>
    public byte Compression => compressed ? CompressionCodecs.Lz4.Id : CompressionCodecs.None.Id;

    /// <summary>Brings the rows into native memory, which the reading task pays for.</summary>
    /// <exception cref="CorruptDataException">The bytes on disk do not match their checksum.</exception>
    public SegmentView Read(TaskContext context)
    {
        var lease = context.ReserveWork(rawLength);
        NativeBuffer? raw = null;
        try
        {
            raw = context.Services.Pool.Rent(Math.Max(rawLength, 1), "segment read back");
            if (compressed)
            {
                var stored = ArrayPool<byte>.Shared.Rent(storedLength);
                try
                {
                    Fetch(stored.AsSpan(0, storedLength));
                    CompressionCodecs.Lz4.DecompressExactly(stored.AsSpan(0, storedLength), raw.Span[..rawLength]);
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(stored);
                }
            }
            else
            {
                Fetch(raw.Span[..rawLength]);
            }
            return new SegmentView(raw, rawLength, lease);
        }
        catch
        {
            raw?.Dispose();
            lease.Dispose();
            throw;
        }
    }

    /// <summary>Reads the bytes as they are in the file, and checks them.</summary>
    /// <param name="destination">As long as <see cref="StoredLength"/>.</param>
    /// <exception cref="CorruptDataException">They do not match their checksum.</exception>
    public void Fetch(Span<byte> destination)
    {
        file.Read(offset, destination);
        var actual = Crc32C.Of(destination);
        if (actual != checksum)
        {
            throw new CorruptDataException(
                $"{storedLength:N0} bytes at offset {offset:N0} of {file.Path} have checksum {actual:x8} instead of {checksum:x8}.");
        }
    }
}
