using Dataflow.Shuffle;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Joins;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Rows;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Physical;

/// <summary>Orders the rows of each partition; with a limit it keeps only the first.</summary>
/// <param name="Orders">By what.</param>
/// <param name="Limit">How many rows are wanted of each partition; null for all.</param>
/// <param name="Input">The rows.</param>
public sealed record SortExec(ValueList<SortOrder> Orders, long? Limit, PhysicalPlan Input) : PhysicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Input.Output;

    /// <inheritdoc/>
    public override ValueList<PhysicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override string Describe() => Limit is null ? $"Sort [{Orders}]" : $"Top {Limit} [{Orders}]";

    /// <summary>The filter of the scans below that the rows found so far make; null for none.</summary>
    internal DynamicFilterSlot? Bound { get; init; }

    /// <inheritdoc/>
    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run)
    {
        TopFilterSource? bound = null;
        if (Bound is not null) run.Fill(Bound, bound = new TopFilterSource());
        return new OperatorRdd("Sort", Input.ToRdd(run), new Step(Orders, Limit, Input.Output, run.Scope, bound));
    }

    private sealed class Step(ValueList<SortOrder> orders, long? limit, ValueList<ColumnReference> columns, QueryScope scope, TopFilterSource? bound) : BatchOperator
    {
        public override BatchReader Open(BatchReader input, TaskContext context) => new Reader(orders, limit, columns, scope, input, context, bound?.BoundIn(context));
    }

    private sealed class Reader : BatchReader
    {
        // Rows beyond the limit are dropped when there are this many times as many as needed.
        private const long Excess = 4;
        private const long LeastKept = 8 << 10;

        private readonly BatchReader _input;
        private readonly TaskContext _context;
        private readonly TaskArena _arena;
        private readonly SortColumns _keys;
        private readonly DataType[] _types;
        private readonly ColumnVector[] _vectors;
        private readonly SortPrefix _prefix;
        private readonly RunCollector _rows;
        private readonly RowGatherer _gatherer;
        private readonly TopFilter? _filter;
        private readonly int _columns;
        private readonly List<MapOutputWriter> _runs = [];
        private BatchReader? _merge;
        private bool _isSorted;
        private long _left;
        private int _next;

        public Reader(ValueList<SortOrder> orders, long? limit, ValueList<ColumnReference> columns, QueryScope scope, BatchReader input, TaskContext context, TopBound? bound)
        {
            _input = input;
            _context = context;
            _arena = new TaskArena(context, "sort");
            _left = limit ?? long.MaxValue;

            // Keys that are columns are kept once.
            _keys = new SortColumns(orders, columns, scope.In(_arena));
            _types = [.. columns.Select(column => column.Type), .. _keys.Types];
            _columns = columns.Count;
            _vectors = new ColumnVector[_types.Length];
            _prefix = new SortPrefix(_keys.Keys, _types);
            _rows = new RunCollector(_arena, _types, _prefix);
            _gatherer = new RowGatherer(_arena, columns.Select(column => column.Type));
            if (limit is not null) _filter = new TopFilter(_arena, _prefix, _keys.Keys, bound);
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            batch = _gatherer.Batch;
            if (_left <= 0) return false;
            if (!_isSorted) Sort();
            _isSorted = true;
            if (_merge is not null)
            {
                if (!_merge.TryNext(out batch)) return false;
                if (batch.Alive > _left) batch.Set((int)_left);
                _left -= batch.Alive;
                return true;
            }
            var count = (int)Math.Min(ColumnBatch.MaxRows, Math.Min(_rows.Rows.Count - _next, _left));
            if (count <= 0) return false;
            _rows.Gather(_gatherer, _next, count);
            _next += count;
            _left -= count;
            return true;
        }

        public override void Dispose()
        {
            _input.Dispose();
            _merge?.Dispose();
            foreach (var run in _runs) run.Dispose();
            _arena.Dispose();
            base.Dispose();
        }

        private void Sort()
        {
            var most = _filter is null ? long.MaxValue : Math.Max(LeastKept, _left > long.MaxValue / Excess ? long.MaxValue : _left * Excess);
            while (_input.TryNext(out var batch))
            {
                batch.Columns.CopyTo(_vectors, 0);
                _keys.Evaluate(batch, _vectors.AsSpan(batch.Columns.Length));
                var selection = _filter is null ? batch.Selection : _filter.Of(_vectors, batch);
                if (selection.Length == 0) continue;
                _rows.Rows.Append(_vectors, selection);
                if (_rows.Rows.Count > most) _filter!.Learn(_rows.KeepFirst((int)_left), _rows.Rows);
                if (_rows.IsFull) WriteRun();
            }
            _input.Dispose();
            if (_runs.Count == 0)
            {
                _rows.Order.Sort();
                return;
            }
            WriteRun();

            // The merge has memory of its own.
            _arena.Dispose();
            _merge = new RunMerge([.. _runs.Select(run => run.Run(0))], _types, _columns, _prefix, _context);
        }

        private void WriteRun()
        {
            if (_rows.Rows.Count == 0) return;
            var run = MapOutputWriter.ForRuns(_context, 1);
            _runs.Add(run);
            _rows.Write(run, 0);
        }
    }
}

/// <summary>Keeps the first rows of each partition.</summary>
/// <param name="Count">How many at most; null for all.</param>
/// <param name="Offset">How many are left out first.</param>
/// <param name="Input">The rows.</param>
public sealed record LimitExec(long? Count, long Offset, PhysicalPlan Input) : PhysicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Input.Output;

    /// <inheritdoc/>
    public override ValueList<PhysicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override string Describe() => $"Limit {Count?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "all"}{(Offset == 0 ? "" : $" offset {Offset}")}";

    /// <inheritdoc/>
    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run) => new OperatorRdd("Limit", Input.ToRdd(run), new Step(Count, Offset));

    private sealed class Step(long? count, long offset) : BatchOperator
    {
        public override BatchReader Open(BatchReader input, TaskContext context) => new Reader(count, offset, input, context);
    }

    private sealed unsafe class Reader(long? count, long offset, BatchReader input, TaskContext context) : BatchReader
    {
        private readonly TaskArena _arena = new(context, "limit");
        private long _left = count ?? long.MaxValue;
        private long _skip = offset;
        private ulong* _mask;

        public override bool TryNext(out ColumnBatch batch)
        {
            batch = null!;
            while (_left > 0 && input.TryNext(out batch))
            {
                var alive = batch.Alive;
                if (_skip >= alive)
                {
                    _skip -= alive;
                    continue;
                }
                if (_skip > 0 || alive > _left) Cut(batch);
                _skip = 0;
                _left -= batch.Alive;
                return true;
            }
            return false;
        }

        public override void Dispose()
        {
            input.Dispose();
            _arena.Dispose();
            base.Dispose();
        }

        private void Cut(ColumnBatch batch)
        {
            if (_mask == null) _mask = (ulong*)_arena.Rent(ColumnBatch.MaxRows / 8).Pointer;
            var kept = batch.Selection[(int)_skip..];
            if (kept.Length > _left) kept = kept[..(int)_left];
            new Span<ulong>(_mask, ColumnBatch.MaxRows / 64).Clear();
            foreach (var row in kept) _mask[row >> 6] |= 1UL << (row & 63);
            batch.Set(batch.Rows, _mask);
        }
    }
}
