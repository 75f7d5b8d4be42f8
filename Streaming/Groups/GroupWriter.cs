using Dataflow.Sql.Records;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Groups;

/// <summary>Puts what changed of groups into the state, many rows at a time.</summary>
internal sealed class GroupWriter<TKey> : IDisposable
{
    private readonly GroupTable _table;
    private readonly GroupNames _names;
    private readonly TaskContext _context;
    private readonly TaskArena _arena;
    // So few that they go before the garbage collector comes by.
    private const int Most = 1024;

    private readonly TKey[] _keys = new TKey[Most];
    private readonly Row[] _rows = new Row[Most];
    private readonly RecordColumn<TKey>[] _keyColumns;
    private readonly RecordColumn<Row>[] _rowColumns;
    private readonly ColumnVector[] _columns;
    private readonly ushort[] _all = [.. Enumerable.Range(0, Most).Select(row => (ushort)row)];
    private int _count;

    public GroupWriter(GroupTable table, GroupNames names, TaskContext context)
    {
        (_table, _names, _context) = (table, names, context);
        _arena = new TaskArena(context, "group state");
        var shape = RecordShape<TKey>.Find();
        _keyColumns = [.. Enumerable.Range(0, shape.Schema.Count).Select(shape.Column)];
        _rowColumns =
        [
            new RecordColumn<Row, string>(GroupTable.Values[0], row => row.Name),
            new RecordColumn<Row, byte[]?>(GroupTable.Values[1], row => row.Part),
            new RecordColumn<Row, byte[]?>(GroupTable.Values[2], row => row.Value),
            new RecordColumn<Row, long?>(GroupTable.Values[3], row => row.Time),
            new RecordColumn<Row, int>(GroupTable.Values[4], row => row.Due),
        ];
        foreach (var column in _keyColumns) column.Open(_arena);
        foreach (var column in _rowColumns) column.Open(_arena);
        _columns = [.. _keyColumns.Select(column => column.Vector), .. _rowColumns.Select(column => column.Vector)];
    }

    /// <summary>Takes an entry that came, or changed.</summary>
    public void Add(TKey key, GroupEntry entry)
    {
        if (_count == _rows.Length) Flush();
        _keys[_count] = key;
        _rows[_count++] = new Row(_names[entry.Slot], entry.Part, entry.Value, entry.Due == GroupDue.None ? null : entry.Time, (int)entry.Due);
    }

    /// <summary>Puts into the state what is not there yet.</summary>
    public void Flush()
    {
        if (_count == 0) return;
        foreach (var column in _keyColumns)
        {
            column.Clear();
            column.Append(_keys.AsSpan(0, _count));
        }
        foreach (var column in _rowColumns)
        {
            column.Clear();
            column.Append(_rows.AsSpan(0, _count));
        }
        _table.Add(_columns, _all.AsSpan(0, _count), _context);
        _rows.AsSpan(0, _count).Clear();
        _count = 0;
    }

    public void Dispose() => _arena.Dispose();

    private readonly record struct Row(string Name, byte[] Part, byte[]? Value, long? Time, int Due);
}
