using System.Runtime.InteropServices;
using Dataflow.Files;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Rows;
using Dataflow.Streaming.State;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Checkpoints;

/// <summary>A file of state for each partition, into which rows are put where the exchange of the query will put rows of their keys.</summary>
/// <param name="folder">Of the operator's state.</param>
/// <param name="nameOf">By partition: the name of its file, below the folder.</param>
/// <param name="isAway">Whether it is state that was put away.</param>
/// <param name="sides">The columns of each table.</param>
/// <param name="arena">Memory for rows that wait: at most a batch of each partition.</param>
internal sealed unsafe class SplitState(string folder, string[] nameOf, bool isAway, StateSide[] sides, TaskArena arena) : IDisposable
{
    private readonly StateFile.Writer?[] _files = new StateFile.Writer?[nameOf.Length];
    private readonly RowStore?[][] _stores = [.. sides.Select(_ => new RowStore?[nameOf.Length])];
    private readonly ValueList<DataType>[] _types = [.. sides.Select(side => side.Types())];
    private readonly Dictionary<(int Partition, int Side, long Span), (int Rows, List<int> Marks)> _rows = [];
    private readonly ulong[] _hashes = new ulong[ColumnBatch.MaxRows];
    private readonly int[] _targets = new int[ColumnBatch.MaxRows];
    private readonly ushort[] _placed = new ushort[ColumnBatch.MaxRows];
    private readonly int[] _starts = new int[nameOf.Length + 1];
    private readonly int[] _next = new int[nameOf.Length];
    private (int Side, long Span, int Share) _now = (-1, 0, 0);

    /// <summary>Adds rows.</summary>
    /// <param name="side">Of which table.</param>
    /// <param name="span">Of which span of times.</param>
    /// <param name="share">Of which share of the hashes; -1 for none.</param>
    /// <param name="batch">Keys and values.</param>
    /// <param name="isMarked">Whether a row is marked, by its place among those that count; null where none is.</param>
    public void Add(int side, long span, int share, ColumnBatch batch, Func<int, bool>? isMarked)
    {
        if (_now != (side, span, share)) Flush();
        _now = (side, span, share);
        var rows = batch.Selection;
        RowHash.Of(batch.Columns.AsSpan(0, sides[side].Keys.Length), rows, _hashes);
        _starts.AsSpan().Clear();
        for (var i = 0; i < rows.Length; i++)
        {
            _targets[i] = PartitionWriter.PartitionOf(_hashes[i], (ulong)nameOf.Length);
            _starts[_targets[i] + 1]++;
            if (!isAway) Note(_targets[i], isMarked?.Invoke(i) ?? false);
        }

        // Counted, then put in order: each file takes its rows at once.
        for (var partition = 0; partition < nameOf.Length; partition++) _starts[partition + 1] += _starts[partition];
        _starts.AsSpan(0, nameOf.Length).CopyTo(_next);
        for (var i = 0; i < rows.Length; i++) _placed[_next[_targets[i]]++] = rows[i];
        for (var partition = 0; partition < nameOf.Length; partition++) Append(partition, batch, _placed.AsSpan(_starts[partition].._starts[partition + 1]));
    }

    /// <summary>Makes the files appear, once they are on the disk.</summary>
    /// <returns>By partition: whether it has one.</returns>
    public bool[] Commit()
    {
        Flush();
        foreach (var ((partition, side, span), (_, marks)) in _rows)
        {
            if (marks.Count > 0) _files[partition]!.Write((side * StateFile.OfTable) + StateFile.Marked, span, MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(marks)));
        }
        foreach (var file in _files) file?.Commit(durable: true);
        return Array.ConvertAll(_files, file => file is not null);
    }

    public void Dispose()
    {
        foreach (var file in _files) file?.Dispose();
        foreach (var store in _stores.SelectMany(stores => stores)) store?.Return();
    }

    private void Append(int partition, ColumnBatch batch, ReadOnlySpan<ushort> rows)
    {
        while (rows.Length > 0)
        {
            var store = _stores[_now.Side][partition] ??= new RowStore(arena, _types[_now.Side]);
            var count = Math.Min(rows.Length, ColumnBatch.MaxRows - store.Count);
            store.Append(batch.Columns, rows[..count]);
            rows = rows[count..];
            if (store.Count == ColumnBatch.MaxRows) Flush(partition);
        }
    }

    // Rows get numbers in their new span, in order: marks name them.
    private void Note(int partition, bool isMarked)
    {
        var place = (partition, _now.Side, _now.Span);
        if (!_rows.TryGetValue(place, out var there)) there = (0, []);
        if (isMarked) there.Marks.Add(there.Rows);
        _rows[place] = (there.Rows + 1, there.Marks);
    }

    private void Flush()
    {
        for (var partition = 0; partition < nameOf.Length && _now.Side >= 0; partition++) Flush(partition);
    }

    private void Flush(int partition)
    {
        if (_stores[_now.Side][partition] is not { Count: > 0 } store) return;
        arena.ThrowIfCancelled();
        var file = _files[partition] ??= new StateFile.Writer(FilePath.Combine(folder, nameOf[partition]));
        var frame = new byte[Frame.SizeOf(store)];
        fixed (byte* bytes = frame) Frame.Write(store, bytes);
        if (isAway) file.WriteShare(_now.Span, _now.Share, store.Count, frame);
        else file.Write((_now.Side * StateFile.OfTable) + StateFile.Rows, _now.Span, frame);
        store.Clear();
    }
}
