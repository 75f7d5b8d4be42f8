using Dataflow.Sql.Records;
using Dataflow.Sql.Rows;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Groups;

/// <summary>Groups whose time has come: those of the batch's begin; times that functions set now wait for the next.</summary>
internal sealed class DueGroups<TKey> : IDisposable
{
    private readonly GroupTable _state;
    private readonly TaskArena _arena;
    private readonly RecordMapper<TKey> _mapper;
    private readonly KeyTable _table;
    private readonly FlatVector[] _vectors;
    private readonly ColumnBatch _columns;
    private readonly List<int> _rows;
    private readonly Queue<(TKey Key, int Newest, List<int> Rows)> _groups = new();
    private int _next;

    public DueGroups(GroupTable state, GroupDue due, GroupClock clock, TaskContext context)
    {
        _state = state;
        _rows = state.DueBy(due, due == GroupDue.Clock ? clock.Now : clock.Watermark);
        _arena = new TaskArena(context, "timers");
        _mapper = RecordMapper<TKey>.For(RecordShape<TKey>.Find().Schema);
        _table = KeyTable.For(_arena, state.Layout.Keys);
        _vectors = [.. (_rows.Count == 0 ? [] : state.Layout.Types).Select(type => new FlatVector(_arena, type))];
        _columns = new ColumnBatch([.. _vectors.Take(state.Layout.Keys.Count).Select(vector => vector.Vector)]);
    }

    /// <summary>The next group.</summary>
    /// <param name="writer">What changed of groups before.</param>
    /// <param name="rows">The rows that are due are added here, the earliest first.</param>
    /// <param name="key">Its key.</param>
    /// <param name="newest">Its newest row.</param>
    public bool Next(GroupWriter<TKey> writer, Queue<int> rows, out TKey key, out int newest)
    {
        while (_groups.Count == 0)
        {
            if (_next == _rows.Count)
            {
                (key, newest) = (default!, -1);
                writer.Flush();
                return false;
            }

            // A group may have been called for, by a time before.
            writer.Flush();
            Load();
        }
        (key, newest, var due) = _groups.Dequeue();
        foreach (var row in due) rows.Enqueue(row);
        return true;
    }

    public void Dispose() => _arena.Dispose();

    // Some rows, those of a key together.
    private void Load()
    {
        var rows = _rows.GetRange(_next, Math.Min(ColumnBatch.MaxRows, _rows.Count - _next));
        _next += rows.Count;
        rows.RemoveAll(row => !_state.Has(row));
        if (rows.Count == 0) return;
        _state.Gather(rows.ToArray(), _vectors);
        _columns.Set(rows.Count);
        var (numbers, newest) = (new int[rows.Count], new int[rows.Count]);
        _table.Clear();
        _table.FindOrAdd(_columns.Columns, _columns.Selection, numbers);
        _state.Find(_columns.Columns, _columns.Selection, newest);
        var keys = _mapper.Map(_columns);
        foreach (var group in Enumerable.Range(0, rows.Count).GroupBy(i => numbers[i]))
        {
            var first = group.First();
            _groups.Enqueue((keys[first], newest[first], [.. group.Select(i => rows[i])]));
        }
    }
}
