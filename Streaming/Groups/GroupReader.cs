using Dataflow.Sql.Lambdas;
using Dataflow.Sql.Records;
using Dataflow.Sql.Sources;
using Dataflow.Streaming.Processors;
using Dataflow.Streaming.State;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Groups;

/// <summary>
/// Calls the program for the groups of a partition, one after the other: for those that have rows, then for those whose time has come. Gives what comes of it. What is
/// kept is on the disk before the task succeeds, also where not all that it gives is read.
/// </summary>
internal sealed class GroupReader<TKey, TRow, TOut> : BatchReader
{
    private readonly GroupProgram<TKey, TRow, TOut> _program;
    private readonly GroupCursor<TKey, TRow> _cursor;
    private readonly InitialReader<TKey>? _initial;
    private readonly StateBatch? _batch;
    private readonly GroupClock _clock;
    private readonly int _partition;
    private readonly TaskContext _context;
    private readonly TaskArena _arena;
    private readonly GroupEntries _entries;
    private readonly RecordColumn<TOut>[] _columns;
    private readonly ColumnBatch _output;
    private readonly TOut[] _values = new TOut[ColumnBatch.MaxRows];
    private readonly Queue<int> _dueOfKey = new();
    private GroupFunctions<TKey, TRow, TOut>? _functions;
    private StateLease<GroupTable>? _lease;
    private GroupTable? _state;
    private GroupWriter<TKey>? _writer;
    private DueGroups<TKey>? _due;
    private IEnumerator<TOut>? _results;
    private TOut[] _given = [];
    private int _next;
    private TKey _key = default!;
    private bool _isOpen;
    private bool _isDone;
    private bool _hasFailed;

    public GroupReader(GroupProgram<TKey, TRow, TOut> program, GroupCursor<TKey, TRow> cursor, InitialReader<TKey>? initial, StateBatch? batch, GroupClock clock, int partition, TaskContext context)
    {
        (_program, _cursor, _initial, _batch, _clock, _partition, _context) = (program, cursor, initial, batch, clock, partition, context);
        _arena = new TaskArena(context, "groups");
        _entries = new GroupEntries(program.Names, clock) { Earlier = batch?.Earlier ?? [] };
        var shape = RecordShape<TOut>.Find();
        _columns = [.. Enumerable.Range(0, shape.Schema.Count).Select(shape.Column)];
        foreach (var column in _columns) column.Open(_arena);
        _output = new ColumnBatch([.. _columns.Select(column => column.Vector)]);
    }

    public override bool TryNext(out ColumnBatch rows)
    {
        rows = _output;
        if (_isDone) return false;
        try
        {
            if (!_isOpen) Open();
            var count = 0;
            while (count < _values.Length && TryTake(out var value)) _values[count++] = value;
            if (count > 0)
            {
                foreach (var column in _columns)
                {
                    column.Clear();
                    column.Append(_values.AsSpan(0, count));
                }
                _output.Set(count);
                return true;
            }
            _isDone = true;
            Close();
            return false;
        }
        catch
        {
            _hasFailed = true;
            throw;
        }
    }

    public override void Dispose()
    {
        try
        {
            if (_batch is not null && !_hasFailed && !_context.CancellationToken.IsCancellationRequested)
            {
                while (TryNext(out _)) { }
            }
        }
        finally
        {
            _isDone = true;
            try
            {
                _results?.Dispose();
                CloseFunctions();
            }
            finally
            {
                if (_lease is null) _state?.Dispose();
                _lease?.Dispose();
                _initial?.Dispose();
                _writer?.Dispose();
                _due?.Dispose();
                _cursor.Dispose();
                _arena.Dispose();
                base.Dispose();
            }
        }
    }

    private void Open()
    {
        _isOpen = true;
        var layout = new StateLayout([.. RecordShape<TKey>.Find().Schema.Select(field => field.Type)], GroupTable.Values, -1, 1);
        if (_batch is not null) _lease = StateLease<GroupTable>.Take(_batch, _partition, (folder, chain, task) => GroupTable.Load(layout, folder, chain, task), _context);

        // What groups begin with in a frame that is no stream is kept for the one batch.
        _state = _lease?.State ?? (_initial is null ? null : GroupTable.Load(layout, "", [], _context));
        _cursor.State = _state;
        if (_state is not null) _writer = new GroupWriter<TKey>(_state, _program.Names, _context);
        _functions = _program.Open(_entries);
        if (_initial is null) return;
        while (_initial.TryNext(out _key))
        {
            _entries.Begin(_state, -1);
            try
            {
                _initial.Handle(_key, _functions);
            }
            catch (Exception error) when (_initial.Error is null && LambdaError.IsOfUser(error))
            {
                throw Named(error);
            }
            Keep();
        }
        _writer!.Flush();
    }

