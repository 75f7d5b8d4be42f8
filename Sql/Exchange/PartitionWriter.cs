using Dataflow.Shuffle;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Rows;

namespace Dataflow.Sql.Exchange;

/// <summary>Places rows by partition and hands them over as frames of at most a batch's rows.</summary>
internal sealed unsafe class PartitionWriter
{
    // Few columns and partitions fill a batch; many would hold too much memory before they do.
    private const long MostBytes = 8 << 20;

    private readonly Distribution _distribution;
    private readonly MapOutputWriter _output;
    private readonly RowStore[] _stores;
    private readonly int _frameRows;
    private readonly ulong[] _hashes = new ulong[ColumnBatch.MaxRows];
    private readonly ushort[] _placed = new ushort[ColumnBatch.MaxRows];
    private readonly int[] _targets = new int[ColumnBatch.MaxRows];
    private readonly int[] _starts;
    private int _next;

    public PartitionWriter(Distribution distribution, IReadOnlyList<DataType> types, MapOutputWriter output, TaskArena arena)
    {
        _distribution = distribution;
        _output = output;
        _stores = [.. Enumerable.Range(0, distribution.Partitions).Select(_ => new RowStore(arena, types))];
        _starts = new int[distribution.Partitions + 1];
        var width = Math.Max(8, types.Sum(type => Math.Max(1, type.ByteWidth)));
        _frameRows = (int)Math.Clamp(MostBytes / width / distribution.Partitions, 256, ColumnBatch.MaxRows);
    }

    /// <summary>Adds the rows of a batch that count.</summary>
    public void Add(ColumnBatch batch)
    {
        var rows = batch.Selection;
        if (_stores.Length == 1)
        {
            Add(0, batch, rows);
            return;
        }
        Place(batch, rows);

        // Counted, then put in order: each store takes its rows at once.
        _starts.AsSpan().Clear();
        for (var i = 0; i < rows.Length; i++) _starts[_targets[i] + 1]++;
        for (var i = 0; i < _stores.Length; i++) _starts[i + 1] += _starts[i];
        Span<int> next = stackalloc int[Math.Min(_stores.Length, 1024)];
        if (_stores.Length > next.Length) next = new int[_stores.Length];
        _starts.AsSpan(0, _stores.Length).CopyTo(next);
        for (var i = 0; i < rows.Length; i++) _placed[next[_targets[i]]++] = rows[i];
        for (var i = 0; i < _stores.Length; i++)
        {
            if (_starts[i + 1] > _starts[i]) Add(i, batch, _placed.AsSpan(_starts[i], _starts[i + 1] - _starts[i]));
        }
    }

    /// <summary>Hands over what is left.</summary>
    public void Finish()
    {
        for (var i = 0; i < _stores.Length; i++) Flush(i);
    }

    private void Place(ColumnBatch batch, ReadOnlySpan<ushort> rows)
    {
        if (_distribution is not HashDistribution hash)
        {
            for (var i = 0; i < rows.Length; i++)
            {
                _targets[i] = _next;
                _next = _next + 1 == _stores.Length ? 0 : _next + 1;
            }
            return;
        }
        var keys = new ColumnVector[hash.Keys.Count];
        for (var i = 0; i < keys.Length; i++) keys[i] = batch.Columns[hash.Keys[i]];
        RowHash.Of(keys, rows, _hashes);
        for (var i = 0; i < rows.Length; i++) _targets[i] = (int)((_hashes[i] >> 32) * (ulong)_stores.Length >> 32);
    }

    private void Add(int partition, ColumnBatch batch, ReadOnlySpan<ushort> rows)
    {
        var store = _stores[partition];
        while (rows.Length > 0)
        {
            var count = Math.Min(rows.Length, _frameRows - store.Count);
            store.Append(batch.Columns, rows[..count]);
            rows = rows[count..];
            if (store.Count == _frameRows) Flush(partition);
        }
    }

    private void Flush(int partition)
    {
        var store = _stores[partition];
        if (store.Count == 0) return;
        var size = Frame.SizeOf(store);
        var buffer = _output.Pool.Rent(size + TaskArena.Slack);
        Frame.Write(store, buffer.Pointer);
        _output.Add(partition, 0, buffer, size, store.Count);
        store.Clear();
    }
}
