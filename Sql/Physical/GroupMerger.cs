using Dataflow.Shuffle;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Physical;

/// <summary>
/// Merges states by key and gives values: one hash range after the other, with a table of bounded size. A range with too many groups is cut, by
/// further bits of the hash, into runs that are merged one after the other (G. Graefe, "Query Evaluation Techniques for Large Databases", 1993, section 4.2),
/// so that it ends in any budget.
/// </summary>
/// <remarks>Groups come out by range and, in one, as they were first met. Tables are cut by what they hold, never by memory that is left: the same
/// rows always give the same.</remarks>
internal sealed class GroupMerger : BatchReader
{
    private const int Runs = 16;

    // After so many cuts groups share a whole hash: only more memory helps.
    private const int MostCuts = 6;

    // Ranges of few rows are merged together.
    private const long RowsAtOnce = 64 << 10;

    private readonly BatchReader _input;
    private readonly bool _asStates;
    private readonly TaskContext _context;
    private readonly TaskArena _arena;
    private readonly GroupStates _groups;
    private readonly ValueList<int> _keys;
    private readonly int[] _states;
    private readonly ValueList<DataType> _types;
    private readonly long _mostBytes;
    private readonly Stack<Part> _parts = new();
    private readonly List<MapOutputWriter> _writers = [];
    private readonly SegmentBatches _segments;
    private int _given = -1;

    /// <summary>Rows that are merged by themselves.</summary>
    /// <param name="Rows">Them; null for those of the input.</param>
    /// <param name="Cuts">How often they were cut by hash.</param>
    /// <param name="Ended">What is not needed behind it any more.</param>
    private sealed record Part(IReadOnlyList<InputSegment>? Rows, int Cuts, MapOutputWriter? Ended = null);

    public GroupMerger(ValueList<DataType> keys, ValueList<AggregateCall> calls, BatchReader input, TaskContext context, bool asStates = false)
    {
        _input = input;
        _asStates = asStates;
        _context = context;
        _arena = new TaskArena(context, "aggregate");
        _mostBytes = GroupStates.TableBytes(_arena);
        _keys = [.. Enumerable.Range(0, keys.Count)];
        _states = [.. calls.Select(call => call.Function.StateTypes(call).Count)];
        _types = [.. keys, .. calls.SelectMany(call => call.Function.StateTypes(call))];
        _groups = new GroupStates(_arena, keys, calls, givesValues: !asStates);
        _segments = new SegmentBatches([], _types, new TaskArena(context, "aggregate read"), context.CancellationToken);
        if (keys.Count > 0 && input is SegmentBatches segments) CutByRange(segments.Segments);
        else _parts.Push(new Part(null, 0));
    }

    public override bool TryNext(out ColumnBatch batch)
    {
        while (true)
        {
            if (_given >= 0)
            {
                if (_groups.TryGive(ref _given, _asStates, out batch)) return true;
                _groups.Clear();
                _given = -1;
            }
            if (!_parts.TryPop(out var part))
            {
                batch = null!;
                return false;
            }
            if (Merge(part)) _given = 0;
        }
    }

    public override void Dispose()
    {
        _input.Dispose();
        _segments.Dispose();
        foreach (var writer in _writers) writer.Dispose();
        _arena.Dispose();
        base.Dispose();
    }

