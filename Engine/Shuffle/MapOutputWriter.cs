using Dataflow.Scheduling;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Shuffle;

/// <summary>Takes the segments of one map output. They are registered, all or none, when the task ends well.</summary>
/// <remarks>Used by one task's thread. Finished segments may move to disk at any moment.</remarks>
public sealed class MapOutputWriter : IDisposable
{
    private readonly ShuffleStore _store;
    private readonly ShuffleId _shuffle;
    private readonly TaskContext _context;
    private readonly bool _isRun;
    private MapOutput? _output;

    internal MapOutputWriter(ShuffleStore store, ShuffleId shuffle, int map, int reducePartitions, TaskContext context, bool isRun = false)
    {
        _store = store;
        _isRun = isRun;
        _shuffle = shuffle;
        _context = context;
        _output = store.Begin(shuffle, map, reducePartitions, context.Description);
        ReducePartitions = reducePartitions;
    }

    /// <summary>How many reduce partitions the output is cut into.</summary>
    public int ReducePartitions { get; }

    /// <summary>A checksum of all rows that does not depend on their order or on how they were cut into segments; 0 for none.</summary>
    /// <remarks>That of pairs covers keys by their hash, and values bit by bit if they hold no references or are encoded anyway. Other values are not
    /// looked at. A sort covers rows without references, and the first bytes of the keys of others.</remarks>
    public ulong Checksum { get; set; }

    /// <summary>Where native memory for segments comes from.</summary>
    public NativePool Pool => _store.Pool;

    /// <summary>Adds rows as bytes. The writer owns the buffer from now on.</summary>
    /// <param name="reduce">The reduce partition.</param>
    /// <param name="tag">A number for the reader.</param>
    /// <param name="buffer">The bytes.</param>
    /// <param name="length">How many bytes of the buffer are rows.</param>
    /// <param name="rows">How many rows.</param>
    public void Add(int reduce, int tag, NativeBuffer buffer, int length, int rows) =>
        Add(reduce, new Segment(tag, rows, new NativeBody(buffer, length)));

    /// <summary>Adds rows as objects of this process. The array is not written to from now on.</summary>
    /// <typeparam name="TRow">The row type; it must have a codec, since memory pressure may turn the rows into bytes.</typeparam>
    /// <param name="reduce">The reduce partition.</param>
    /// <param name="tag">A number for the reader.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="count">How many elements of the array are rows.</param>
    /// <param name="bytes">Estimated size in memory.</param>
    public void Add<TRow>(int reduce, int tag, TRow[] rows, int count, long bytes) =>
        Add(reduce, new Segment(tag, count, new ObjectBody<TRow>(rows, count, bytes)));

    private void Add(int reduce, Segment segment)
    {
        _output!.Add(reduce, segment);
        if (_isRun) return;
        _context.Metrics.ShuffleWriteBytes += segment.Bytes;
        _context.Metrics.ShuffleWriteRecords += segment.Rows;
    }

    /// <summary>Runs of the task itself: written and read by it alone, held in memory as long as there is room, and moved to disk like map outputs.</summary>
    /// <remarks>Dropped with <see cref="Dispose"/>, and at the end of the task at the latest, however it ends.</remarks>
    /// <param name="context">The running task.</param>
    /// <param name="runs">How many runs; they take the place of reduce partitions.</param>
    public static MapOutputWriter ForRuns(TaskContext context, int runs)
    {
        var writer = new MapOutputWriter(context.Services.Shuffles, new ShuffleId(-1), (int)context.Description.Id.Value, runs, context, isRun: true);
        context.OnCompletion(_ => writer.Dispose());
        return writer;
    }

    /// <summary>The segments of one run, in writing order. Asked before <see cref="Dispose"/>.</summary>
    /// <param name="run">From 0.</param>
    public IReadOnlyList<InputSegment> Run(int run)
    {
        var segments = _output!.Segments(run);
        var result = new InputSegment[segments.Count];
        for (var i = 0; i < result.Length; i++) result[i] = new InputSegment(_context, null, _output, segments[i]);
        return result;
    }

    internal MapStatus Commit()
    {
        // Nobody waits for the output of a cancelled task any more, and so nobody would drop it.
        _context.ThrowIfCancelled();
        var output = _output!;
        _output = null;
        output.Checksum = Checksum;
        _context.Metrics.SpilledBytes += output.SpilledBytes;
        return _store.Register(_shuffle, output);
    }

    /// <summary>Drops what was written, unless it was registered.</summary>
    public void Dispose()
    {
        if (_output is not { } output) return;
        _output = null;
        if (_isRun) _context.Metrics.SpilledBytes += output.SpilledBytes;
        _store.Abandon(output);
    }
}
