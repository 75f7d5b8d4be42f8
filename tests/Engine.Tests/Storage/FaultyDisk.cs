using Dataflow.Storage;

namespace Dataflow.Engine.Tests.Storage;

/// <summary>The local disk with faults: it is full after so many bytes, or gives back other bytes than were written.</summary>
internal sealed class FaultyDisk : IDisk
{
    /// <summary>Bytes that can still be written.</summary>
    public long Room { get; set; } = long.MaxValue;

    /// <summary>Called with what a read gave; may change it.</summary>
    public Action<byte[]>? OnRead { get; set; }

    public int Creates { get; private set; }

    public int Opens { get; private set; }

    public void CreateFolder(string path) => LocalDisk.Instance.CreateFolder(path);

    public IDiskFile Create(string path)
    {
        Creates++;
        return new FaultyFile(this, LocalDisk.Instance.Create(path));
    }

    public IDiskFile Open(string path)
    {
        Opens++;
        return new FaultyFile(this, LocalDisk.Instance.Open(path));
    }

    public IDiskMapping Map(string path, long bytes)
    {
        if (bytes > Room) throw new IOException("No space left on device.");
        Room -= bytes;
        return LocalDisk.Instance.Map(path, bytes);
    }

    public void Move(string from, string to) => LocalDisk.Instance.Move(from, to);

    public bool Exists(string path) => LocalDisk.Instance.Exists(path);

    public long LengthOf(string path) => LocalDisk.Instance.LengthOf(path);

    public void Delete(string path) => LocalDisk.Instance.Delete(path);

    public void DeleteFolder(string path) => LocalDisk.Instance.DeleteFolder(path);

    public long? FreeBytes(string folder) => Room == long.MaxValue ? null : Room;

    private sealed class FaultyFile(FaultyDisk disk, IDiskFile file) : IDiskFile
    {
        public void Write(ReadOnlySpan<byte> bytes, long offset)
        {
            if (bytes.Length > disk.Room) throw new IOException("No space left on device.");
            disk.Room -= bytes.Length;
            file.Write(bytes, offset);
        }

        public int Read(Span<byte> bytes, long offset)
        {
            var read = file.Read(bytes, offset);
            if (disk.OnRead is not { } change) return read;
            var copy = bytes[..read].ToArray();
            change(copy);
            copy.CopyTo(bytes);
            return read;
        }

        public void Dispose() => file.Dispose();
    }
}