    // Rows that were not told apart by range are, if there are many others.
    private void CutByRange(IReadOnlyList<InputSegment> segments)
    {
        var told = segments.Where(segment => segment.Tag != PartitionWriter.AllRanges).ToList();
        if (told.Count == 0 || segments.Sum(segment => (long)segment.Rows) <= RowsAtOnce)
        {
            _parts.Push(new Part(segments, 0));
            return;
        }

        // Where memory was short there are fewer ranges.
        var bits = told.Min(segment => PartitionWriter.BitsOf(segment.Tag));
        var ranges = new List<InputSegment>[1 << bits];
        for (var i = 0; i < ranges.Length; i++) ranges[i] = [];
        if (told.Count < segments.Count)
        {
            using var arena = new TaskArena(_context, "aggregate runs");
            var writer = Cut(out var placed, new HashDistribution(_keys, ranges.Length), 0, arena);
            _segments.Begin([.. segments.Where(segment => segment.Tag == PartitionWriter.AllRanges)]);
            while (_segments.TryNext(out var batch)) placed.Add(batch);
            placed.Finish();
            for (var i = 0; i < ranges.Length; i++) ranges[i].AddRange(writer.Run(i));
        }
        foreach (var segment in told) ranges[PartitionWriter.RangeOf(segment.Tag, bits)].Add(segment);
        var parts = new List<Part>();
        var part = new List<InputSegment>();
        var inPart = 0L;
        foreach (var range in ranges)
        {
            var rows = range.Sum(segment => (long)segment.Rows);
            if (inPart > 0 && inPart + rows > RowsAtOnce)
            {
                parts.Add(new Part(part, 0));
                (part, inPart) = ([], 0);
            }
            part.AddRange(range);
            inPart += rows;
        }
        if (part.Count > 0) parts.Add(new Part(part, 0));
        for (var i = parts.Count - 1; i >= 0; i--) _parts.Push(parts[i]);
    }

    // False if the groups were cut, and come later.
    private bool Merge(Part part)
    {
        TaskArena? arena = null;
        MapOutputWriter? writer = null;
        PartitionWriter? placed = null;
        var rows = _input;
        if (part.Rows is not null)
        {
            _segments.Begin(part.Rows);
            rows = _segments;
        }
        try
        {
            var (merged, isPassing) = (0L, false);
            while (rows.TryNext(out var batch))
            {
                _context.ThrowIfCancelled();
                if (isPassing)
                {
                    placed!.Add(batch);
                    continue;
                }
                Merge(batch);
                merged += batch.Alive;
                if (_groups.Size < _mostBytes || !_groups.HasKeys || part.Cuts == MostCuts) continue;
                if (placed is null)
                {
                    arena = new TaskArena(_context, "aggregate runs");
                    writer = Cut(out placed, new HashDistribution(_keys, Runs), part.Cuts + 1, arena);
                }

                // Where groups hardly come twice, the rest is cut as it comes.
                isPassing = _groups.Count * 4L > merged * 3;
                merged = 0;
                Flush(placed);
            }
            if (placed is null) return true;
            Flush(placed);
            placed.Finish();
        }
        finally
        {
            arena?.Dispose();
            if (part.Rows is not null) _segments.Begin([]);
            part.Ended?.Dispose();
        }
        for (var i = Runs - 1; i >= 0; i--)
        {
            var run = writer!.Run(i);
            if (run.Count > 0 || i == Runs - 1) _parts.Push(new Part(run, part.Cuts + 1, i == Runs - 1 ? writer : null));
        }
        return false;
    }

    private void Merge(ColumnBatch rows)
    {
        var numbers = _groups.Find(rows.Columns.AsSpan(0, _keys.Count), rows);
        var next = _keys.Count;
        for (var i = 0; i < _states.Length; i++)
        {
            _groups.Kernels[i].Merge(rows.Columns.AsSpan(next, _states[i]), rows.Selection, numbers);
            next += _states[i];
        }
        _groups.Charge();
    }

    private void Flush(PartitionWriter placed)
    {
        for (var next = 0; _groups.TryGive(ref next, asStates: true, out var batch);) placed.Add(batch);
        _groups.Clear();
    }

    private MapOutputWriter Cut(out PartitionWriter placed, HashDistribution distribution, int cuts, TaskArena arena)
    {
        var writer = MapOutputWriter.ForRuns(_context, distribution.Partitions);
        _writers.Add(writer);
        placed = new PartitionWriter(distribution, _types, writer, arena, cuts);
        return writer;
    }
}
