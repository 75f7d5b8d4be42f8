using Dataflow.Sql.Rows;
using Dataflow.Streaming.State;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Groups;

/// <summary>
/// What a partition keeps of its groups: a row for each entry, found by the group's key, and by its time once that has come.
/// </summary>
/// <remarks>Rows are never changed: an entry that changes is another row, and its old one is removed. What is found by time is not written, and made again from the rows.</remarks>
internal sealed unsafe class GroupTable : PartitionState
{
    /// <summary>Values of a row behind the key: name, part, value, time, what the time is for.</summary>
    public static readonly ValueList<DataType> Values = [DataType.String, DataType.Binary, DataType.Binary, DataType.BigInt, DataType.Int];

    /// <summary>What <see cref="Values"/> are called when they are read as a table.</summary>
    public static readonly string[] Names = ["name", "part", "value", "time", "due"];

    private const int Name = 0, Part = 1, Value = 2, Time = 3, Due = 4;

    private readonly StateTable _rows;
    private readonly TaskArena _arena;
    private readonly TimeHeap[] _times;
    private StateSpan? _span;
    private int _queued;

    private GroupTable(StateTable rows, TaskContext context)
    {
        (_rows, _arena) = (rows, TaskArena.OfState(context, "stream timers"));
        _times = [new(_arena), new(_arena), new(_arena), new(_arena)];
    }

    public static GroupTable Load(StateLayout layout, string folder, string[] chain, TaskContext context) => new(StateTable.Load(layout, folder, chain, context), context);

    public override long Count => _rows.Count;

    public override bool HasChanged => _rows.HasChanged;

    public override bool IsSparse => _rows.IsSparse;

    /// <summary>What the rows are.</summary>
    public StateLayout Layout => _rows.Layout;

    private StateSpan? Span => _span ??= _rows.Spans.Select(span => span.Value).FirstOrDefault();

    public override void Begin()
    {
        _rows.Begin();
        _span = null;
    }

    /// <summary>The newest row of each key; -1 for none.</summary>
    public void Find(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> found)
    {
        if (Span is { } span) span.Find(keys, rows, found);
        else found[..rows.Length].Fill(-1);
    }

    /// <summary>The entries of a key.</summary>
    /// <param name="row">Its newest row.</param>
    /// <param name="names">The names that entries stand under; others are left as they are.</param>
    /// <param name="entries">They are added here, the oldest first.</param>
    public void Read(int row, GroupNames names, List<GroupEntry> entries)
    {
        var span = Span!;
        for (; row >= 0; row = span.Next(row))
        {
            var slot = names.Find(BytesOf(span.Column(Name), row));
            if (slot < 0) continue;
            var isTimed = !span.Column(Time).IsNull(row);
            entries.Add(new GroupEntry(slot, BytesOf(span.Column(Part), row).ToArray(), row)
            {
                Value = span.Column(Value).IsNull(row) ? null : BytesOf(span.Column(Value), row).ToArray(),
                Time = isTimed ? ((long*)span.Column(Time).Data)[row] : 0,
                Due = isTimed ? DueOf(span, row) : GroupDue.None,
            });
        }
        entries.Reverse();
    }

    /// <summary>Forgets a row.</summary>
    public void Remove(int row) => Span!.Remove(row);

    /// <summary>Adds rows.</summary>
    /// <param name="columns">Keys, then <see cref="Values"/>.</param>
    /// <param name="rows">Which rows of them.</param>
    /// <param name="context">The task.</param>
    public void Add(ReadOnlySpan<ColumnVector> columns, ReadOnlySpan<ushort> rows, TaskContext context) => _rows.Add(columns, rows, null, context);

    /// <summary>Takes rows whose time has come, the earliest first: they are not named again. Only those that were there when <see cref="Queue"/> was called.</summary>
    /// <param name="due">What the time is for.</param>
    /// <param name="now">The time.</param>
    /// <param name="found">Filled.</param>
    /// <returns>How many there are; 0 when there are no more.</returns>
    public int TakeDue(GroupDue due, long now, Span<int> found)
    {
        var times = _times[(int)due];
        var count = 0;
        while (count < found.Length && times.TryPeek(out var row, out var time) && time <= now)
        {
            if (Span!.Has(row)) found[count++] = row;
            times.Dequeue();
        }
        return count;
    }

    /// <summary>The earliest time of a kind; null for none.</summary>
    public long? EarliestOf(GroupDue due)
    {
        Queue();
        var times = _times[(int)due];
        while (times.TryPeek(out var row, out var time))
        {
            if (Span!.Has(row)) return time;
            times.Dequeue();
        }
        return null;
    }

    /// <summary>Has rows found by time that came since.</summary>
    public void Queue()
    {
        if (Span is not { } span || _queued == span.Numbers) return;
        var (first, times, dues) = (_queued, span.Column(Time), span.Column(Due));
        _queued = span.Numbers;
        for (var row = first; row < span.Numbers; row++)
        {
            if (!times.IsNull(row) && span.Has(row)) _times[((int*)dues.Data)[row]].Enqueue(row, ((long*)times.Data)[row]);
        }

        // Those whose rows were removed stay until their time comes, or until they are the most.
        if (first == 0 || _times.Sum(each => (long)each.Count) <= (2L * span.Count) + ColumnBatch.MaxRows) return;
        Forget();
        Queue();
    }

    /// <summary>Copies rows into vectors: keys, then values.</summary>
    public void Gather(ReadOnlySpan<int> rows, ReadOnlySpan<FlatVector> columns) => Span!.Gather(rows, columns);

    public override void Write(StateFile.Writer file, bool all, TaskContext context)
    {
        _rows.Write(file, all, context);

        // Rows may have other numbers now.
        if (all) Forget();
        _span = null;
    }

    public override void Dispose()
    {
        Forget();
        _arena.Dispose();
        _rows.Dispose();
    }

    private void Forget()
    {
        _queued = 0;
        foreach (var times in _times) times.Clear();
    }

    private static ReadOnlySpan<byte> BytesOf(ColumnStore column, int row) => StringView.BytesOf((StringView*)column.Data + row);

    private static GroupDue DueOf(StateSpan span, int row) => (GroupDue)((int*)span.Column(Due).Data)[row];
}
