using Dataflow.Compression;
using Dataflow.Files;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Csv;

/// <summary>Files of text as tables find, cut and open them.</summary>
internal static class TextFiles
{
    /// <summary>The error of a path at which there are no files.</summary>
    public static InputException NoFiles(string path) => new($"There are no files in '{path}'. Files whose names begin with '_' or '.' are passed over.", path);

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
