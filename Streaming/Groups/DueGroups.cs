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
    private readonly GroupDue _due;
    private readonly long _now;
    private readonly int[] _rows = new int[ColumnBatch.MaxRows];
    private readonly Queue<(TKey Key, int Newest, List<int> Rows)> _groups = new();
    private FlatVector[] _vectors = [];
    private ColumnBatch? _columns;

    public DueGroups(GroupTable state, GroupDue due, GroupClock clock, TaskContext context)
    {
        (_state, _due, _now) = (state, due, due == GroupDue.Clock ? clock.Now : clock.Watermark);
        state.Queue();
        _arena = new TaskArena(context, "timers");
        _mapper = RecordMapper<TKey>.For(RecordShape<TKey>.Find().Schema);
        _table = KeyTable.For(_arena, state.Layout.Keys);
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
            // A group may have been called for, by a time before.
            writer.Flush();
            if (Load()) continue;
            (key, newest) = (default!, -1);
            return false;
        }
        (key, newest, var due) = _groups.Dequeue();
        foreach (var row in due) rows.Enqueue(row);
        return true;
    }

    public void Dispose() => _arena.Dispose();

    // Some rows, those of a key together.
    private bool Load()
    {
        var count = _state.TakeDue(_due, _now, _rows);
        if (count == 0) return false;
        if (_columns is null)
        {
            _vectors = [.. _state.Layout.Types.Select(type => new FlatVector(_arena, type))];
            _columns = new ColumnBatch([.. _vectors.Take(_state.Layout.Keys.Count).Select(vector => vector.Vector)]);
        }
        _state.Gather(_rows.AsSpan(0, count), _vectors);
        _columns.Set(count);
        var (numbers, newest) = (new int[count], new int[count]);
        _table.Clear();
        _table.FindOrAdd(_columns.Columns, _columns.Selection, numbers);
        _state.Find(_columns.Columns, _columns.Selection, newest);
        var keys = _mapper.Map(_columns);
        var due = new List<int>[_table.Count];
        for (var i = 0; i < count; i++)
        {
            if (due[numbers[i]] is { } others)
            {
                others.Add(_rows[i]);
                continue;
            }

            // Numbers are given in the order in which keys are met.
            due[numbers[i]] = [_rows[i]];
            _groups.Enqueue((keys[i], newest[i], due[numbers[i]]));
        }
        return true;
    }
}
