using Dataflow.Shuffle;
using Dataflow.Sql.Columns;
using Dataflow.Tasks;

namespace Dataflow.Sql.Exchange;

/// <summary>A shuffle of column frames.</summary>
/// <param name="parent">What is placed anew.</param>
/// <param name="types">The types of its columns.</param>
/// <param name="distribution">Where rows go.</param>
internal sealed class ExchangeDependency(Rdd<ColumnBatch> parent, ValueList<DataType> types, Distribution distribution)
    : ShuffleDependency(parent, distribution.Partitions)
{
    public ValueList<DataType> Types { get; } = types;

    public override void Write(Partition partition, MapOutputWriter output, TaskContext context)
    {
        using var arena = new TaskArena(context, "exchange");
        var writer = new PartitionWriter(distribution, Types, output, arena);
        using var reader = parent.Read(partition, context);
        while (reader.TryRead(out var chunk))
        {
            context.ThrowIfCancelled();
            foreach (var batch in chunk) writer.Add(batch);
        }
        writer.Finish();
    }
}

/// <summary>Gives the rows of segments as batches.</summary>
internal sealed class SegmentBatches : Sources.BatchReader
{
    private IReadOnlyList<InputSegment> _segments;
    private readonly TaskArena _arena;
    private readonly FrameReader _frames;
    private readonly CancellationToken _cancellation;
    private SegmentView _view;
    private int _next;

    public SegmentBatches(IReadOnlyList<InputSegment> segments, IEnumerable<DataType> types, TaskArena arena, CancellationToken cancellation)
    {
        _cancellation = cancellation;
        _segments = segments;
        _arena = arena;
        _frames = new FrameReader(arena, types);
    }

    /// <summary>What it reads.</summary>
    public IReadOnlyList<InputSegment> Segments => _segments;

    /// <summary>Reads other segments from now on.</summary>
    public void Begin(IReadOnlyList<InputSegment> segments)
    {
        _view.Dispose();
        _view = default;
        _segments = segments;
        _next = 0;
    }

    public override bool TryNext(out ColumnBatch batch)
    {
        _cancellation.ThrowIfCancellationRequested();
        _view.Dispose();
        _view = default;
        if (_next == _segments.Count)
        {
            batch = null!;
            return false;
        }
        _view = _segments[_next++].Open();
        batch = _frames.Read(_view.Bytes);
        return true;
    }

    public override void Dispose()
    {
        _view.Dispose();
        _view = default;
        _next = _segments.Count;
        _arena.Dispose();
        base.Dispose();
    }
}
