using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Exchange;

/// <summary>Reads splits of a table one after the other, and ends the task between two batches if it was cancelled: whatever stands above a source, and reads it
/// to its end before it gives a row, is ended so.</summary>
internal sealed class SplitsReader : BatchReader
{
    private readonly ITableScan _scan;
    private readonly ValueList<TableSplit> _splits;
    private readonly IDynamicFilter[] _dynamic;
    private readonly TaskContext _context;
    private readonly List<FilterEvaluator> _taken = [];
    private readonly List<FilterEvaluator> _own = [];
    private BatchReader _current;
    private int _next = 1;

    /// <param name="scan">The table.</param>
    /// <param name="splits">What to read of it.</param>
    /// <param name="dynamic">Filters that become known while the query runs.</param>
    /// <param name="context">The task.</param>
    public SplitsReader(ITableScan scan, ValueList<TableSplit> splits, IDynamicFilter[] dynamic, TaskContext context)
    {
        _scan = scan;
        _splits = splits;
        _dynamic = dynamic;
        _context = context;
        _current = scan.Open(splits[0], context, dynamic);
    }

    public override unsafe bool TryNext(out ColumnBatch batch)
    {
        while (true)
        {
            _context.ThrowIfCancelled();
            if (_current.TryNext(out batch))
            {
                foreach (var filter in _own) batch.Set(batch.Rows, filter.Filter(batch));
                if (batch.Alive > 0) return true;
                continue;
            }
            if (_next == _splits.Count) return false;
            _current.Dispose();
            _current = _scan.Open(_splits[_next++], _context, _dynamic);

            // What one split's reader took over, another's may not.
            _own.Clear();
            foreach (var filter in _taken)
            {
                if (!_current.TryTake(filter)) _own.Add(filter);
            }
        }
    }

    public override bool TryTake(FilterEvaluator filter)
    {
        if (!_current.TryTake(filter)) return false;
        _taken.Add(filter);
        return true;
    }

    public override void Dispose()
    {
        _current.Dispose();
        _next = _splits.Count;
        base.Dispose();
    }
}
