using Microsoft.Win32.SafeHandles;

namespace Dataflow.Storage;

/// <summary>The local disk, as far as temporary data needs it. Tests put one that fails in its place.</summary>
internal interface IDisk
{
    /// <summary>Makes a folder and those above it, readable by this user only. Does nothing if it is there.</summary>
    void CreateFolder(string path);

    /// <summary>Makes a file that must not be there yet, for writing.</summary>
    IDiskFile Create(string path);

    /// <summary>Opens a file for reading.</summary>
    IDiskFile Open(string path);

    /// <summary>Makes a file that must not be there yet, as memory; its bytes are zero.</summary>
    IDiskMapping Map(string path, long bytes);

    /// <summary>Gives a file another name in the same folder; one that has the name is replaced.</summary>
    void Move(string from, string to);

    /// <summary>Whether a file is there.</summary>
    bool Exists(string path);

    /// <summary>Bytes of a file.</summary>
    long LengthOf(string path);

    /// <summary>Removes a file if it is there; who has it open may read on.</summary>
    void Delete(string path);

    /// <summary>Removes a folder with all that is in it, if it is there.</summary>
    void DeleteFolder(string path);

    /// <summary>Bytes that may still be written to the disk of a folder, or null if that can't be told.</summary>
    long? FreeBytes(string folder);
}

/// <summary>An open file. Reads may come from many threads, writes from one.</summary>
internal interface IDiskFile : IDisposable
{
    /// <summary>Writes all bytes at an offset.</summary>
    void Write(ReadOnlySpan<byte> bytes, long offset);

    /// <summary>Reads until <paramref name="bytes"/> is full or the file ends.</summary>
    /// <returns>How many bytes were read.</returns>
    int Read(Span<byte> bytes, long offset);
}

/// <summary>A file as memory. It is removed when this is disposed.</summary>
internal interface IDiskMapping : IDisposable
{
    /// <summary>Its first byte.</summary>
    nint Address { get; }
}

/// <summary>The disk of this machine.</summary>
internal sealed class LocalDisk : IDisk
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public static LocalDisk Instance { get; } = new();

    public void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            CreateOwned(Path.GetFullPath(path));
    }

    // The call for a path would make its parents with the usual mode, for all to read.
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    private static void CreateOwned(string path)
    {
        if (Directory.Exists(path)) return;
        if (Path.GetDirectoryName(path) is { } parent) CreateOwned(parent);
        Directory.CreateDirectory(path, OwnerOnly);
    }

    public IDiskFile Create(string path) =>
        new LocalFile(File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read | FileShare.Delete));

    public IDiskFile Open(string path) =>
        new LocalFile(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));

    public IDiskMapping Map(string path, long bytes) => new Mapping.MappedFile(path, bytes);

    public void Move(string from, string to) => File.Move(from, to, overwrite: true);

    public bool Exists(string path) => File.Exists(path);

    public long LengthOf(string path) => new FileInfo(path).Length;

    public void Delete(string path) => File.Delete(path);

    public void DeleteFolder(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }

    public long? FreeBytes(string folder)
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // Only told to people, beside the error that matters.
            return null;
        }
    }

    private sealed class LocalFile(SafeFileHandle handle) : IDiskFile
    {
        public void Write(ReadOnlySpan<byte> bytes, long offset) => RandomAccess.Write(handle, bytes, offset);

        public int Read(Span<byte> bytes, long offset)
        {
            var read = 0;
            while (read < bytes.Length)
            {
                var count = RandomAccess.Read(handle, bytes[read..], offset + read);
                if (count == 0) break;
                read += count;
            }
            return read;
        }

        public void Dispose() => handle.Dispose();
    }
}
