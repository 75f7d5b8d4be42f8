using System.Buffers;
using Dataflow.Compression;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Shuffle;

/// <summary>Rows in a file.</summary>
internal sealed class FileBody(ISegmentFile file, long offset, int storedLength, int rawLength, uint checksum, byte compression, long bytes)
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
    public byte Compression => compression;

    /// <summary>Brings the rows into native memory, which the reading task pays for.</summary>
    /// <exception cref="CorruptDataException">The bytes on disk do not match their checksum.</exception>
    public SegmentView Read(TaskContext context)
    {
        var lease = context.ReserveWork(rawLength);
        NativeBuffer? raw = null;
        try
        {
            raw = context.Services.Pool.Rent(Math.Max(rawLength, 1), "segment read back");
            if (compression != CompressionCodecs.None.Id)
            {
                var stored = ArrayPool<byte>.Shared.Rent(storedLength);
                try
                {
                    Fetch(stored.AsSpan(0, storedLength));
                    CompressionCodecs.ById(compression).DecompressExactly(stored.AsSpan(0, storedLength), raw.Span[..rawLength]);
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
