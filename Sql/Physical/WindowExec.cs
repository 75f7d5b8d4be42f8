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
        // Arrays of peers.
        private const int ObjectBytesPerRow = 12;

        private readonly BatchReader _input;
        private readonly TaskContext _context;
        private readonly TaskArena _arena;
        private readonly ValueList<ColumnReference> _columns;
        private readonly WindowColumn[] _windows;
        private readonly SortColumns _orders;
        private readonly RowStore _rows;
        private readonly RowComparer _byKeys;
        private readonly RowComparer _byOrders;
        private readonly ColumnVector[] _appended;
        private readonly FlatVector[] _vectors;
        private readonly ColumnBatch _batch;
        private readonly int[] _numbers = new int[ColumnBatch.MaxRows];
        private readonly long _mostBytes;
        private readonly int _bytesPerRow;
        private readonly bool _canStream;
        private (long Rows, long Peers) _before;
        private int _tail;
        private int _computed;
        private int _next;
        private bool _hasEnded;

        public Reader(
            ValueList<ColumnReference> keys, ValueList<WindowExpression> items, ValueList<ColumnReference> columns, QueryScope scope, BatchReader input, TaskContext context)
        {
            _input = input;
            _context = context;
            _columns = columns;
            _arena = new TaskArena(context, "window");
            var evaluating = scope.In(_arena);
            _windows = [.. items.Select(item => new WindowColumn(item, columns, _arena, evaluating))];
            _canStream = _windows.All(window => window.CanStream);
            _orders = new SortColumns(items[0].Orders, columns, evaluating);
            _rows = new RowStore(_arena, [.. columns.Select(column => column.Type), .. _orders.Types]);
            _byKeys = new RowComparer(_rows, [.. keys.Select(key => new RowOrderKey(IndexOf(key), false, true))]);
            _byOrders = new RowComparer(_rows, _orders.Keys);
            _appended = new ColumnVector[_rows.ColumnCount];
            _vectors = [.. columns.Select(column => column.Type).Concat(items.Select(item => item.Type)).Select(type => new FlatVector(_arena, type))];
            _batch = new ColumnBatch([.. _vectors.Select(vector => vector.Vector)]);
            _mostBytes = _arena.ShareOfBudget(parts: 16, least: 512 << 10, most: 64 << 20);
            _bytesPerRow = Enumerable.Range(0, _rows.ColumnCount).Sum(i => Math.Max(1, _rows[i].Type.ByteWidth)) + _windows.Sum(window => window.BytesPerRow) + ObjectBytesPerRow;
        }

        private bool IsFull => ((long)_rows.Count * _bytesPerRow) + _rows.TextBytes + _windows.Sum(window => window.TextBytes) > _mostBytes;

        public override bool TryNext(out ColumnBatch batch)
        {
            batch = _batch;
            while (_next == _computed)
            {
                if (_hasEnded) return false;
                Fill();
            }
            var count = Math.Min(ColumnBatch.MaxRows, _computed - _next);
            for (var i = 0; i < count; i++) _numbers[i] = _next + i;
            var numbers = _numbers.AsSpan(0, count);
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

        // Reads until partitions are whole, and more than that only where memory is there for it; a partition that is too large is computed in pieces if
        // its functions look back only.
        private void Fill()
        {
            _rows.DropFirst(_computed);
            foreach (var window in _windows) window.DropFirst(_computed);
            (_computed, _next) = (0, 0);
            _tail = 0;
            var looked = 1;
            while (!_hasEnded)
            {
                if (!Read())
                {
                    _hasEnded = true;
                    break;
                }
                if (!IsFull) continue;
                _byKeys.Refresh();
                for (; looked < _rows.Count; looked++)
                {
                    if (_byKeys.Compare(looked - 1, looked) != 0) _tail = looked;
                }
                if (_tail > 0 || _canStream) break;
            }
            _byKeys.Refresh();
            _byOrders.Refresh();
            Compute();
            foreach (var window in _windows) window.Finish();
        }

        private bool Read()
        {
            _context.ThrowIfCancelled();
            if (!_input.TryNext(out var batch)) return false;
            batch.Columns.CopyTo(_appended, 0);
            _orders.Evaluate(batch, _appended.AsSpan(batch.Columns.Length));
            _rows.Append(_appended, batch.Selection);
            foreach (var window in _windows) window.Add(batch);
            return true;
        }

        private void Compute()
        {
            while (_computed < _rows.Count)
            {
                var end = _computed + 1;
                while (end < _rows.Count && _byKeys.Compare(_computed, end) == 0) end++;
                var isWhole = _hasEnded || end < _rows.Count;
                if (!isWhole && (_computed > 0 || !_canStream)) return;
                _arena.ChargeObjects((long)(end - _computed) * ObjectBytesPerRow);
                var peers = new PeerGroups(_byOrders, _computed, end);

                // The last peers may go on in what is not read yet.
                var last = isWhole ? end : peers.FirstOf(end - 1);
                if (last == _computed) return;
                foreach (var window in _windows) window.Compute(_computed, last, peers, _rows, _orders.Keys, _before);
                _before = isWhole ? (0, 0) : (_before.Rows + last - _computed, _before.Peers + peers.NumberOf(last - 1) + 1);
                _computed = last;
                if (!isWhole) return;
            }
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
