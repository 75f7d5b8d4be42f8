using Dataflow.Storage;

namespace Dataflow.Files;

/// <summary>Errors of writing: what was written where, how far it got, what room there is, and what to do.</summary>
internal static class OutputErrors
{
    /// <summary>Whether an error is one of access, and not of our own making.</summary>
    public static bool IsAccess(Exception error) => error is IOException and not (InputException or OutputException) or UnauthorizedAccessException;

    /// <summary>The error of a file or folder that can't be written.</summary>
    /// <param name="system">Where it is.</param>
    /// <param name="path">The file or folder.</param>
    /// <param name="done">What had been done when it failed, such as <c>after 12 bytes</c>; or an empty text.</param>
    /// <param name="error">What went wrong.</param>
    public static OutputException Failed(IFileSystem system, string path, string done, Exception error)
    {
        if (done.Length > 0) done = " " + done;
        if (error is UnauthorizedAccessException)
        {
            return new OutputException(
                $"'{path}' may not be written by user '{Environment.UserName}'{done}: {error.Message} Give that user the right to write there, or save elsewhere.",
                path, error);
        }
        var free = FreeBytes(system, path);
        var next = IsFull(error) || (free == 0 && error is not (FileNotFoundException or DirectoryNotFoundException))
            ? "The disk is full: free some space on it, or save to another."
            : "Check that the folder exists on a disk that can be written to, or save elsewhere.";
        return new OutputException(
            $"Writing '{path}' failed{done}: {error.Message} Free space there: {(free is { } bytes ? $"{Size.Of(bytes)} ({bytes:N0} bytes)" : "unknown")}. {next}",
            path, error);
    }

    // ENOSPC and EDQUOT; ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL.
    private static bool IsFull(Exception error) =>
        (error.HResult & 0xFFFF) is var code && (OperatingSystem.IsWindows() ? code is 112 or 39 : code is 28 or 122);

    private static long? FreeBytes(IFileSystem system, string path)
    {
        try
        {
            return system.FreeBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The error being explained matters more than this number.
            return null;
        }
    }
}
