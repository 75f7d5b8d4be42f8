using Dataflow.Shuffle;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Joins;

/// <summary>
/// Joins two partitions that hold the same keys, with a table of bounded size: where the right is larger, both sides are cut into runs by further bits of
/// the hash, which are joined one after the other (a Grace hash join: M. Kitsuregawa et al., "Application of Hash to Data Base Machine and Its
/// Architecture", 1983), so that it ends in any budget.
/// </summary>
/// <remarks>Sides are cut by what they hold, never by memory that is left: the same rows always give the same.</remarks>
internal sealed class PartedJoinReader : BatchReader
{
    private const int Runs = 16;

    // After so many cuts rows share a key: only more memory helps.
    private const int MostCuts = 5;
    private const long LeastBytes = 1 << 20;
    private const long MostBytes = 1 << 30;

    private readonly JoinStep _step;
    private readonly TaskContext _context;
    private readonly ValueList<DataType> _leftTypes;
    private readonly ValueList<DataType> _rightTypes;
    private readonly ValueList<int> _leftKeys;
    private readonly long _mostBytes;
    private readonly Stack<Part> _parts = new();
    private readonly List<MapOutputWriter> _writers = [];
    private JoinReader? _current;
    private Part? _joined;

    /// <summary>Rows of both sides that are joined by themselves.</summary>
    /// <param name="Left">Rows of the left.</param>
    /// <param name="Right">Rows of the right.</param>
    /// <param name="Cuts">How often they were cut.</param>
    private sealed record Part(Func<BatchReader> Left, Func<BatchReader> Right, int Cuts)
    {
        /// <summary>What is not needed behind it any more.</summary>
        public IReadOnlyList<MapOutputWriter> Ended { get; init; } = [];
    }

    /// <param name="step">What is joined; keys of the left are columns.</param>
    /// <param name="left">Opens the rows of the left.</param>
    /// <param name="right">Opens the rows of the right.</param>
    /// <param name="context">The task.</param>
    public PartedJoinReader(JoinStep step, Func<BatchReader> left, Func<BatchReader> right, TaskContext context)
    {
        _step = step;
        _context = context;
        _leftTypes = step.Left.ConvertAll(column => column.Type);
        _rightTypes = step.Right.ConvertAll(column => column.Type);
        _leftKeys = step.LeftKeys.ConvertAll(key => key is ColumnReference column ? step.Left.IndexOf(column) : -1);
        using (var arena = new TaskArena(context, "join")) _mostBytes = arena.ShareOfBudget(6, LeastBytes, MostBytes);
        _parts.Push(new Part(left, right, 0));
    }

    public override bool TryNext(out ColumnBatch batch)
    {
        while (true)
        {
            if (_current is not null)
            {
                if (_current.TryNext(out batch)) return true;
                End();
            }
            if (!_parts.TryPop(out var part))
            {
                batch = null!;
                return false;
            }
            _joined = part;
            Begin(part);
        }
    }

    public override void Dispose()
    {
        _current?.Dispose();
        foreach (var writer in _writers) writer.Dispose();
        base.Dispose();
    }

    private void End()
    {
        _current?.Dispose();
        _current = null;
        foreach (var writer in _joined!.Ended) writer.Dispose();
    }

    private void Begin(Part part)
    {
        var arena = new TaskArena(_context, "join table");
        using var right = part.Right();
        var most = part.Cuts == MostCuts ? long.MaxValue : _mostBytes;
        var frames = BuildFrames.Of(right, _rightTypes, arena, _context, most, out var isAll);
        if (!isAll)
        {
            Cut(part, frames, right);
            arena.Dispose();
            return;
        }
        var table = new JoinTable(frames, _step.Layout, arena, 1);
        try
        {
            table.Build(_context.CancellationToken);
            _current = new JoinReader(_step, part.Left(), table, table, _context);
        }
        catch
        {
            table.Dispose();
            throw;
        }
    }

    private void Cut(Part part, IReadOnlyList<BuildFrame> held, BatchReader right)
    {
        var rights = Cut(part.Cuts, _rightTypes, _step.RightKeys, placed =>
        {
            var reader = new FrameReader(null, _rightTypes);
            foreach (var frame in held) placed.Add(reader.Read(frame.Span));
            while (right.TryNext(out var batch)) placed.Add(batch);
        });
        var lefts = Cut(part.Cuts, _leftTypes, _leftKeys, placed =>
        {
            using var left = part.Left();
            while (left.TryNext(out var batch)) placed.Add(batch);
        });
        foreach (var writer in part.Ended) writer.Dispose();
        var parts = new List<Part>();
        for (var run = 0; run < Runs; run++)
        {
            var (leftRun, rightRun) = (lefts.Run(run), rights.Run(run));
            if (leftRun.Count == 0 && (rightRun.Count == 0 || _step.Kind != JoinKind.Full)) continue;
            parts.Add(new Part(() => Open(leftRun, _leftTypes), () => Open(rightRun, _rightTypes), part.Cuts + 1));
        }
        if (parts.Count == 0)
        {
            lefts.Dispose();
            rights.Dispose();
            return;
        }
        parts[^1] = parts[^1] with { Ended = [lefts, rights] };
        for (var i = parts.Count - 1; i >= 0; i--) _parts.Push(parts[i]);
    }

    private MapOutputWriter Cut(int cuts, ValueList<DataType> types, ValueList<int> keys, Action<PartitionWriter> rows)
    {
        var writer = MapOutputWriter.ForRuns(_context, Runs);
        _writers.Add(writer);
        using var arena = new TaskArena(_context, "join cut");
        var placed = new PartitionWriter(new HashDistribution(keys, Runs), types, writer, arena, cuts + 1);
        rows(placed);
        placed.Finish();
        return writer;
    }

    private SegmentBatches Open(IReadOnlyList<InputSegment> run, ValueList<DataType> types) =>
        new(run, types, new TaskArena(_context, "join runs"), _context.CancellationToken);
}
