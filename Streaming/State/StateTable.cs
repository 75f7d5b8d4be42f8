using Dataflow.Files;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Rows;
using Dataflow.Tasks;

namespace Dataflow.Streaming.State;

/// <summary>What the rows of a state are.</summary>
/// <param name="Keys">Types of the columns that rows are found by, which stand first.</param>
/// <param name="Values">Types of the others.</param>
/// <param name="Time">Which of the others has the time, in microseconds, that the row is kept for; -1 if rows have none.</param>
/// <param name="SpanMicroseconds">Rows of so long a span of times are kept together, and forgotten together.</param>
internal sealed record StateLayout(ValueList<DataType> Keys, ValueList<DataType> Values, int Time, long SpanMicroseconds)
{
    /// <summary>All columns, the keys first.</summary>
    public ValueList<DataType> Types => [.. Keys, .. Values];
}

/// <summary>
/// Rows of one partition between batches, any number for a key: a <see cref="StateSpan"/> for each span of times, so that what is over is dropped whole, without a look at
/// the others.
/// </summary>
/// <remarks>A row is added, may be marked once, and is removed: by itself or with its span. Rows without a time are of a span of their own, which is never over.</remarks>
internal sealed unsafe class StateTable(StateLayout layout) : PartitionState
{
    /// <summary>The span of rows without a time.</summary>
    public const long Always = long.MinValue;

    private readonly SortedDictionary<long, StateSpan> _spans = [];
    private readonly HashSet<long> _dropped = [];
    private readonly long[] _starts = new long[ColumnBatch.MaxRows];
    private readonly ushort[] _rows = new ushort[ColumnBatch.MaxRows];
    private readonly ushort[] _same = new ushort[ColumnBatch.MaxRows];
    private readonly ushort[] _added = new ushort[ColumnBatch.MaxRows];

    /// <summary>What the rows are.</summary>
    public StateLayout Layout => layout;

    public override long Count => _spans.Values.Sum(span => (long)span.Count);

    public override bool HasChanged => _dropped.Count > 0 || _spans.Values.Any(span => span.HasChanged);

    public override bool IsSparse => _spans.Values.Sum(span => (long)span.Removed) > Math.Max(Count, ColumnBatch.MaxRows);

    /// <summary>Rows by span of times, the earliest first; those without a time before all.</summary>
    public IEnumerable<KeyValuePair<long, StateSpan>> Spans => _spans;

    /// <summary>Makes it from its files, one after the other.</summary>
    public static StateTable Load(StateLayout layout, string folder, string[] chain, TaskContext context)
    {
        var table = new StateTable(layout);
        using var arena = new TaskArena(context, "state read");
        var reader = new FrameReader(arena, layout.Types);
        try
        {
            foreach (var file in chain)
            {
                foreach (var (kind, span, bytes) in StateFile.Read(FilePath.Combine(folder, file)))
                {
                    context.ThrowIfCancelled();
                    switch (kind)
                    {
                        case StateFile.Dropped: table.Remove(span); break;
                        case StateFile.Removed: table._spans[span].Remove(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(bytes)); break;
                        case StateFile.Marked: table._spans[span].Mark(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(bytes)); break;
                        default:
                            fixed (byte* frame = bytes)
                            {
                                var batch = reader.Read(new ReadOnlySpan<byte>(frame, bytes.Length));
                                table.SpanOf(span, context).Add(batch.Columns, batch.Selection);
                            }
                            break;
                    }
                }
            }
            table.Begin();
            return table;
        }
        catch
        {
            table.Dispose();
            throw;
        }
    }

    public override void Begin()
    {
        _dropped.Clear();
        foreach (var span in _spans.Values) span.Begin();
    }

    /// <summary>Adds rows.</summary>
    /// <param name="columns">Keys, then values.</param>
    /// <param name="rows">Which rows of them.</param>
    /// <param name="context">The task.</param>
    public void Add(ReadOnlySpan<ColumnVector> columns, ReadOnlySpan<ushort> rows, TaskContext context)
    {
        for (var left = Begin(columns, rows); left > 0;)
        {
            left = NextSpan(left, out var start, out var same);
            SpanOf(start, context).Add(columns, same);
        }
    }

