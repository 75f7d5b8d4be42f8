using Dataflow.Sql.Kernels;
using Dataflow.Sql.Lambdas;
using Dataflow.Sql.Records;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Groups;

/// <summary>Puts a key that the program computes in front of the columns of rows.</summary>
internal sealed unsafe class KeyedReader<TKey, TRow> : BatchReader
{
    private readonly BatchReader _input;
    private readonly int[] _positions;
    private readonly Func<TRow, TKey> _key;
    private readonly string _verb;
    private readonly LateFilter? _late;
    private readonly TaskArena _arena;
    private readonly RecordMapper<TRow> _mapper;
    private readonly RecordColumn<TKey>[] _keys;
    private readonly int _plainKey;
    private readonly ColumnBatch _rows;
    private readonly ColumnBatch _output;
    private readonly ulong[] _mask = GC.AllocateArray<ulong>(ColumnBatch.MaxRows / 64, pinned: true);
    private readonly TKey[] _values = new TKey[ColumnBatch.MaxRows];

    public KeyedReader(BatchReader input, int[] positions, Schema schema, Func<TRow, TKey> key, string verb, LateFilter? late, TaskContext context)
    {
        (_input, _positions, _key, _verb, _late) = (input, positions, key, verb, late);
        _arena = new TaskArena(context, "keys");
        _mapper = RecordMapper<TRow>.For(schema);
        var shape = RecordShape<TKey>.Find();
        _keys = [.. Enumerable.Range(0, shape.Schema.Count).Select(shape.Column)];
        foreach (var column in _keys) column.Open(_arena);
        _rows = new ColumnBatch([.. schema.Select(field => new ColumnVector(field.Type))]);
        _plainKey = PlainKey.Find(key, schema);
        _output = new ColumnBatch([.. _keys.Select(column => new ColumnVector(column.Type)), .. _rows.Columns]);
    }

    public override bool TryNext(out ColumnBatch batch)
    {
        batch = _output;
        while (_input.TryNext(out var rows))
        {
            for (var i = 0; i < _positions.Length; i++) _rows.Columns[i].Share(rows.Columns[_positions[i]]);
            _rows.Set(rows.Rows, rows.Mask);
            if (_late is not null) LeaveOut(rows.Columns[_late.Column]);
            if (_rows.Alive == 0) continue;
            if (_plainKey >= 0 && PlainKey.IsKey(_rows.Columns[_plainKey], _rows.Selection)) _output.Columns[0].Share(_rows.Columns[_plainKey]);
            else SetKeys(_mapper.Map(_rows));
            _output.Set(_rows.Rows, _rows.Mask);
            return true;
        }
        return false;
    }

    public override void Dispose()
    {
        _input.Dispose();
        _arena.Dispose();
        base.Dispose();
    }

    // Rows that do not count have the key of one that does, whichever.
    private void SetKeys(TRow[] records)
    {
        var selection = _rows.Selection;
        for (var i = 0; i < records.Length; i++) _values[selection[i]] = KeyOf(records[i]);
        if (records.Length < _rows.Rows)
        {
            var next = 0;
            for (var row = 0; row < _rows.Rows; row++)
            {
                if (next < selection.Length && selection[next] == row) next++;
                else _values[row] = _values[selection[0]];
            }
        }
        for (var i = 0; i < _keys.Length; i++)
        {
            _keys[i].Clear();
            _keys[i].Append(_values.AsSpan(0, _rows.Rows));
            _output.Columns[i].Share(_keys[i].Vector);
        }
    }

    private TKey KeyOf(TRow row)
    {
        TKey key;
        try
        {
            key = _key(row);
        }
        catch (Exception error) when (LambdaError.IsOfUser(error))
        {
            throw LambdaError.Of("GroupByKey", error);
        }
        return key is not null || _keys.Length == 1 ? key : throw new QueryException("NULL_VALUE", $"The key that GroupByKey computes for {_verb} is null for the row {row}. Give a {typeof(TKey).Name} for each row, or filter such rows before.");
    }

    private void LeaveOut(ColumnVector times)
    {
        var left = 0;
        var selection = _rows.Selection;
        fixed (ulong* mask = _mask)
        {
            Bits.Zero(mask, _rows.Rows);
            foreach (var row in selection)
            {
                if (!times.IsNull(row) && *(long*)times.ValueAt(row) < _late!.Before) continue;
                Bits.Set(mask, row);
                left++;
            }
            if (left < selection.Length) _late!.Count.Add(selection.Length - left);

            // The array is pinned.
            _rows.Set(_rows.Rows, mask);
        }
    }
}
