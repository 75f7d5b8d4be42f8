using System.Buffers;
using System.Buffers.Binary;

namespace Dataflow.Compression;

/// <summary>Reads LZ4 frames, one after another to the end of the source, as <c>lz4 -d</c> does; frames of user data are skipped.</summary>
/// <remarks>Checks every checksum and length that a frame carries. Holds at most 8 MB and 64 KB: a block of 4 MB before and after
/// decompression, and what a linked block may refer to. A source without any bytes is an empty file, not an error.</remarks>
internal sealed class Lz4ReadStream(Stream source, bool leaveOpen = false, string? path = null)
    : BlockReadStream(source, leaveOpen, "lz4", path)
{
    private const int History = 1 << 16;

    private Lz4Frame? frame;
    private byte[] packed = [];
    private byte[] raw = [];                 // the history of linked blocks, then the block itself
    private int rawEnd = History;            // end of what was decoded last, whose tail becomes history
    private int historyLength;
    private XxHash32 content;
    private ulong contentLength;

    protected override bool ReadBlock(out ReadOnlyMemory<byte> block)
    {
        block = default;
        if (frame is null && !ReadFrameHeader())
            return false;

        Span<byte> word = stackalloc byte[4];
        TakeExactly(word, "a block's length");
        var length = BinaryPrimitives.ReadUInt32LittleEndian(word);
        if (length == Lz4Frame.EndMark)
            EndFrame();
        else
            block = ReadBlock(frame!, (int)(length & ~Lz4Frame.RawBlock), isRaw: (length & Lz4Frame.RawBlock) != 0);
        return true;
    }

    protected override void Release()
    {
        Return(ref packed);
        Return(ref raw);
    }

    private ReadOnlyMemory<byte> ReadBlock(Lz4Frame frame, int length, bool isRaw)
    {
        if (length > frame.MaxBlockLength)
            throw Corrupt($"a block of {length:N0} bytes is announced, where the frame allows {frame.MaxBlockLength:N0}");

        var body = packed.AsSpan(0, length);
        TakeExactly(body, "a block");
        CheckBlock(frame, body);

        KeepHistory(frame);
        var written = length;
        if (isRaw)
            body.CopyTo(raw.AsSpan(History));
        else
            written = Decode(body, frame.MaxBlockLength);

        rawEnd = History + written;
        var block = raw.AsMemory(History, written);
        contentLength += (uint)written;
        if (frame.ContentChecksum)
            content.Append(block.Span);
        return block;
    }

    private int Decode(ReadOnlySpan<byte> body, int maxLength)
    {
        var reach = raw.AsSpan(History - historyLength, historyLength + maxLength);
        try
        {
            return Lz4Decoder.Decode(body, reach, historyLength);
        }
        catch (CorruptDataException error)
        {
            throw Corrupt(error, body.Length);
        }
    }

    private void CheckBlock(Lz4Frame frame, ReadOnlySpan<byte> body)
    {
        if (!frame.BlockChecksums)
            return;
        Span<byte> word = stackalloc byte[4];
        TakeExactly(word, "a block's checksum");
        var stated = BinaryPrimitives.ReadUInt32LittleEndian(word);
        var actual = XxHash32.Of(body);
        if (stated != actual)
            throw Corrupt($"a block's checksum is {stated:X8}, but its {body.Length:N0} bytes give {actual:X8}");
    }

    // Moves the last 64 KB that were decoded to just before where the next block goes.
    private void KeepHistory(Lz4Frame frame)
    {
        if (!frame.Linked)
            return;
        var keep = Math.Min(History, historyLength + rawEnd - History);
        raw.AsSpan(rawEnd - keep, keep).CopyTo(raw.AsSpan(History - keep));
        historyLength = keep;
    }

    private bool ReadFrameHeader()
    {
        Span<byte> header = stackalloc byte[Lz4Frame.MaxLength];
        while (true)
        {
            if (!TryTakeExactly(header[..4], "a frame's first number"))
                return false;
            var magic = BinaryPrimitives.ReadUInt32LittleEndian(header);
            if (magic == Lz4Frame.Magic)
                break;
            if (!Lz4Frame.IsSkippable(magic))
            {
                throw Corrupt(magic == Lz4Frame.LegacyMagic
                    ? "the stream has the legacy format, which is not supported; pack it anew with lz4 and without -l"
                    : $"a frame begins with {magic:X8}, where {Lz4Frame.Magic:X8} is expected");
            }

            TakeExactly(header[..4], "a skipped frame's length");
            Skip(BinaryPrimitives.ReadUInt32LittleEndian(header));
        }

        TakeExactly(header[..1], "a frame header");
        var length = Lz4Frame.LengthFor(header[0]);
        TakeExactly(header[1..length], "a frame header");
        var (parsed, problem) = Lz4Frame.Parse(header[..length]);
        frame = parsed ?? throw Corrupt(problem);

        Grow(ref packed, frame.MaxBlockLength);
        Grow(ref raw, History + frame.MaxBlockLength);
        (rawEnd, historyLength, contentLength, content) = (History, 0, 0, new XxHash32());
        return true;
    }

    private void EndFrame()
    {
        if (frame!.ContentChecksum)
        {
            Span<byte> word = stackalloc byte[4];
            TakeExactly(word, "the content checksum");
            var stated = BinaryPrimitives.ReadUInt32LittleEndian(word);
            if (stated != content.Value)
                throw Corrupt($"the content checksum is {stated:X8}, but the {contentLength:N0} raw bytes give {content.Value:X8}");
        }

        if (frame.ContentLength is { } expected && expected != contentLength)
            throw Corrupt($"the frame holds {contentLength:N0} raw bytes, but its header says {expected:N0}");
        frame = null;
    }

    private void Skip(uint length)
    {
        Span<byte> scratch = stackalloc byte[1024];
        while (length > 0)
        {
            var part = scratch[..(int)Math.Min(length, scratch.Length)];
            TakeExactly(part, "a skipped frame");
            length -= (uint)part.Length;
        }
    }

    private static void Grow(ref byte[] buffer, int length)
    {
        if (buffer.Length >= length)
            return;
        Return(ref buffer);
        buffer = ArrayPool<byte>.Shared.Rent(length);
    }

    private static void Return(ref byte[] buffer)
    {
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }
}

