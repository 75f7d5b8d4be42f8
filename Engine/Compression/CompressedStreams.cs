namespace Dataflow.Compression;

/// <summary>Opens compressed files by their extension: <c>.gz</c>, <c>.lz4</c>, <c>.zst</c>, <c>.br</c>, <c>.snappy</c> and <c>.sz</c>.</summary>
/// <remarks>The formats are those of the command-line tools of these names: gzip members, LZ4 frames, Zstandard frames, a Brotli
/// stream, Snappy's framing format. None of them can be read from the middle, so such a file is one partition.</remarks>
public static class CompressedStreams
{
    /// <summary>The extensions that name a compression, in lower case.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [".gz", ".lz4", ".zst", ".br", ".snappy", ".sz"];

    /// <summary>Whether the extension of this path names a compression, in any case.</summary>
    /// <param name="path">A path or file name.</param>
    public static bool IsCompressed(string path) => Extensions.Contains(Extension(path));

    /// <summary>Opens the raw bytes of a file for reading from its start to its end.</summary>
    /// <remarks>Checks every length and checksum that the format has; several frames or members in a row read as one, and a file of no
    /// bytes as empty. Holds buffers of 64 KB to 8 MB, zstd a window of up to 128 MB too, whatever the file says. Reads the stream
    /// without seeking, in pieces of at least 4 bytes: give it a buffered one.</remarks>
    /// <returns>A stream of the raw bytes that disposes of <paramref name="stream"/> with itself, unless told not to; the stream
    /// itself when the extension names no compression. Reading it throws <see cref="CorruptDataException"/> for a file that is damaged
    /// or cut short.</returns>
    /// <param name="stream">The file's bytes.</param>
    /// <param name="path">The file's path, for its extension and for errors.</param>
    /// <param name="leaveOpen">Whether to leave <paramref name="stream"/> open at the end.</param>
    /// <exception cref="CompressionUnavailableException">The format needs a library that is not on this machine.</exception>
    public static Stream OpenRead(Stream stream, string path, bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Extension(path) switch
        {
            ".gz" => new GzipReadStream(stream, leaveOpen, path),
            ".lz4" => new Lz4ReadStream(stream, leaveOpen, path),
            ".zst" => new ZstdReadStream(RequireZstd().Library, stream, leaveOpen, path),
            ".br" => new BrotliReadStream(stream, leaveOpen, path),
            ".snappy" or ".sz" => new SnappyReadStream(stream, leaveOpen, path),
            _ => stream,
        };
    }

    /// <summary>Opens a file for writing raw bytes that arrive in it compressed, at the fast levels of <see cref="CompressionCodecs"/>.</summary>
    /// <remarks>Dispose of it to end the file; until then up to 256 KB are held back. After a failed write the end is not
    /// written, so that what is there does not look whole.</remarks>
    /// <returns>A stream that disposes of <paramref name="stream"/> with itself, unless told not to; the stream itself when the
    /// extension names no compression.</returns>
    /// <param name="stream">Where the file's bytes go.</param>
    /// <param name="path">The file's path, for its extension.</param>
    /// <param name="leaveOpen">Whether to leave <paramref name="stream"/> open at the end.</param>
    /// <exception cref="CompressionUnavailableException">The format needs a library that is not on this machine.</exception>
    public static Stream OpenWrite(Stream stream, string path, bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Extension(path) switch
        {
            ".gz" => new GzipWriteStream(stream, leaveOpen),
            ".lz4" => new Lz4WriteStream(stream, leaveOpen),
            ".zst" => new ZstdWriteStream(RequireZstd().Library, RequireZstd().Level, stream, leaveOpen),
            ".br" => new BrotliWriteStream(stream, leaveOpen: leaveOpen),
            ".snappy" or ".sz" => new SnappyWriteStream(stream, leaveOpen),
            _ => stream,
        };
    }

    private static string Extension(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Path.GetExtension(path).ToLowerInvariant();
    }

    private static ZstdCodec RequireZstd() => (ZstdCodec)CompressionCodecs.Zstd;
}
