using Dataflow.Sql.Exchange;
using Dataflow.Sql.Rows;

namespace Dataflow.Streaming.State;

/// <summary>Groups of a span with their states, told apart by shares of the hash of their keys.</summary>
internal sealed unsafe class GroupShares
{
    private readonly RowStore?[] _stores = new RowStore?[StateRun.Shares];
    private readonly TaskArena _arena;
    private readonly ValueList<DataType> _types;
    private readonly int _keys;
    private readonly ulong[] _hashes = new ulong[ColumnBatch.MaxRows];
    private readonly ushort[] _rows = new ushort[ColumnBatch.MaxRows];

    /// <param name="arena">Memory.</param>
    /// <param name="types">Keys and states.</param>
    /// <param name="keys">How many of them are keys.</param>
    public GroupShares(TaskArena arena, ValueList<DataType> types, int keys) => (_arena, _types, _keys) = (arena, types, keys);

    /// <summary>Adds groups.</summary>
    public void Add(ColumnBatch batch)
    {
        var rows = batch.Selection;
        RowHash.Of(batch.Columns.AsSpan(0, _keys), rows, _hashes);
        Span<int> starts = stackalloc int[StateRun.Shares + 1];
        starts.Clear();
        for (var i = 0; i < rows.Length; i++) starts[StateRun.ShareOf(_hashes[i]) + 1]++;
        for (var share = 0; share < StateRun.Shares; share++) starts[share + 1] += starts[share];
        Span<int> next = stackalloc int[StateRun.Shares];
        starts[..StateRun.Shares].CopyTo(next);
        for (var i = 0; i < rows.Length; i++) _rows[next[StateRun.ShareOf(_hashes[i])]++] = rows[i];
        for (var share = 0; share < StateRun.Shares; share++)
        {
            if (starts[share] == starts[share + 1]) continue;
            (_stores[share] ??= new RowStore(_arena, _types)).Append(batch.Columns, _rows.AsSpan(starts[share]..starts[share + 1]));
        }
    }

    /// <summary>Whether there are groups of a share.</summary>
    public bool Has(int share) => _stores[share] is not null;

    /// <summary>The groups of a share, in batches.</summary>
    public IEnumerable<ColumnBatch> Read(int share)
    {
        if (_stores[share] is not { } store) yield break;
        var gatherer = new RowGatherer(_arena, _types);
        for (var first = 0; first < store.Count; first += ColumnBatch.MaxRows)
            yield return gatherer.Gather(store, Enumerable.Range(first, Math.Min(ColumnBatch.MaxRows, store.Count - first)).ToArray());
        gatherer.Return(_arena);
    }

    /// <summary>Gives a share's memory back.</summary>
    public void Drop(int share)
    {
        _stores[share]?.Return();
        _stores[share] = null;
    }
}
