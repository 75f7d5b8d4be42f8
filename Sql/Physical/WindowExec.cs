using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Rows;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Physical;

/// <summary>Computes window functions over rows that come sorted by partition keys and orders, all rows of a key in one partition.</summary>
/// <param name="Keys">The partition keys.</param>
/// <param name="Items">The columns: each value is a <see cref="WindowExpression"/> of these keys and of one list of orders.</param>
/// <param name="Input">The rows.</param>
public sealed record WindowExec(ValueList<ColumnReference> Keys, ValueList<NamedExpression> Items, PhysicalPlan Input) : PhysicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output { get; } = [.. Input.Output, .. Items.Select(item => item.Column)];

    /// <inheritdoc/>
    public override ValueList<PhysicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override string Describe() => $"Window [{Items}]";

    /// <inheritdoc/>
    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run) => new OperatorRdd(
        "Window", Input.ToRdd(run), new Step(Keys, Items.ConvertAll(item => (WindowExpression)item.Value), Input.Output, run.Scope));

    private sealed class Step(ValueList<ColumnReference> keys, ValueList<WindowExpression> items, ValueList<ColumnReference> columns, QueryScope scope) : BatchOperator
    {
        public override BatchReader Open(BatchReader input, TaskContext context) => new Reader(keys, items, columns, scope, input, context);
    }

    private sealed class Reader : BatchReader
    {
        private readonly BatchReader _input;
        private readonly TaskArena _arena;
        private readonly ValueList<ColumnReference> _keys;
        private readonly ValueList<ColumnReference> _columns;
        private readonly WindowColumn[] _windows;
        private readonly SortColumns _orders;
        private readonly RowStore _rows;
        private readonly FlatVector[] _vectors;
        private readonly ColumnBatch _batch;
        private bool _isComputed;
        private int _next;

        public Reader(
            ValueList<ColumnReference> keys, ValueList<WindowExpression> items, ValueList<ColumnReference> columns, QueryScope scope, BatchReader input, TaskContext context)
        {
            _input = input;
            _keys = keys;
            _columns = columns;
            _arena = new TaskArena(context, "window");
            var evaluating = scope.In(_arena);
            _windows = [.. items.Select(item => new WindowColumn(item, columns, _arena, evaluating))];
            _orders = new SortColumns(items[0].Orders, columns, evaluating);
            _rows = new RowStore(_arena, [.. columns.Select(column => column.Type), .. _orders.Types]);
            _vectors = [.. columns.Select(column => column.Type).Concat(items.Select(item => item.Type)).Select(type => new FlatVector(_arena, type))];
            _batch = new ColumnBatch([.. _vectors.Select(vector => vector.Vector)]);
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            if (!_isComputed) Compute();
            _isComputed = true;
            batch = _batch;
            var count = Math.Min(ColumnBatch.MaxRows, _rows.Count - _next);
            if (count <= 0) return false;
            var numbers = Enumerable.Range(_next, count).ToArray();
            for (var i = 0; i < _columns.Count; i++) _rows[i].Gather(numbers, _vectors[i]);
            for (var i = 0; i < _windows.Length; i++) _windows[i].Results.Gather(numbers, _vectors[_columns.Count + i]);
            _batch.Set(count);
            _next += count;
            return true;
        }

        public override void Dispose()
        {
            _input.Dispose();
            _arena.Dispose();
            base.Dispose();
        }

        private void Compute()
        {
            var vectors = new ColumnVector[_rows.ColumnCount];
            while (_input.TryNext(out var batch))
            {
                batch.Columns.CopyTo(vectors, 0);
                _orders.Evaluate(batch, vectors.AsSpan(batch.Columns.Length));
                _rows.Append(vectors, batch.Selection);
                foreach (var window in _windows) window.Add(batch);
            }
            RowOrderKey[] keys = [.. _keys.Select(key => new RowOrderKey(IndexOf(key), false, true))];
            var byKeys = new RowComparer(_rows, keys);
            var byOrders = new RowComparer(_rows, _orders.Keys);
            for (var start = 0; start < _rows.Count;)
            {
                var end = start + 1;
                while (end < _rows.Count && byKeys.Compare(start, end) == 0) end++;
                var peers = new PeerGroups(byOrders, start, end);
                foreach (var window in _windows) window.Compute(start, end, peers, _rows, _orders.Keys);
                start = end;
            }
            foreach (var window in _windows) window.Finish();
        }

        private int IndexOf(ColumnReference key)
        {
            for (var i = 0; ; i++)
            {
                if (_columns[i] == key) return i;
            }
        }
    }
}

/// <summary>Rows of a partition that the order does not tell apart.</summary>
internal sealed class PeerGroups
{
    private readonly int _start;
    private readonly int[] _first;
    private readonly int[] _end;
    private readonly int[] _rank;

    public PeerGroups(RowComparer order, int start, int end)
    {
        _start = start;
        _first = new int[end - start];
        _end = new int[end - start];
        _rank = new int[end - start];
        for (var first = start; first < end; Count++)
        {
            var next = first + 1;
            while (next < end && order.Compare(first, next) == 0) next++;
            for (var row = first; row < next; row++) (_first[row - start], _end[row - start], _rank[row - start]) = (first, next, Count);
            first = next;
        }
    }

    /// <summary>How many groups there are.</summary>
    public int Count { get; }

    /// <summary>The first row of a row's group.</summary>
    public int FirstOf(int row) => _first[row - _start];

    /// <summary>The row after the last of a row's group.</summary>
    public int EndOf(int row) => _end[row - _start];

    /// <summary>Which group a row is in, from 0.</summary>
    public int NumberOf(int row) => _rank[row - _start];
}

/// <summary>Keys of an order: columns as they are, or computed beside them.</summary>
internal sealed class SortColumns
{
    private readonly Evaluator[] _computed;

    public SortColumns(ValueList<SortOrder> orders, ValueList<ColumnReference> columns, EvaluatorContext context)
    {
        var computed = orders.Select(order => order.Key).Where(key => key is not ColumnReference reference || !columns.Contains(reference)).Distinct().ToList();
        _computed = [.. computed.Select(key => ExpressionCompiler.Compile(key, columns, context))];
        Types = [.. computed.Select(key => key.Type)];
        Keys = [.. orders.Select(order => new RowOrderKey(PositionOf(order.Key), order.Descending, order.NullsFirst, order.Key.Nullable))];

        int PositionOf(Expression key)
        {
            var place = computed.IndexOf(key);
            if (place >= 0) return columns.Count + place;
            for (var i = 0; ; i++)
            {
                if (columns[i].Equals(key)) return i;
            }
        }
    }

    /// <summary>Types of the keys that are computed.</summary>
    public DataType[] Types { get; }

    /// <summary>The keys, by position among the columns and the computed keys behind them.</summary>
    public RowOrderKey[] Keys { get; }

    /// <summary>Computes keys of a batch.</summary>
    public void Evaluate(ColumnBatch batch, Span<ColumnVector> keys)
    {
        for (var i = 0; i < _computed.Length; i++) keys[i] = _computed[i].Evaluate(batch);
    }
}
