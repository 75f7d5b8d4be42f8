using System.IO.MemoryMappedFiles;

namespace Dataflow.MLlib.Numerics;

/// <summary>Memory that lies in a temporary file: for data larger than the memory budget, which the system reads again as it is asked for. The file goes with it.</summary>
/// <remarks>Its whole length is taken on the disk at once, so that a full disk is an error here and not a fault while it is used.</remarks>
internal sealed unsafe class MappedMemory : IDisposable
{
    private readonly FileStream _file;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private byte* _pointer;

    /// <summary>Takes memory.</summary>
    /// <param name="folder">Where the file is made.</param>
    /// <param name="bytes">How much; more than 0.</param>
    /// <exception cref="IOException">The disk has no room, or can't be written.</exception>
    public MappedMemory(string folder, long bytes)
    {
        _file = Create(folder, bytes);
        try
        {
            _file.SetLength(bytes);
            _map = MemoryMappedFile.CreateFromFile(_file, null, bytes, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
            _view = _map.CreateViewAccessor(0, bytes, MemoryMappedFileAccess.ReadWrite);
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _pointer);
        }
        catch (IOException e)
        {
            Free();
            throw NoRoom(folder, bytes, e);
        }
        catch
        {
            Free();
            throw;
        }

        void Free()
        {
            _view?.Dispose();
            _map?.Dispose();
            _file.Dispose();
        }
    }

    private static FileStream Create(string folder, long bytes)
    {
        try
        {
            return new FileStream(Path.Combine(folder, $"rows-{Guid.NewGuid():n}"), new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Share = FileShare.Read | FileShare.Delete,
                Options = FileOptions.DeleteOnClose,
                PreallocationSize = bytes,
                BufferSize = 0,
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NoRoom(folder, bytes, e);
        }
    }

    private static IOException NoRoom(string folder, long bytes, Exception cause)
    {
        var free = "";
        try
        {
            free = $", where {new DriveInfo(folder).AvailableFreeSpace:N0} are free";
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            // How much is free only helps to understand the error that is thrown anyway.
        }
        return new IOException($"Rows that do not fit the memory budget go to files in '{folder}', and one of {bytes:N0} bytes can't be made there{free}: {cause.Message} "
            + $"Free room there, set {nameof(DataflowOptions.TempFolder)} to a larger disk, or raise {nameof(DataflowOptions.MemoryBytes)}.", cause);
    }

    /// <summary>The first byte, on a page of its own.</summary>
    public byte* Pointer => _pointer;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_pointer == null) return;
        _pointer = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
        _file.Dispose();
    }
}