    /// <summary>Adds rows whose keys have none in their span: of several with one key the first.</summary>
    /// <param name="columns">Keys, then values.</param>
    /// <param name="rows">Which rows of them.</param>
    /// <param name="mask">A bit is set for each row that was added.</param>
    /// <param name="context">The task.</param>
    public void AddNew(ReadOnlySpan<ColumnVector> columns, ReadOnlySpan<ushort> rows, ulong* mask, TaskContext context)
    {
        for (var left = Begin(columns, rows); left > 0;)
        {
            left = NextSpan(left, out var start, out var same);
            var count = SpanOf(start, context).AddNew(columns, same, _added);
            foreach (var row in _added.AsSpan(0, count)) mask[row >> 6] |= 1UL << (row & 63);
        }
    }

    /// <summary>The spans in which all rows have a time before one.</summary>
    public long[] Before(long time) => [.. _spans.Keys.TakeWhile(span => span == Always || EndOf(span) <= time).Where(span => span != Always)];

    /// <summary>When a span ends: all its rows have an earlier time.</summary>
    public long EndOf(long span) => span > long.MaxValue - layout.SpanMicroseconds ? long.MaxValue : span + layout.SpanMicroseconds;

    /// <summary>The rows of a span.</summary>
    public StateSpan this[long span] => _spans[span];

    /// <summary>Forgets a span.</summary>
    public void Drop(long span)
    {
        if (Remove(span)) _dropped.Add(span);
    }

    public override void Write(string path, bool all, TaskContext context)
    {
        using var file = new StateFile.Writer(path);
        using var arena = new TaskArena(context, "state write");
        if (all)
        {
            // Rows get new numbers, here and for who reads the file.
            foreach (var (start, span) in _spans.ToArray())
            {
                if (span.Removed == 0) continue;
                if (span.Count > 0) _spans[start] = span.Compact(new StateSpan(layout, context), arena);
                else _spans.Remove(start);
                span.Dispose();
            }
        }
        else
        {
            foreach (var span in _dropped) file.Write(StateFile.Dropped, span, []);
        }
        foreach (var (start, span) in _spans) span.Write(file, start, all, arena);
        file.Commit();
    }

    public override void Dispose()
    {
        foreach (var span in _spans.Values) span.Dispose();
        _spans.Clear();
    }

    // Notes of which span each row is.
    private int Begin(ReadOnlySpan<ColumnVector> columns, ReadOnlySpan<ushort> rows)
    {
        rows.CopyTo(_rows);
        if (layout.Time < 0)
        {
            _starts.AsSpan(0, rows.Length).Fill(Always);
            return rows.Length;
        }
        var times = columns[layout.Keys.Count + layout.Time];
        for (var i = 0; i < rows.Length; i++) _starts[i] = times.IsNull(rows[i]) ? Always : StartOf(*(long*)times.ValueAt(rows[i]));
        return rows.Length;
    }

    // The rows that are of the same span as the first; the others stay. A batch has rows of few spans.
    private int NextSpan(int left, out long start, out ReadOnlySpan<ushort> same)
    {
        start = _starts[0];
        var (count, others) = (0, 0);
        for (var i = 0; i < left; i++)
        {
            if (_starts[i] == start)
            {
                _same[count++] = _rows[i];
                continue;
            }
            (_rows[others], _starts[others++]) = (_rows[i], _starts[i]);
        }
        same = _same.AsSpan(0, count);
        return others;
    }

    private bool Remove(long start)
    {
        if (!_spans.Remove(start, out var span)) return false;
        span.Dispose();
        return true;
    }

    /// <summary>When the span begins that a time falls into.</summary>
    public long StartOf(long time)
    {
        var rest = time % layout.SpanMicroseconds;
        return time - (rest < 0 ? rest + layout.SpanMicroseconds : rest);
    }

    private StateSpan SpanOf(long start, TaskContext context)
    {
        if (!_spans.TryGetValue(start, out var span)) _spans.Add(start, span = new StateSpan(layout, context));
        return span;
    }
}
