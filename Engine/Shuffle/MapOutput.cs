using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.Shuffle;

/// <summary>
/// The output of one map task: for each reduce partition a run of segments, in the order they were written. While it grows and after,
/// its segments may be moved to its spill file to free memory; that never changes what a reader gets.
/// </summary>
/// <remarks>Written by one task; read and spilled by any thread, under its lock. A task's own runs are kept in the same way.</remarks>
internal sealed class MapOutput(ShuffleStore store, ShuffleId shuffle, int map, int reducePartitions) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<Segment>?[] _segments = new List<Segment>?[reducePartitions];
    private SpillFile? _file;
    private MapFile? _saved;
    private bool _disposed;
    private long _memoryBytes;
    private int _nextToSpill;
    private bool _staysInMemory;

    public int Map => map;

    public int ReducePartitions => reducePartitions;

    public ulong Checksum { get; set; }

    /// <summary>The stage that wrote it, and which attempt at the stage: later ones are greater.</summary>
    public (int Stage, int Attempt) Origin { get; init; }

    /// <summary>The attempt at the task that wrote it.</summary>
    public TaskId Writer { get; init; }

    /// <summary>What the driver was told of it; null until it is registered.</summary>
    public MapStatus? Status { get; set; }

    public long SpilledBytes { get; private set; }

    /// <summary>Adds a segment; it goes straight to disk if there is no memory to hold it.</summary>
    public void Add(int reduce, Segment segment)
    {
        // Asked before taking the lock: making room may spill this very output.
        var held = store.TryHold(segment.Body);
        try
        {
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                if (held) _memoryBytes += segment.Bytes;
                else MoveToDisk(segment);
                (_segments[reduce] ??= []).Add(segment);
            }
        }
        catch
        {
            // Nobody else knows of it yet.
            if (held) store.Release(segment.Body);
            segment.Body.Free();
            throw;
        }
    }

    /// <summary>The segments of one reduce partition, in writing order.</summary>
    /// <exception cref="ObjectDisposedException">The output was dropped.</exception>
    public IReadOnlyList<Segment> Segments(int reduce)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _segments[reduce] is { } list ? [.. list] : [];
        }
    }

    /// <summary>Takes a lease on a segment's rows.</summary>
    /// <exception cref="CorruptDataException">Its bytes on disk do not match their checksum.</exception>
    /// <exception cref="ObjectDisposedException">The output was dropped.</exception>
    public SegmentView Open(Segment segment, TaskContext context)
    {
        FileBody file;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (segment.Body is not FileBody body) return segment.Body.Open();
            file = body;
        }
        // Reading takes no lock: what is on disk never moves again.
        return file.Read(context);
    }

    /// <summary>Lends a segment to someone who is no task: the bytes of a native body, or the body itself, which then never changes.</summary>
    /// <exception cref="ObjectDisposedException">The output was dropped.</exception>
    public SegmentBody Lend(Segment segment, out SegmentView view)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            view = segment.Body is NativeBody native ? native.Open() : default;
            return segment.Body;
        }
    }

    /// <summary>Writes the finished output as one file, which outlives this process. What is in memory stays there as long as there is room.</summary>
    /// <exception cref="TempFolderException">The disk is full, or fails.</exception>
    /// <exception cref="CodecException">A row can't be encoded.</exception>
    public void Save(ShuffleFolder folder)
    {
        var id = new MapFileId(shuffle, map, Writer);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            using var file = new MapFileWriter(folder, id, reducePartitions);
            using var copy = new SegmentCopy(file);
            var entries = new List<(Segment Segment, MapFileEntry Entry)>();
            for (var reduce = 0; reduce < reducePartitions; reduce++)
            {
                foreach (var segment in _segments[reduce] ?? []) entries.Add((segment, copy.Append(reduce, segment)));
            }
            file.Finish();
            _saved = new MapFile(folder, id);
            foreach (var (segment, entry) in entries)
            {
                segment.Saved = _saved.BodyOf(entry, segment.Bytes);
                if (segment.Body is FileBody) segment.Body = segment.Saved;
            }
            _file?.Dispose();
            _file = null;
        }
    }

    /// <summary>An output that another process wrote to a file.</summary>
    /// <exception cref="CorruptDataException">The file is damaged.</exception>
    /// <exception cref="TempFolderException">It is gone, or the disk fails.</exception>
    public static MapOutput From(ShuffleStore store, MapFile file)
    {
        var index = file.Index;
        var output = new MapOutput(store, file.Id.Shuffle, file.Id.Map, index.ReducePartitions) { Writer = file.Id.Writer, _saved = file };
        for (var reduce = 0; reduce < index.ReducePartitions; reduce++)
        {
            foreach (var entry in index.Entries(reduce, reduce + 1))
                (output._segments[reduce] ??= []).Add(new Segment(entry.Tag, entry.Rows, file.BodyOf(entry, entry.RawLength)));
        }
        return output;
    }

    /// <summary>What the driver is told of it.</summary>
    public MapStatus StatusOf(WorkerId server)
    {
        var bytes = new long[reducePartitions];
        var rows = new long[reducePartitions];
        lock (_lock)
        {
            for (var i = 0; i < reducePartitions; i++)
            {
                foreach (var segment in _segments[i] ?? [])
                {
                    bytes[i] += segment.Bytes;
                    rows[i] += segment.Rows;
                }
            }
        }
        return new MapStatus(new MapLocation(server, Writer), bytes, rows, Checksum);
    }

    /// <summary>Moves segments to disk until at least <paramref name="wanted"/> bytes are free, or nothing is left to move.</summary>
    /// <returns>Bytes freed.</returns>
    public long Spill(long wanted)
    {
        var freed = 0L;
        lock (_lock)
        {
            for (var pass = 0; pass < reducePartitions && freed < wanted && _memoryBytes > 0 && !_staysInMemory; pass++)
            {
                if (_nextToSpill >= reducePartitions) _nextToSpill = 0;
                foreach (var segment in _segments[_nextToSpill++] ?? [])
                {
                    if (segment.Body is FileBody) continue;
                    var old = segment.Body;
                    try
                    {
                        MoveToDisk(segment);
                    }
                    catch (Exception error) when (error is not TempFolderException)
                    {
                        // A codec refused a value, or was the user's own and threw. Whoever needs the memory has nothing to do with these
                        // rows; they stay, and their own task hears of it if it can't hold them.
                        _staysInMemory = true;
                        return freed;
                    }
                    store.Release(old);
                    _memoryBytes -= segment.Bytes;
                    freed += segment.Bytes;
                }
            }
        }
        return freed;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            foreach (var list in _segments)
            {
                foreach (var segment in list ?? [])
                {
                    if (segment.Body is not FileBody) store.Release(segment.Body);
                    segment.Body.Free();
                }
            }
            Array.Clear(_segments);
            _memoryBytes = 0;
            _file?.Dispose();
            _saved?.Close();
        }
    }

    private void MoveToDisk(Segment segment)
    {
        if (segment.Saved is { } saved)
        {
            segment.Body.Free();
            segment.Body = saved;
            return;
        }
        _file ??= store.NewFile(shuffle.Value < 0 ? $"runs-{map}" : $"shuffle-{shuffle}-{map}");
        var old = segment.Body;
        segment.Body = _file.Append(old);
        old.Free();
        SpilledBytes += segment.Bytes;
        store.CountSpilled(segment.Bytes);
    }
}