    private void Close()
    {
        CloseFunctions();
        if (_lease is not { State: var state }) return;
        state.Queue();
        var over = new int[ColumnBatch.MaxRows];
        for (var count = state.TakeDue(GroupDue.Expiry, _clock.Now, over); count > 0; count = state.TakeDue(GroupDue.Expiry, _clock.Now, over))
        {
            foreach (var row in over.AsSpan(0, count)) Forget(state, row);
        }
        _batch!.Figures.Rows.Add(state.Count);

        // What came to be due while times were seen to waits for the next batch, which is not to wait for rows.
        if (state.EarliestOf(GroupDue.Clock) is { } time) _batch.Figures.Due.Add(time);
        if (state.EarliestOf(GroupDue.Watermark) is { } end)
        {
            _batch.Figures.NextEnd.Add(end);
            if (end <= _clock.Watermark) _batch.Figures.Due.Add(_clock.Now);
        }
        _lease.Save();
    }

    // Once, however the task ends.
    private void CloseFunctions()
    {
        var functions = _functions;
        _functions = null;
        functions?.Close();
    }

    private bool TryTake(out TOut value)
    {
        do
        {
            if (_next < _given.Length)
            {
                value = _given[_next++];
                return true;
            }
            if (_results is null) continue;
            if (MoveNext())
            {
                value = _results.Current;
                return true;
            }
            _results.Dispose();
            _results = null;
        }
        while (NextCall());
        value = default!;
        return false;
    }

    private bool NextCall()
    {
        _context.ThrowIfCancelled();
        if (_due is null)
        {
            Keep();
            if (_cursor.NextGroup())
            {
                _key = _cursor.Key;
                _entries.Begin(_state, _cursor.Found);
                Call(null);
                return true;
            }
            _writer?.Flush();
            if (_lease is null || _program.Timeout == GroupTimeout.None) return false;
            _due = new DueGroups<TKey>(_lease.State, _program.Timeout == GroupTimeout.EventTime ? GroupDue.Watermark : GroupDue.Clock, _clock, _context);
        }
        while (true)
        {
            while (_dueOfKey.TryDequeue(out var row))
            {
                if (_entries.All.FirstOrDefault(entry => entry.Row == row) is not { } entry) continue;
                Call(entry);
                return true;
            }
            Keep();
            if (!_due.Next(_writer!, _dueOfKey, out _key, out var newest)) return false;
            _entries.Begin(_lease!.State, newest);
        }
    }

    // What the calls for a group changed goes into the state.
    private void Keep()
    {
        if (_state is null) return;
        foreach (var entry in _entries.Read)
        {
            if (!entry.IsToKeep) continue;
            if (entry.Row >= 0) _state.Remove(entry.Row);
            (entry.IsGone ? _batch?.Figures.Removed : _batch?.Figures.Updated)?.Add(1);
            if (!entry.IsGone) _writer!.Add(_key, entry);
        }
        _entries.Begin(null, -1);
    }

    private void Forget(GroupTable state, int row)
    {
        state.Remove(row);
        _batch!.Figures.Removed.Add(1);
    }

    // For the rows of the group; or, where an entry is given, as its time has come.
    private void Call(GroupEntry? due)
    {
        (_given, _next) = ([], 0);
        try
        {
            var results = due is null ? _functions!.OnRows(_key, new GroupRows<TKey, TRow>(_cursor)) : _functions!.OnTime(_key, due);
            if (results is TOut[] all) _given = all;
            else _results = (results ?? throw new InvalidOperationException("It gave null: give an empty list where nothing comes of a group.")).GetEnumerator();
        }
        catch (Exception error) when (_cursor.Error is null && LambdaError.IsOfUser(error))
        {
            throw Named(error);
        }
    }

    private bool MoveNext()
    {
        try
        {
            return _results!.MoveNext();
        }
        catch (Exception error) when (_cursor.Error is null && LambdaError.IsOfUser(error))
        {
            throw Named(error);
        }
    }

    private QueryException Named(Exception error) => new("FAILED_EXECUTE_UDF",
        $"The function of {_program.Verb} threw {error.GetType().Name} for the key {_key}{(_batch is null ? "" : $" in batch {_batch.Number}")}: {error.Message}{LambdaError.Where(error)} "
        + "Mend it and start the query again, which runs the batch anew; or have it catch what rows may be at fault for.");
}
