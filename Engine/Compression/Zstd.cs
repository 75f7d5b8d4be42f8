using System.Buffers;

namespace Dataflow.Compression;

/// <summary>Id 2, <c>zstd</c>: Zstandard by the system's library. For slow networks and for spill: half again as small as LZ4.</summary>
/// <remarks>A block is one frame; on reading, several in a row are taken too.</remarks>
internal sealed class ZstdCodec : ICompressionCodec
{
    /// <summary>The level when nothing else is said: 300 to 600 MB/s.</summary>
    public const int DefaultLevel = 1;

    private readonly ZstdLibrary? library;
    private readonly int level;

    /// <summary>A codec of this level over this library, which may be missing: then every use says what to install.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The library is there and has no such level.</exception>
    public ZstdCodec(ZstdLibrary? library, int level = DefaultLevel)
    {
        if (library is not null && (level < library.MinLevel || level > library.MaxLevel))
            throw new ArgumentOutOfRangeException(nameof(level), level, $"zstd has the levels {library.MinLevel} (fastest) to {library.MaxLevel} (smallest).");
        this.library = library;
        this.level = level;
    }

    public byte Id => 2;

    public string Name => "zstd";

    /// <summary>The library, or the error that says what to install.</summary>
    /// <exception cref="CompressionUnavailableException">It is not on this machine.</exception>
    public ZstdLibrary Library => library ?? throw Missing();

    /// <summary>The level that it compresses with.</summary>
    public int Level => level;

    public int MaxCompressedLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Lz4Encoder.MaxLength);
        return Library.MaxCompressedLength(length);
    }

    public int Compress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        ICompressionCodec.RequireRoom(this, source.Length, destination.Length);
        return Library.Compress(source, destination, level);
    }

    public int Decompress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (source.IsEmpty)
            throw new CorruptDataException(Name, 0, "the block is empty, where even one of no data has some bytes");
        if (Library.Decompress(source, destination, out var problem) is { } written)
            return written;

        // The library does not say where in the block; its names for errors are short.
        throw new CorruptDataException(Name, 0, $"libzstd says '{problem}' of the block's {source.Length:N0} bytes, of which it expects {destination.Length:N0} raw bytes at most");
    }

    private static CompressionUnavailableException Missing() => new(
        $"zstd needs the system library libzstd 1.4 or later, which is not on this machine (looked for {string.Join(", ", ZstdLibrary.Names)}).\n"
        + $"  next: {ZstdLibrary.Install}; or choose one of {string.Join(", ", CompressionCodecs.Available.Select(codec => codec.Name))}, which are here.");
}

/// <summary>Reads Zstandard frames, one after another to the end of the source.</summary>
/// <remarks>Native memory: the window that a frame asks for, of at most 128 MB, the library's own limit. A source without any bytes is
/// an empty file, not an error.</remarks>
internal sealed class ZstdReadStream : BlockReadStream
{
    private const int BufferLength = 1 << 17;

    private readonly ZstdLibrary library;
    private readonly ZstdLibrary.Context context;
    private readonly byte[] packed = ArrayPool<byte>.Shared.Rent(BufferLength);
    private readonly byte[] raw = ArrayPool<byte>.Shared.Rent(BufferLength);
    private int packedStart, packedEnd;
    private bool betweenFrames = true;
    private bool drained = true;

    /// <summary>Reads a source of frames.</summary>
    public ZstdReadStream(ZstdLibrary library, Stream source, bool leaveOpen = false, string? path = null)
        : base(source, leaveOpen, "zstd", path)
    {
        this.library = library;
        context = library.NewDecompressor();
    }

    protected override bool ReadBlock(out ReadOnlyMemory<byte> block)
    {
        block = default;

        // Only inside a frame, and when it filled the last buffer to the brim, can the library have more to give without new input.
        if (packedStart == packedEnd && drained)
        {
            packedEnd = Take(packed);
            packedStart = 0;
            if (packedEnd == 0)
                return betweenFrames ? false : throw Corrupt("the stream ends inside a frame");
        }

        var ended = library.DecompressStep(context, packed.AsSpan(0, packedEnd), ref packedStart, raw, out var written, out var problem);
        betweenFrames = ended ?? throw Corrupt($"libzstd says '{problem}' of a frame near here");
        drained = betweenFrames || written < raw.Length;
        block = raw.AsMemory(0, written);
        return true;
    }

    protected override void Release()
    {
        ArrayPool<byte>.Shared.Return(packed);
        ArrayPool<byte>.Shared.Return(raw);
        ZstdLibrary.ReturnDecompressor(context);
    }
}

/// <summary>Writes one Zstandard frame with a content checksum.</summary>
internal sealed class ZstdWriteStream : BlockWriteStream
{
    private const int BlockLength = 1 << 17;

    private readonly ZstdLibrary library;
    private readonly ZstdLibrary.Context context;
    private readonly byte[] packed = ArrayPool<byte>.Shared.Rent(BlockLength);

    /// <summary>Starts a frame at this level.</summary>
    public ZstdWriteStream(ZstdLibrary library, int level, Stream destination, bool leaveOpen = false)
        : base(destination, leaveOpen, BlockLength)
    {
        this.library = library;
        context = library.NewCompressor(level);
    }

    protected override void WriteBlock(ReadOnlySpan<byte> block) => Run(block, ZstdLibrary.Directive.Continue);

    protected override void FlushBlocks() => Run([], ZstdLibrary.Directive.Flush);

    protected override void Finish() => Run([], ZstdLibrary.Directive.End);

    protected override void Release()
    {
        ArrayPool<byte>.Shared.Return(packed);
        library.ReturnCompressor(context);
    }

    private void Run(ReadOnlySpan<byte> block, ZstdLibrary.Directive directive)
    {
        var read = 0;
        bool done;
        do
        {
            done = library.CompressStep(context, block, ref read, packed, out var written, directive);
            Destination.Write(packed, 0, written);
        }
        while (!done);
    }
}
