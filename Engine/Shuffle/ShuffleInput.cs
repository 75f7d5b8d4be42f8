using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.Shuffle;

/// <summary>
/// The segments of one reading partition. Whatever order they are fetched in, they are given in map order, so that a task's output is the
/// same bits in every run.
/// </summary>
public sealed class ShuffleInput
{
    private readonly ShuffleId _shuffle;
    private readonly TaskContext _context;
    private readonly MapOutput[] _outputs;
    private readonly MapLocation[] _locations;

    private ShuffleInput(ShuffleId shuffle, MapOutput[] outputs, MapLocation[] locations, ShuffleReadPartition partition, TaskContext context)
    {
        _shuffle = shuffle;
        _outputs = outputs;
        _locations = locations;
        _context = context;
        ReduceStart = partition.ReduceStart;
        ReduceEnd = partition.ReduceEnd;
    }

    /// <summary>First reduce partition, inclusive.</summary>
    public int ReduceStart { get; }

    /// <summary>Last reduce partition, exclusive.</summary>
    public int ReduceEnd { get; }

    /// <summary>Finds the map outputs that a partition reads.</summary>
    /// <param name="shuffle">The shuffle.</param>
    /// <param name="partition">Which reduce partitions of which map outputs.</param>
    /// <param name="context">The running task.</param>
    /// <exception cref="FetchFailedException">An output is missing; the scheduler has its map task run again.</exception>
    public static ShuffleInput Open(ShuffleId shuffle, ShuffleReadPartition partition, TaskContext context)
    {
        var known = context.Services.MapOutputs;

        // A shuffle that is not known is no empty one: reading nothing would be a wrong answer.
        var count = known.MapCount(shuffle) ?? throw Missing(partition.MapStart, null, "the shuffle is not known, or was removed");
        var outputs = new MapOutput[Math.Max(0, Math.Min(partition.MapEnd, count) - partition.MapStart)];
        var locations = new MapLocation[outputs.Length];
        List<(int Map, MapLocation Location)>? elsewhere = null;
        for (var i = 0; i < outputs.Length; i++)
        {
            var map = partition.MapStart + i;
            var location = locations[i] = known.LocationOf(shuffle, map) ?? throw Missing(map, null, "it is not registered");
            if (location.Server != context.Services.Worker && context.Services.Fetcher is not null)
            {
                (elsewhere ??= []).Add((map, location));
                continue;
            }
            try
            {
                outputs[i] = context.Services.Shuffles.Find(shuffle, map, location.Writer)
                    ?? throw Missing(map, location, $"what task attempt {location.Writer} wrote is gone");
            }
            catch (Exception e) when (e is CorruptDataException or TempFolderException)
            {
                var failure = e is CorruptDataException ? FetchFailure.Corrupt : FetchFailure.Missing;
                throw context.LostInput(new FetchFailedException(shuffle, map, location, failure, e.Message, e));
            }
        }
        if (elsewhere is not null)
        {
            var fetched = context.Services.Fetcher!.Fetch(shuffle, elsewhere, partition.ReduceStart, partition.ReduceEnd, context);
            for (var i = 0; i < fetched.Length; i++) outputs[elsewhere[i].Map - partition.MapStart] = fetched[i];
        }
        return new ShuffleInput(shuffle, outputs, locations, partition, context);

        FetchFailedException Missing(int map, MapLocation? location, string why) =>
            context.LostInput(new FetchFailedException(shuffle, map, location, FetchFailure.Missing, why));
    }

    /// <summary>The segments of one reduce partition, in map order and, within an output, in writing order.</summary>
    /// <param name="reduce">From <see cref="ReduceStart"/> to <see cref="ReduceEnd"/> - 1.</param>
    /// <exception cref="FetchFailedException">An output was dropped since.</exception>
    public IReadOnlyList<InputSegment> Segments(int reduce)
    {
        var result = new List<InputSegment>();
        foreach (var output in _outputs)
        {
            try
            {
                foreach (var segment in output.Segments(reduce)) result.Add(new InputSegment(_context, this, output, segment));
            }
            catch (ObjectDisposedException e)
            {
                throw Failed(output, FetchFailure.Missing, "it was dropped", e);
            }
        }
        return result;
    }

    internal SegmentView Read(MapOutput output, Segment segment)
    {
        _context.ThrowIfCancelled();
        try
        {
            var view = output.Open(segment, _context);
            _context.Metrics.ShuffleReadBytes += segment.Bytes;
            _context.Metrics.ShuffleReadRecords += segment.Rows;
            return view;
        }
        catch (CorruptDataException e)
        {
            throw Failed(output, FetchFailure.Corrupt, e.Message, e);
        }
        catch (TempFolderException e)
        {
            throw Failed(output, FetchFailure.Missing, e.Message, e);
        }
        catch (ObjectDisposedException e)
        {
            throw Failed(output, FetchFailure.Missing, "it was dropped", e);
        }
    }

    private FetchFailedException Failed(MapOutput output, FetchFailure failure, string why, Exception inner) =>
        _context.LostInput(new FetchFailedException(_shuffle, output.Map, _locations[Array.IndexOf(_outputs, output)], failure, why, inner));
}

/// <summary>A segment that a task reads.</summary>
public readonly struct InputSegment
{
    private readonly TaskContext _context;
    private readonly ShuffleInput? _input;
    private readonly MapOutput _output;
    private readonly Segment _segment;

    internal InputSegment(TaskContext context, ShuffleInput? input, MapOutput output, Segment segment)
    {
        _context = context;
        _input = input;
        _output = output;
        _segment = segment;
    }

    /// <summary>The number that the writer gave.</summary>
    public int Tag => _segment.Tag;

    /// <summary>How many rows.</summary>
    public int Rows => _segment.Rows;

    /// <summary>Bytes of the rows: exact for encoded rows, an estimate for objects.</summary>
    public long Bytes => _segment.Bytes;

    /// <summary>Takes a lease on the rows, fetching them if need be.</summary>
    /// <exception cref="FetchFailedException">They can't be had, or are corrupt.</exception>
    /// <exception cref="CorruptDataException">The rows are the task's own, and are not as it wrote them.</exception>
    public SegmentView Open()
    {
        if (_input is not null) return _input.Read(_output, _segment);
        try
        {
            return _output.Open(_segment, _context);
        }
        catch (CorruptDataException e)
        {
            _context.LostInput(e);
            throw;
        }
    }
}
