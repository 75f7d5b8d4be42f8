using Dataflow.Compression;

namespace Dataflow.Files;

/// <summary>Opens parts of files as they were planned: a file that is gone, closed to us, or of another length is an error, never empty input.</summary>
internal static class SliceStream
{
    /// <summary>The file's own bytes from <paramref name="offset"/> on.</summary>
    public static Stream OpenRaw(FileSlice slice, long offset)
    {
        Stream? stream = null;
        try
        {
            stream = FileSystems.For(slice.Path).OpenRead(slice.Path, offset);
            if (stream.Length != slice.FileLength) throw Changed(slice, stream.Length);

            // Pipes, devices and what the system makes up while it is read say that they are empty: nothing would be read of them, without a word.
            if (slice.FileLength == 0 && stream.ReadByte() >= 0)
            {
                throw new InputException(
                    $"'{slice.Path}' says that it is empty and yet has bytes: it is no ordinary file. Copy it to one first, which can be read in parts and again.", slice.Path);
            }
            return stream;
        }
        catch (Exception error)
        {
            stream?.Dispose();
            throw error switch
            {
                FileNotFoundException or DirectoryNotFoundException => new InputException(
                    $"'{slice.Path}' had {slice.FileLength:N0} bytes when the job was planned, and is not there on host '{Environment.MachineName}'. "
                    + "If it was deleted, make the dataset anew; if another host has it, put it on shared storage that all hosts see at the same path.",
                    slice.Path, error),
                UnauthorizedAccessException => MissingPath.Refused(slice.Path, error),
                _ => error,
            };
        }
    }

    /// <summary>All bytes of a file, decompressed if its slice says so.</summary>
    public static Stream OpenWhole(FileSlice slice)
    {
        var stream = OpenRaw(slice, 0);
        if (!slice.Compressed) return stream;
        try
        {
            return CompressedStreams.OpenRead(new BufferedStream(stream, 64 * 1024), slice.Path);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>The error of a file that is not as long as it was planned.</summary>
    public static InputException Changed(FileSlice slice, long now) => new(
        $"'{slice.Path}' had {slice.FileLength:N0} bytes when the job was planned, and has {now:N0} now: it was written to in between. "
        + "Make the dataset anew when the file is complete; write files elsewhere and rename them into place.", slice.Path);
}
