using System.Buffers;
using System.IO.Compression;

namespace Dataflow.Compression;

/// <summary>Id 3, <c>brotli</c>: by .NET's own library. As small as zstd everywhere without installing anything, but slower to read.</summary>
internal sealed class BrotliCodec : ICompressionCodec
{
    /// <summary>The quality when nothing else is said: about 300 MB/s.</summary>
    public const int DefaultQuality = 1;

    // 256 KB: longer windows cost time and save little on blocks of up to a megabyte.
    private const int WindowBits = 18;

    private readonly int quality;

    /// <summary>A codec of this quality, 0 (fastest) to 11 (smallest).</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such quality.</exception>
    public BrotliCodec(int quality = DefaultQuality)
    {
        if (quality is < 0 or > 11)
            throw new ArgumentOutOfRangeException(nameof(quality), quality, "brotli has the qualities 0 (fastest) to 11 (smallest).");
        this.quality = quality;
    }

    public byte Id => 3;

    public string Name => "brotli";

    public int MaxCompressedLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Lz4Encoder.MaxLength);
        return BrotliEncoder.GetMaxCompressedLength(length);
    }

    public int Compress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        ICompressionCodec.RequireRoom(this, source.Length, destination.Length);
        return BrotliEncoder.TryCompress(source, destination, out var written, quality, WindowBits)
            ? written
            : throw new InvalidOperationException($"Brotli could not compress {source.Length:N0} bytes into its own bound of {destination.Length:N0}: a bug, please report it.");
    }

    public int Decompress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        using var decoder = new BrotliDecoder();

        // With no room at all the decoder does not even look whether the block has an end.
        Span<byte> spare = stackalloc byte[1];
        var status = decoder.Decompress(source, destination.IsEmpty ? spare : destination, out var consumed, out var written);
        if (written > destination.Length)
            status = OperationStatus.DestinationTooSmall;
        var problem = status switch
        {
            OperationStatus.Done => consumed == source.Length ? null : $"{source.Length - consumed:N0} bytes follow the end of the block",
            OperationStatus.NeedMoreData => "the block ends inside its data",
            OperationStatus.DestinationTooSmall => $"the block holds more than the {destination.Length:N0} raw bytes expected of it",
            _ => "the bytes are no valid Brotli",
        };
        return problem is null ? written : throw new CorruptDataException(Name, consumed, problem);
    }
}

/// <summary>Reads one Brotli stream to the end of the source.</summary>
/// <remarks>Native memory: the window that the stream asks for, at most 16 MB. A source without any bytes is an empty file, not an error.</remarks>
internal sealed class BrotliReadStream(Stream source, bool leaveOpen = false, string? path = null)
    : BlockReadStream(source, leaveOpen, "brotli", path)
{
    private const int BufferLength = 1 << 16;

    private readonly byte[] packed = ArrayPool<byte>.Shared.Rent(BufferLength);
    private readonly byte[] raw = ArrayPool<byte>.Shared.Rent(BufferLength);
    private BrotliDecoder decoder = new();
    private int packedStart, packedEnd;
    private bool needsMore = true;
    private bool ended;

    protected override bool ReadBlock(out ReadOnlyMemory<byte> block)
    {
        block = default;
        if (needsMore && packedStart == packedEnd)
        {
            packedStart = 0;
            packedEnd = Take(packed);
            if (packedEnd == 0)
                return ended || Consumed == 0 ? false : throw Corrupt("the stream ends inside its data");
        }

        if (ended)
            throw Corrupt($"{packedEnd - packedStart:N0} bytes or more follow the end of the data");

        var status = decoder.Decompress(packed.AsSpan(packedStart, packedEnd - packedStart), raw, out var consumed, out var written);
        if (status == OperationStatus.InvalidData)
            throw Corrupt("the bytes near here are no valid Brotli");
        packedStart += consumed;
        needsMore = status != OperationStatus.DestinationTooSmall;
        ended = status == OperationStatus.Done;
        block = raw.AsMemory(0, written);
        return true;
    }

    protected override void Release()
    {
        decoder.Dispose();
        ArrayPool<byte>.Shared.Return(packed);
        ArrayPool<byte>.Shared.Return(raw);
    }
}

/// <summary>Writes one Brotli stream.</summary>
internal sealed class BrotliWriteStream(Stream destination, int quality = BrotliCodec.DefaultQuality, bool leaveOpen = false)
    : BlockWriteStream(destination, leaveOpen, BlockLength)
{
    private const int BlockLength = 1 << 16;
    private const int WindowBits = 22;

    private readonly byte[] packed = ArrayPool<byte>.Shared.Rent(BlockLength);
    private BrotliEncoder encoder = new(quality, WindowBits);

    protected override void WriteBlock(ReadOnlySpan<byte> block) => Compress(block, isLast: false);

    protected override void FlushBlocks()
    {
        OperationStatus status;
        do
        {
            status = encoder.Flush(packed, out var written);
            Destination.Write(packed, 0, written);
        }
        while (Continues(status));
    }

    protected override void Finish() => Compress([], isLast: true);

    protected override void Release()
    {
        encoder.Dispose();
        ArrayPool<byte>.Shared.Return(packed);
    }

    private void Compress(ReadOnlySpan<byte> block, bool isLast)
    {
        OperationStatus status;
        do
        {
            status = encoder.Compress(block, packed, out var consumed, out var written, isLast);
            block = block[consumed..];
            Destination.Write(packed, 0, written);
        }
        while (Continues(status));
    }

    private static bool Continues(OperationStatus status) => status switch
    {
        OperationStatus.Done or OperationStatus.NeedMoreData => false,
        OperationStatus.DestinationTooSmall => true,
        _ => throw new InvalidOperationException($"Brotli could not compress the stream ({status}): a bug, please report it."),
    };
}
