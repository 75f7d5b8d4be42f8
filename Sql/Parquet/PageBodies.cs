using System.Buffers.Binary;
using Dataflow.Compression;
using Dataflow.Sql.Columns;
using Dataflow.Sql.ParquetMetadata;
using Dataflow.Storage;

namespace Dataflow.Sql.Parquet;

/// <summary>A page's bytes, decompressed, and its header.</summary>
internal unsafe struct PageBody
{
    public PageHeader Header;
    public byte* Start;
    public byte* End;
}

/// <summary>Gives the pages of a chunk one by one, decompressed.</summary>
/// <remarks>A page's memory is used again for the next, unless <see cref="Keep"/> is called before: then it stays until <see cref="Release"/>.</remarks>
internal sealed unsafe class PageBodies(ChunkStream stream, TaskArena arena, PageCodec codec)
{
    private const int HeaderBytes = 4 << 10;
    private const int LongestHeader = 16 << 20;
    private const int LongestPage = 1 << 30;

    private readonly List<NativeBuffer> _kept = [];
    private readonly List<NativeBuffer> _spare = [];
    private NativeBuffer? _page;

    /// <summary>Where the header of the last page began, for errors.</summary>
    public long Position { get; private set; }

    /// <summary>Reads the header of the next page; its body is next.</summary>
    public PageHeader NextHeader()
    {
        Position = stream.Position;
        for (var tried = HeaderBytes; ; tried *= 4)
        {
            var bytes = stream.Peek(tried);
            try
            {
                var header = PageHeader.Read(bytes, out var length);
                stream.Skip(length);
                if (header.Bytes > stream.Left) throw new CorruptDataException("parquet", stream.Position, $"a page of {header.Bytes:N0} bytes is announced, where its chunk has {stream.Left:N0} left");
                return header;
            }
            catch (CorruptDataException) when (bytes.Length < stream.Left && tried < LongestHeader)
            {
                // A header with long statistics does not fit what was looked at.
            }
        }
    }

    /// <summary>Passes over the body of a page.</summary>
    public void SkipBody(in PageHeader header) => stream.Skip(header.Bytes);

    /// <summary>Reads the body of a page.</summary>
    /// <param name="header">What <see cref="NextHeader"/> gave.</param>
    /// <param name="buffer">Where it goes; null for the buffer that the next page will use again.</param>
    public PageBody ReadBody(in PageHeader header, NativeBuffer? buffer = null)
    {
        CheckSize(header);
        var start = (buffer ?? Room(header.RawBytes)).Pointer;
        var levels = header.Kind == PageKind.DataV2 ? header.DefinitionBytes + header.RepetitionBytes : 0;
        if (codec == PageCodec.None || !header.IsCompressed)
        {
            if (header.Bytes != header.RawBytes)
                throw new CorruptDataException("parquet", Position, $"a page without compression should have {header.Bytes:N0} bytes and {header.RawBytes:N0} decompressed");
            stream.Read(start, header.Bytes);
            if (header.Checksum is { } plain) CheckSum(plain, new ReadOnlySpan<byte>(start, header.Bytes));
        }
        else
        {
            var packed = stream.Take(header.Bytes);
            if (header.Checksum is { } expected) CheckSum(expected, new ReadOnlySpan<byte>(packed, header.Bytes));
            Buffer.MemoryCopy(packed, start, header.RawBytes, levels);
            Decompress(new ReadOnlySpan<byte>(packed + levels, header.Bytes - levels), start + levels, header.RawBytes - levels);
        }
        return new PageBody { Header = header, Start = start, End = start + header.RawBytes };
    }

    /// <summary>Room for a page that stays until its chunk ends.</summary>
    public NativeBuffer OwnRoom(in PageHeader header)
    {
        CheckSize(header);
        return arena.Rent(header.RawBytes);
    }

    /// <summary>Keeps the memory of the last page when the next is read: values point into it.</summary>
    public void Keep()
    {
        if (_page is null) return;
        _kept.Add(_page);
        _page = null;
    }

