using System.Globalization;

namespace Dataflow.Compression;

/// <summary>Every block codec of the project, by the id that block headers hold and by the name that settings hold.</summary>
/// <remarks>0 <c>none</c>, 1 <c>lz4</c>, 2 <c>zstd</c> (where the system has libzstd), 3 <c>brotli</c>, 4 <c>snappy</c>, 5 <c>gzip</c>.
/// Executors tell the driver at registration which of them they have; ids are for ever.</remarks>
public static class CompressionCodecs
{
    /// <summary>Id 0: bytes as they are.</summary>
    public static ICompressionCodec None { get; } = new NoCompression();

    /// <summary>Id 1: LZ4 blocks, managed code, everywhere. The default where bytes go to disk or to another host.</summary>
    public static ICompressionCodec Lz4 { get; } = new Lz4Codec();

    /// <summary>Id 3: Brotli of quality 1, by .NET's own library. Small and everywhere, but slow to read.</summary>
    public static ICompressionCodec Brotli { get; } = new BrotliCodec();

    /// <summary>Id 4: raw Snappy blocks, managed code, everywhere. What most Parquet files hold.</summary>
    public static ICompressionCodec Snappy { get; } = new SnappyCodec();

    /// <summary>Id 5: gzip members at the fastest level, by .NET's own library. For what others wrote.</summary>
    public static ICompressionCodec Gzip { get; } = new GzipCodec();

    /// <summary>Id 2: Zstandard of level 1, by the system's library. For slow networks and for spill.</summary>
    /// <exception cref="CompressionUnavailableException">The library is not on this machine.</exception>
    public static ICompressionCodec Zstd => Require(Native.Zstd);

    /// <summary>The codecs that this machine has, by id.</summary>
    public static IReadOnlyList<ICompressionCodec> Available => field ??=
        ZstdLibrary.Current is null ? [None, Lz4, Brotli, Snappy, Gzip] : [None, Lz4, Native.Zstd, Brotli, Snappy, Gzip];

    /// <summary>Whether this machine has the codec of this id.</summary>
    /// <param name="id">An id; one that is not known is not available.</param>
    public static bool IsAvailable(byte id) => Available.Any(codec => codec.Id == id);

    /// <summary>Whether this machine has the codec of this name.</summary>
    /// <param name="name">A name, in any case; one that is not known is not available.</param>
    public static bool IsAvailable(string name) => Available.Any(codec => codec.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The codec that a block header names.</summary>
    /// <remarks>Cost: an array look-up.</remarks>
    /// <param name="id">The id.</param>
    /// <exception cref="CompressionUnavailableException">This machine or this version has none of that id; says what it has.</exception>
    public static ICompressionCodec ById(byte id) => id switch
    {
        0 => None,
        1 => Lz4,
        2 => Zstd,
        3 => Brotli,
        4 => Snappy,
        5 => Gzip,
        _ => throw new CompressionUnavailableException(
            $"No compression has the id {id}. Here: {List()}.\n  next: a newer version wrote this block, or its header is damaged; read it with that version, or compute it anew."),
    };

    /// <summary>The codec that a setting names.</summary>
    /// <param name="name">The name, in any case.</param>
    /// <param name="level">Level of zstd (such as -5 to 22) or quality of brotli (0 to 11); null takes 1. The others have none.</param>
    /// <exception cref="ArgumentException">There is no such name, or the codec has no levels; says which names there are.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The codec has no such level; says which it has.</exception>
    /// <exception cref="CompressionUnavailableException">The codec needs a library that is not on this machine; says what to install.</exception>
    public static ICompressionCodec ByName(string name, int? level = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        var codec = name.ToLowerInvariant() switch
        {
            "none" => None,
            "lz4" => Lz4,
            "zstd" => level is { } zstdLevel ? Require(new ZstdCodec(ZstdLibrary.Current, zstdLevel)) : Zstd,
            "brotli" => level is { } quality ? new BrotliCodec(quality) : Brotli,
            "snappy" => Snappy,
            "gzip" => Gzip,
            _ => throw new ArgumentException($"Unknown compression '{name}'. Here: {List()}.", nameof(name)),
        };
        return level is null || codec is ZstdCodec or BrotliCodec
            ? codec
            : throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"{codec.Name} has no levels, but level {level} was asked for. zstd and brotli have."), nameof(level));
    }

    private static ZstdCodec Require(ZstdCodec codec)
    {
        _ = codec.Library;
        return codec;
    }

    private static string List()
    {
        var names = string.Join(", ", Available.Select(codec => codec.Name));
        return ZstdLibrary.Current is null ? $"{names}; zstd after {ZstdLibrary.Install}" : names;
    }

    // Looks for the library at its first use, not at LZ4's.
    private static class Native
    {
        public static readonly ZstdCodec Zstd = new(ZstdLibrary.Current);
    }
}

/// <summary>Id 0, <c>none</c>: bytes as they are.</summary>
internal sealed class NoCompression : ICompressionCodec
{
    public byte Id => 0;

    public string Name => "none";

    public int MaxCompressedLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return length;
    }

    public int Compress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        ICompressionCodec.RequireRoom(this, source.Length, destination.Length);
        source.CopyTo(destination);
        return source.Length;
    }

    public int Decompress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (source.Length > destination.Length)
            throw new CorruptDataException(Name, 0, $"the block has {source.Length:N0} bytes, where at most {destination.Length:N0} are expected");
        source.CopyTo(destination);
        return source.Length;
    }
}
