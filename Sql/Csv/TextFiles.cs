using Dataflow.Compression;
using Dataflow.Files;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Csv;

/// <summary>Files of text as tables find, cut and open them.</summary>
internal static class TextFiles
{
    /// <summary>The error of a path at which there are no files.</summary>
    public static InputException NoFiles(string path) => new($"There are no files in '{path}'. Files whose names begin with '_' or '.' are passed over.", path);

    /// <summary>Refuses a file that begins with the byte order mark of UTF-16 or UTF-32.</summary>
    /// <param name="beginning">The first bytes of the file.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="QueryException">It does.</exception>
    public static void CheckUtf8(ReadOnlySpan<byte> beginning, string path)
    {
        string? encoding = null;
        if (beginning.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE, 0, 0]) || beginning.StartsWith((ReadOnlySpan<byte>)[0, 0, 0xFE, 0xFF])) encoding = "UTF-32";
        else if (beginning.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || beginning.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF])) encoding = "UTF-16";
        if (encoding is not null) throw new QueryException("UNSUPPORTED_ENCODING", $"'{path}' begins with the mark of {encoding}; CSV files are read as UTF-8. Convert it (iconv -f {encoding} -t UTF-8).");
    }

    /// <summary>The error of a value behind those that a column's type was found from.</summary>
    /// <param name="path">The file.</param>
    /// <param name="length">Its length when the query was planned.</param>
    /// <param name="offset">Where the record begins.</param>
    /// <param name="problem">What is wrong with the value.</param>
    public static QueryException NotAsInferred(string path, long length, long offset, string problem) => new(
        "VALUE_NOT_OF_INFERRED_TYPE",
        $"'{path}', line {LineOf(path, length, offset):N0} (byte {offset:N0}): {problem}. Give a schema, raise InferRows if it is the first file, or set Mode: Permissive makes null of it.");

    /// <summary>The number of the line at a place, from 1. The file is read again up to there: the query ends here anyway.</summary>
    public static long LineOf(string path, long length, long offset)
    {
        using var stream = Open(path, 0, length, CompressedStreams.IsCompressed(path));
        var buffer = new byte[64 << 10];
        var (lines, last) = (1L, (byte)0);
        while (offset > 0)
        {
            var read = stream.Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, offset)));
            if (read == 0) break;
            offset -= read;
            foreach (var each in buffer.AsSpan(0, read))
            {
                if (each == '\r' || (each == '\n' && last != '\r')) lines++;
                last = each;
            }
        }
        return lines;
    }

    /// <summary>Opens a file that was planned.</summary>
    /// <exception cref="InputException">It is not what it was when the query was planned.</exception>
    public static Stream Open(string path, long offset, long length, bool isCompressed)
    {
        var stream = PlannedFile.Open(path, length, offset);
        return isCompressed ? CompressedStreams.OpenRead(stream, path) : stream;
    }

    /// <summary>Where parts of a file begin; one part if it is compressed or small.</summary>
    public static long[] Cut(FileEntry file, long splitBytes)
    {
        var count = CompressedStreams.IsCompressed(file.Path) ? 1 : (int)Math.Clamp((file.Length + (splitBytes / 2)) / splitBytes, 1, 1_000_000);
        return [.. Enumerable.Range(0, count).Select(i => (long)((Int128)file.Length * i / count))];
    }

    /// <summary>Machines that have a part of a file.</summary>
    public static ValueList<string> HostsOf(FileEntry file, long offset)
    {
        foreach (var block in FileSystems.For(file.Path).BlocksOf(file))
        {
            if (offset >= block.Offset && offset < block.Offset + block.Length) return [.. block.Hosts];
        }
        return [];
    }

    /// <summary>Reads until a buffer is full or the file ends.</summary>
    public static int Fill(Stream stream, Span<byte> buffer)
    {
        var filled = 0;
        while (filled < buffer.Length)
        {
            var read = stream.Read(buffer[filled..]);
            if (read == 0) break;
            filled += read;
        }
        return filled;
    }
}
