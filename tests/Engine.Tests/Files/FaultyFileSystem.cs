using Dataflow.Files;

namespace Dataflow.Engine.Tests.Files;

/// <summary>This machine's files under a scheme of its own, with failures where a test wants them.</summary>
internal sealed class FaultyFileSystem : IFileSystem
{
    private static int _made;

    private readonly string _root;

    public FaultyFileSystem()
    {
        var scheme = $"faulty{Interlocked.Increment(ref _made)}";
        _root = $"{scheme}://host";
        FileSystems.Register(scheme, this);
    }

    /// <summary>Throws to make an operation fail: gets its name and the path.</summary>
    public Action<string, string>? Before { get; set; }

    /// <summary>Bytes that can be written until the disk is full.</summary>
    public long Room { get; set; } = long.MaxValue;

    /// <summary>Who holds which blocks.</summary>
    public Func<FileEntry, IReadOnlyList<BlockLocation>> Blocks { get; set; } = _ => [];

    public bool HasLocks { get; init; }

    /// <summary>Operations in order, as <c>Rename a -> b</c>.</summary>
    public List<string> Log { get; } = [];

    public string Of(string local) => _root + local;

    public string Resolve(string path, string folder) => FilePath.TrimEnd(path);

    public FileEntry? Find(string path) => FileSystems.Local.Find(Local("Find", path)) is { } entry ? Mine(entry) : null;

    public IReadOnlyList<FileEntry> List(string folder) => [.. FileSystems.Local.List(Local("List", folder)).Select(Mine)];

    public IReadOnlyList<BlockLocation> BlocksOf(FileEntry file) => Blocks(file);

    public Stream OpenRead(string path, long offset = 0) => FileSystems.Local.OpenRead(Local("OpenRead", path), offset);

    public PendingFile Create(string path) => new Pending(this, path, FileSystems.Local.Create(Local("Create", path)));

    public void CreateFolder(string folder, bool durable = false) => FileSystems.Local.CreateFolder(Local("CreateFolder", folder), durable);

    public void FlushFolder(string folder)
    {
        FileSystems.Local.FlushFolder(Local("FlushFolder", folder));
        Log.Add($"FlushFolder {FilePath.NameOf(folder)}");
    }

    public void Rename(string from, string to)
    {
        Log.Add($"Rename {FilePath.NameOf(from)} -> {FilePath.NameOf(to)}");
        FileSystems.Local.Rename(Local("Rename", from), to[_root.Length..]);
    }

    public void Delete(string path) => FileSystems.Local.Delete(Local("Delete", path));

    public long? FreeBytes(string path) => Math.Min(Room, 1L << 40);

    public IDisposable? TryLock(string path) => FileSystems.Local.TryLock(path[_root.Length..]);

    private string Local(string operation, string path)
    {
        Assert.StartsWith(_root, path);
        Before?.Invoke(operation, path);
        return path[_root.Length..];
    }

    private FileEntry Mine(FileEntry entry) => entry with { Path = Of(entry.Path) };

    private sealed class Pending(FaultyFileSystem system, string path, PendingFile file) : PendingFile
    {
        public override string Path => path;

        public override Stream Stream { get; } = new LimitedStream(system, file.Stream);

        public override void Commit(bool replace, bool durable)
        {
            system.Before?.Invoke("Commit", path);
            file.Commit(replace, durable);
        }

        protected override void Dispose(bool disposing) => file.Dispose();
    }

    private sealed class LimitedStream(FaultyFileSystem system, Stream stream) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => stream.Length;

        public override long Position { get => stream.Position; set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (buffer.Length > system.Room) throw new IOException("No space left on device", 28);
            system.Room -= buffer.Length;
            stream.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush() => stream.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