    /// <summary>Nothing points into kept pages any more.</summary>
    public void Release()
    {
        if (_kept.Count == 0) return;
        _spare.AddRange(_kept);
        _kept.Clear();
    }

    private NativeBuffer Room(int bytes)
    {
        if (_page is not null && _page.Length - TaskArena.Slack >= bytes) return _page;
        if (_page is not null) arena.Return(_page);
        _page = null;
        for (var i = _spare.Count - 1; i >= 0; i--)
        {
            if (_spare[i].Length - TaskArena.Slack < bytes) continue;
            _page = _spare[i];
            _spare.RemoveAt(i);
            return _page;
        }
        foreach (var small in _spare) arena.Return(small);
        _spare.Clear();
        return _page = arena.Rent(bytes);
    }

    private void Decompress(ReadOnlySpan<byte> packed, byte* to, int length)
    {
        // Empty pages of version 2 may have no block at all.
        if (packed.IsEmpty && length == 0) return;
        int written;
        if (codec == PageCodec.HadoopLz4)
        {
            written = HadoopLz4(packed, new Span<byte>(to, length));
        }
        else
        {
            // Decoders are faster with room behind the end.
            written = CodecOf(codec).Decompress(packed, new Span<byte>(to, length + TaskArena.Slack));
        }
        if (written != length) throw new CorruptDataException("parquet", Position, $"a page decompresses to {written:N0} bytes, where its header says {length:N0}");
    }

    private static ICompressionCodec CodecOf(PageCodec codec) => codec switch
    {
        PageCodec.Snappy => CompressionCodecs.Snappy,
        PageCodec.Gzip => CompressionCodecs.Gzip,
        PageCodec.Brotli => CompressionCodecs.Brotli,
        PageCodec.Zstd => CompressionCodecs.Zstd,
        PageCodec.Lz4 => CompressionCodecs.Lz4,
        _ => throw new CorruptDataException("parquet", 0, $"its pages are compressed with {codec}, which is not supported; write the file with snappy, zstd, gzip, lz4_raw or brotli"),
    };

    // Frames of Hadoop: big-endian lengths, raw and packed, before each block. Some writers left them out.
    private static int HadoopLz4(ReadOnlySpan<byte> packed, Span<byte> to)
    {
        var at = 0;
        var written = 0;
        while (packed.Length - at >= 8)
        {
            var raw = BinaryPrimitives.ReadUInt32BigEndian(packed[at..]);
            var length = BinaryPrimitives.ReadUInt32BigEndian(packed[(at + 4)..]);
            if (length > packed.Length - at - 8 || raw > to.Length - written) break;
            if (CompressionCodecs.Lz4.Decompress(packed.Slice(at + 8, (int)length), to[written..]) != raw) break;
            at += 8 + (int)length;
            written += (int)raw;
        }
        return at == packed.Length ? written : CompressionCodecs.Lz4.Decompress(packed, to);
    }

    // A damaged header must not make us ask for memory that its page can't fill.
    private void CheckSize(in PageHeader header)
    {
        var most = codec switch
        {
            PageCodec.Snappy => 64L,
            PageCodec.Lz4 or PageCodec.HadoopLz4 => 256,
            PageCodec.Gzip => 1100,
            PageCodec.None => 1,
            _ => 1 << 17,
        };
        if (header.RawBytes > (header.Bytes * most) + 1024 || header.RawBytes > LongestPage)
            throw new CorruptDataException("parquet", Position, $"a page of {header.Bytes:N0} bytes should decompress to {header.RawBytes:N0}, more than {codec} can, or than {LongestPage:N0}");
    }

    private void CheckSum(uint expected, ReadOnlySpan<byte> bytes)
    {
        var actual = Crc32.Of(bytes);
        if (actual != expected) throw new CorruptDataException("parquet", Position, $"a page has the checksum {actual:X8}, where its header says {expected:X8}");
    }
}
