using Dataflow.Storage;

namespace Dataflow.Simulation;

/// <summary>The disk of a machine, in memory: it may be full for a while, and what is read may not be what was written.</summary>
internal sealed class SimulatedDisk(World world) : IDisk
{
    private readonly Dictionary<string, DiskFile> _files = [];

    /// <summary>Nothing can be written before this time.</summary>
    public TimeSpan FullUntil { get; set; }

    /// <summary>How many of the next reads give wrong bytes.</summary>
    public int CorruptReads { get; set; }

    public void CreateFolder(string path) { }

    public IDiskFile Create(string path)
    {
        ThrowIfFull();
        return _files.TryAdd(path, new DiskFile(this)) ? _files[path] : throw new IOException($"{path} is there already.");
    }

    public IDiskFile Open(string path) => _files.GetValueOrDefault(path) ?? throw new FileNotFoundException($"{path} is not there.", path);

    public IDiskMapping Map(string path, long bytes) => throw new NotSupportedException("Nothing of what is simulated lies in mapped files.");

    public void Move(string from, string to)
    {
        if (!_files.Remove(from, out var file)) throw new FileNotFoundException($"{from} is not there.", from);
        _files[to] = file;
    }

    public bool Exists(string path) => _files.ContainsKey(path);

    public long LengthOf(string path) => _files.TryGetValue(path, out var file) ? file.Length : throw new FileNotFoundException($"{path} is not there.", path);

    /// <summary>Names of the files below a folder, in order.</summary>
    public List<string> FilesOf(string folder) => [.. _files.Keys.Where(name => name.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    /// <summary>Changes a byte of a file.</summary>
    public void Damage(string path) => _files[path].Damage();

    public void Delete(string path) => _files.Remove(path);

    public void DeleteFolder(string path)
    {
        foreach (var file in FilesOf(path)) _files.Remove(file);
    }

    public long? FreeBytes(string folder) => world.Time.Now < FullUntil ? 0 : null;

    private void ThrowIfFull()
    {
        if (world.Time.Now < FullUntil) throw new IOException("No space left on device.");
    }

    private sealed class DiskFile(SimulatedDisk disk) : IDiskFile
    {
        private byte[] _bytes = [];

        public long Length => _bytes.Length;

        public void Damage()
        {
            if (_bytes.Length > 0) _bytes[_bytes.Length / 2] ^= 0x10;
        }

        public void Write(ReadOnlySpan<byte> bytes, long offset)
        {
            disk.ThrowIfFull();
            if (_bytes.Length < offset + bytes.Length) Array.Resize(ref _bytes, (int)offset + bytes.Length);
            bytes.CopyTo(_bytes.AsSpan((int)offset));
        }

        public int Read(Span<byte> bytes, long offset)
        {
            var count = (int)Math.Clamp(_bytes.Length - offset, 0, bytes.Length);
            _bytes.AsSpan((int)offset, count).CopyTo(bytes);
            if (count > 0 && disk.CorruptReads > 0)
            {
                disk.CorruptReads--;
                bytes[count / 2] ^= 0x40;
            }
            return count;
        }

        public void Dispose() { }
    }
}