/// <summary>Writes one LZ4 frame of independent blocks, which <c>lz4 -d</c> and every other reader of the format takes.</summary>
/// <remarks>A block that does not shrink is stored raw. Nothing written makes a valid frame of no bytes.</remarks>
internal sealed class Lz4WriteStream : BlockWriteStream
{
    /// <summary>Raw bytes per block when nothing else is said: close to the best ratio, and small enough for the cache.</summary>
    public const int DefaultBlockLength = 1 << 18;

    private readonly Lz4Frame frame;
    private byte[] packed;
    private bool begun;
    private XxHash32 content = new();
    private ulong contentLength;

    /// <summary>Starts a frame; its header is written with the first block.</summary>
    /// <param name="destination">Where the frame goes.</param>
    /// <param name="leaveOpen">Whether disposing of this leaves the destination open.</param>
    /// <param name="blockLength">Raw bytes per block: 64 KB, 256 KB, 1 MB or 4 MB.</param>
    /// <param name="blockChecksums">Whether each block carries a checksum besides that of the whole content.</param>
    /// <param name="length">How many bytes will be written, if that is known: the frame then says so, and another number is an error.</param>
    public Lz4WriteStream(Stream destination, bool leaveOpen = false, int blockLength = DefaultBlockLength, bool blockChecksums = false, long? length = null)
        : base(destination, leaveOpen, blockLength)
    {
        frame = new Lz4Frame(Linked: false, blockChecksums, ContentChecksum: true, blockLength, (ulong?)length);
        packed = ArrayPool<byte>.Shared.Rent(4 + Lz4Encoder.MaxEncodedLength(blockLength) + 4);
    }

    protected override void WriteBlock(ReadOnlySpan<byte> block)
    {
        Begin();
        content.Append(block);
        contentLength += (uint)block.Length;

        var body = packed.AsSpan(4);
        var length = Lz4Encoder.Encode(block, body);
        var isRaw = length >= block.Length;
        if (isRaw)
        {
            block.CopyTo(body);
            length = block.Length;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(packed, (uint)length | (isRaw ? Lz4Frame.RawBlock : 0));
        var end = 4 + length;
        if (frame.BlockChecksums)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(packed.AsSpan(end), XxHash32.Of(packed.AsSpan(4, length)));
            end += 4;
        }

        Destination.Write(packed, 0, end);
    }

    protected override void Finish()
    {
        if (frame.ContentLength is { } expected && expected != contentLength)
        {
            throw new InvalidOperationException(
                $"The frame's header says {expected:N0} bytes, but {contentLength:N0} were written. Write as many as were announced, or announce none.");
        }

        Begin();
        BinaryPrimitives.WriteUInt32LittleEndian(packed, Lz4Frame.EndMark);
        BinaryPrimitives.WriteUInt32LittleEndian(packed.AsSpan(4), content.Value);
        Destination.Write(packed, 0, 8);
    }

    protected override void Release()
    {
        ArrayPool<byte>.Shared.Return(packed);
        packed = [];
    }

    private void Begin()
    {
        if (begun)
            return;
        begun = true;
        Span<byte> header = stackalloc byte[4 + Lz4Frame.MaxLength];
        Destination.Write(header[..frame.Write(header)]);
    }
}
