using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
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

    /// <inheritdoc/>
    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run) => new OperatorRdd("Sort", Input.ToRdd(run), new Step(Orders, Limit, Input.Output, run.Scope));

    private sealed class Step(ValueList<SortOrder> orders, long? limit, ValueList<ColumnReference> columns, QueryScope scope) : BatchOperator
    {
        public override BatchReader Open(BatchReader input, TaskContext context) => new Reader(orders, limit, columns, scope, input, context);
    }

    private sealed class Reader : BatchReader
    {
        // Rows beyond the limit are dropped when there are this many times as many as needed.
        private const long Excess = 4;
        private const long LeastKept = 64 << 10;

        private readonly BatchReader _input;
        private readonly TaskArena _arena;
        private readonly SortColumns _keys;
        private readonly ColumnVector[] _vectors;
        private readonly DataType[] _types;
        private readonly long _limit;
        private readonly RowGatherer _gatherer;
        private RowStore _store;
        private int[]? _sorted;
        private int _next;

        public Reader(ValueList<SortOrder> orders, long? limit, ValueList<ColumnReference> columns, QueryScope scope, BatchReader input, TaskContext context)
        {
            _input = input;
            _arena = new TaskArena(context, "sort");
            _limit = limit ?? long.MaxValue;

            // Keys that are columns are kept once.
            _keys = new SortColumns(orders, columns, scope.In(_arena));
            _types = [.. columns.Select(column => column.Type), .. _keys.Types];
            _vectors = new ColumnVector[_types.Length];
            _store = new RowStore(_arena, _types);
            _gatherer = new RowGatherer(_arena, columns.Select(column => column.Type));
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            _sorted ??= Sort();
            batch = _gatherer.Batch;
            var count = (int)Math.Min(ColumnBatch.MaxRows, Math.Min(_sorted.Length, _limit) - _next);
            if (count <= 0) return false;
            _gatherer.Gather(_store, _sorted.AsSpan(_next, count));
            _next += count;
            return true;
        }

        public override void Dispose()
        {
            _input.Dispose();
            _arena.Dispose();
            base.Dispose();
        }

        private int[] Sort()
        {
            var most = _limit == long.MaxValue ? long.MaxValue : Math.Max(LeastKept, _limit * Excess);
            while (_input.TryNext(out var rows))
            {
                rows.Columns.CopyTo(_vectors, 0);
                _keys.Evaluate(rows, _vectors.AsSpan(rows.Columns.Length));
                _store.Append(_vectors, rows.Selection);
                if (_store.Count > most) Trim();
            }
            return new RowOrder(_store, _keys.Keys).Sort();
        }

        private void Trim()
        {
            var best = new RowOrder(_store, _keys.Keys).Sort().AsSpan(0, (int)_limit);
            var kept = new RowStore(_arena, _types);
            var gatherer = new RowGatherer(_arena, _types);
            for (var i = 0; i < best.Length; i += ColumnBatch.MaxRows)
            {
                kept.Append(gatherer.Gather(_store, best[i..Math.Min(best.Length, i + ColumnBatch.MaxRows)]));
            }
            gatherer.Return(_arena);
            _store.Return();
            _store = kept;
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
