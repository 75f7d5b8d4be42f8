using Dataflow.Files;

namespace Dataflow.Sql.Sources;

/// <summary>Opens files that were looked at when a query was planned.</summary>
internal static class PlannedFile
{
    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="length">The length that it had.</param>
    /// <param name="offset">Where to begin.</param>
    /// <exception cref="InputException">It is not there any more, or has another length.</exception>
    public static Stream Open(string path, long length, long offset = 0)
    {
        Stream stream;
        try
        {
            stream = FileSystems.For(path).OpenRead(path, offset);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"'{path}' is gone since the query was planned. Plan it again, and don't remove files that queries read.", path, error);
        }
        if (stream.Length == length) return stream;
        var now = stream.Length;
        stream.Dispose();
        throw new InputException($"'{path}' has {now:N0} bytes, but had {length:N0} when the query was planned. Plan it again, and don't change files that queries read.", path);
    }
}
