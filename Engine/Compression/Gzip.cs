using System.Buffers;
using System.IO.Compression;

namespace Dataflow.Compression;

/// <summary>Id 5, <c>gzip</c>: by .NET's own library, fastest level. For files that others wrote; slow for blocks.</summary>
/// <remarks>Several members in a row read as one. Each call allocates the library's state, some 10 to 300 KB.</remarks>
internal sealed unsafe class GzipCodec : ICompressionCodec
{
    public byte Id => 5;

    public string Name => "gzip";

    // The fastest level may write a byte as 9 bits; then come block headers, and a header and trailer of 18 bytes.
    public int MaxCompressedLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, 1_900_000_000);
        return length + length / 8 + length / 1024 + 64;
    }

    public int Compress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        ICompressionCodec.RequireRoom(this, source.Length, destination.Length);
        fixed (byte* to = destination)
        {
            using var output = new UnmanagedMemoryStream(to, 0, destination.Length, FileAccess.Write);
            using (var gzip = new GzipWriteStream(output, leaveOpen: true))
                gzip.Write(source);
            return (int)output.Position;
        }
    }

    public int Decompress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (source.IsEmpty)
            throw new CorruptDataException(Name, 0, "the block is empty, where even one of no data has 20 bytes");
        fixed (byte* from = source)
        {
            using var input = new UnmanagedMemoryStream(from, source.Length);
            using var gzip = new GzipReadStream(input);
            var written = gzip.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false);

            // Whether the block is whole is only known once its end has been read.
            return gzip.ReadByte() < 0
                ? written
                : throw new CorruptDataException(Name, source.Length, $"the block holds more than the {destination.Length:N0} raw bytes expected of it");
        }
    }
}

/// <summary>Reads gzip members (RFC 1952), one after another to the end of the source, as <c>gzip -d</c> does.</summary>
/// <remarks>.NET's own stream takes a file that was cut short for a whole one and says nothing. So one more member, with a known
/// content, is put after the source's end: only a reader that has come to a proper end of the last member, its checksum included,
/// reads that content back. So the last 16 bytes are given out only once the end is seen. A source without any bytes is an empty file, not an error.</remarks>
internal sealed class GzipReadStream : BlockReadStream
{
    private const int BufferLength = 1 << 16;
    private const int MarkerStart = 15, MarkerLength = 16;

    private readonly byte[] raw = ArrayPool<byte>.Shared.Rent(BufferLength);
    private readonly GZipStream gzip;
    private int end;                         // bytes in raw, of which the last may be the marker and are not given out yet

    /// <summary>Reads a source of members.</summary>
    public GzipReadStream(Stream source, bool leaveOpen = false, string? path = null)
        : base(source, leaveOpen, "gzip", path) => gzip = new GZipStream(new Source(this), CompressionMode.Decompress);

    // Header, the header of a stored block, 16 bytes, their CRC-32 and length. Of the checksum's first byte bits 1 and 2 are set: if
    // the source was cut inside a stored block of its own that takes the 16 bytes for its last ones, what follows is no valid block.
    private static ReadOnlySpan<byte> LastMember =>
    [
        0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF,
        1, MarkerLength, 0, 0xEF, 0xFF,
        (byte)'s', (byte)'o', (byte)'u', (byte)'r', (byte)'c', (byte)'e', (byte)' ', (byte)'e',
        (byte)'n', (byte)'d', (byte)'s', (byte)' ', (byte)'0', (byte)'0', (byte)'0', (byte)'3',
        0x5E, 0x5D, 0x18, 0xDD,
        MarkerLength, 0, 0, 0,
    ];

    protected override bool ReadBlock(out ReadOnlyMemory<byte> block)
    {
        block = default;
        var kept = Math.Min(end, MarkerLength);
        raw.AsSpan(end - kept, kept).CopyTo(raw);
        end = kept;

        int count;
        try
        {
            count = gzip.Read(raw.AsSpan(end));
        }
        catch (InvalidDataException error)
        {
            throw Corrupt("a member before here is damaged or cut short: its coding, its checksum or its length is wrong", error);
        }

        if (count == 0)
        {
            return raw.AsSpan(0, end).SequenceEqual(LastMember.Slice(MarkerStart, MarkerLength))
                ? false
                : throw Corrupt("the source ends inside a member, or with bytes that are no member");
        }

        end += count;
        block = raw.AsMemory(0, Math.Max(0, end - MarkerLength));
        return true;
    }

    protected override void Release()
    {
        gzip.Dispose();
        ArrayPool<byte>.Shared.Return(raw);
    }

    // The compressed bytes, and after their end the last member.
    private sealed class Source(GzipReadStream reader) : Stream
    {
        private int sent;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            var count = sent == 0 ? reader.Take(buffer) : 0;
            if (count > 0 || buffer.IsEmpty)
                return count;

            var rest = LastMember[sent..];
            count = Math.Min(rest.Length, buffer.Length);
            rest[..count].CopyTo(buffer);
            sent += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}

/// <summary>Writes one gzip member at the fastest level.</summary>
internal sealed class GzipWriteStream : BlockWriteStream
{
    private const int BlockLength = 1 << 16;

    private readonly GZipStream gzip;
    private bool begun;

    /// <summary>Starts a member; its header is written with the first block.</summary>
    public GzipWriteStream(Stream destination, bool leaveOpen = false)
        : base(destination, leaveOpen, BlockLength) => gzip = new GZipStream(destination, CompressionLevel.Fastest, leaveOpen: true);

    // .NET writes nothing at all when nothing is compressed, and other readers take that for a file that was cut short.
    private static ReadOnlySpan<byte> EmptyMember => [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    protected override void WriteBlock(ReadOnlySpan<byte> block)
    {
        begun = true;
        gzip.Write(block);
    }

    protected override void FlushBlocks() => gzip.Flush();

    protected override void Finish()
    {
        if (begun)
            gzip.Dispose();
        else
            Destination.Write(EmptyMember);
    }

    // Disposing of the inner stream after a failed write would put an end to the member; its native state is freed by its finalizer.
    protected override void Release()
    {
    }
}
