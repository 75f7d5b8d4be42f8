using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Dataflow.Storage;

namespace Dataflow.Mapping;

/// <summary>A new temporary file as memory: its bytes are on the disk's account, and the system writes them out and drops them where memory is short. It goes when it is disposed, or with the process.</summary>
internal sealed unsafe partial class MappedFile : IDiskMapping
{
    // The same number on all systems that have the call.
    private const int AdviseRandom = 1;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    /// <param name="path">A file that is not there yet.</param>
    /// <param name="bytes">How long it is.</param>
    /// <exception cref="IOException">The disk has no room, or fails.</exception>
    public MappedFile(string path, long bytes)
    {
        // Its room is taken at once: a page that finds the disk full when it is written out would end the process.
        var onlyWhileOpen = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None;
        var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, onlyWhileOpen, preallocationSize: bytes);
        try
        {
            _file = MemoryMappedFile.CreateFromFile(handle, null, bytes, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false);
            _view = _file.CreateViewAccessor(0, bytes);
        }
        catch
        {
            _file?.Dispose();
            handle.Dispose();
            throw;
        }
        finally
        {
            // The mapping keeps what has no name any more. Elsewhere the handle does, and takes the file along.
            if (!OperatingSystem.IsWindows()) File.Delete(path);
        }
        if (!OperatingSystem.IsWindows()) _file.Dispose();
        byte* pointer = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        Address = (nint)pointer;

        // Else a page that is missed is read with its neighbours, up to megabytes of them, which drives out what is needed next. It is only advice: that it fails does no harm.
        if (!OperatingSystem.IsWindows()) _ = MAdvise(Address, (nuint)bytes, AdviseRandom);
    }

    public nint Address { get; }

    public void Dispose()
    {
        // Not through the view, which would have all of it written to the disk first.
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.SafeMemoryMappedViewHandle.Dispose();
        _view.Dispose();
        _file.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MAdvise(nint address, nuint length, int advice);
}
