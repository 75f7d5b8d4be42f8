using System.Runtime.InteropServices;
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
        Load([table], folder, chain, context, table);
        return table;
    }

    /// <summary>Fills tables that are written into the same files.</summary>
    /// <param name="tables">The tables, without rows.</param>
    /// <param name="folder">Where the files lie.</param>
    /// <param name="chain">The files, the oldest first.</param>
    /// <param name="context">The task.</param>
    /// <param name="owner">Disposed if a file can't be read.</param>
    public static void Load(StateTable[] tables, string folder, string[] chain, TaskContext context, IDisposable owner)
    {
        using var arena = new TaskArena(context, "state read");
        var readers = Array.ConvertAll(tables, table => new FrameReader(arena, table.Layout.Types));
        try
        {
            foreach (var file in chain)
            {
                foreach (var (kind, span, bytes) in StateFile.Read(FilePath.Combine(folder, file)))
                {
                    context.ThrowIfCancelled();
                    tables[kind / StateFile.OfTable].Apply(kind % StateFile.OfTable, span, bytes.Span, readers[kind / StateFile.OfTable], context);
                }
            }
            foreach (var table in tables) table.Begin();
        }
        catch
        {
            owner.Dispose();
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
    /// <param name="marks">A bit for each row of the columns that is marked at once; null if none is.</param>
    /// <param name="context">The task.</param>
    public void Add(ReadOnlySpan<ColumnVector> columns, ReadOnlySpan<ushort> rows, ulong* marks, TaskContext context)
    {
        for (var left = Begin(columns, rows); left > 0;)
        {
            left = NextSpan(left, out var start, out var same);
            var span = SpanOf(start, context);
            var first = span.Numbers;
            span.Add(columns, same);
            if (marks == null) continue;
            for (var i = 0; i < same.Length; i++)
            {
                if ((marks[same[i] >> 6] >> (same[i] & 63) & 1) != 0) span.Mark(first + i);
            }
        }
    }

    /// <summary>Adds rows whose keys have none in their span.</summary>
    /// <param name="columns">Keys, then values.</param>
    /// <param name="rows">Which rows of them; no two have one key.</param>
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

    public override void Write(StateFile.Writer file, bool all, TaskContext context) => Write(file, 0, all, context);

    /// <summary>Writes what the batch changed, or all, into a file that may hold other tables too.</summary>
    /// <param name="file">The file.</param>
    /// <param name="table">Which of its tables this is.</param>
    /// <param name="all">Whether everything is written.</param>
    /// <param name="context">The task.</param>
    public void Write(StateFile.Writer file, int table, bool all, TaskContext context)
    {
        using var arena = new TaskArena(context, "state write");
        var first = table * StateFile.OfTable;
        if (all)
        {
            Compact(context, arena);
        }
        else
        {
            foreach (var span in _dropped) file.Write(first + StateFile.Dropped, span, []);
        }
        foreach (var (start, span) in _spans) span.Write(file, first, start, all, arena);
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
        StateTimes.Read(times, rows, _starts);
        var (start, end) = (0L, 0L);
        for (var i = 0; i < rows.Length; i++)
        {
            if (times.IsNull(rows[i]))
            {
                _starts[i] = Always;
                continue;
            }

            // Most rows are of the span of the one before.
            var time = _starts[i];
            if (time < start || time >= end) (start, end) = (StartOf(time), EndOf(StartOf(time)));
            _starts[i] = start;
        }
        return rows.Length;
    }

    // The rows that are of the same span as the first; the others stay. A batch has rows of few spans.
    private int NextSpan(int left, out long start, out ReadOnlySpan<ushort> same)
    {
        start = _starts[0];
        if (!_starts.AsSpan(0, left).ContainsAnyExcept(start))
        {
            same = _rows.AsSpan(0, left);
            return 0;
        }
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

    private void Apply(int kind, long start, ReadOnlySpan<byte> bytes, FrameReader reader, TaskContext context)
    {
        switch (kind)
        {
            case StateFile.Dropped: Remove(start); break;
            case StateFile.Removed: _spans[start].Remove(MemoryMarshal.Cast<byte, int>(bytes)); break;
            case StateFile.Marked: _spans[start].Mark(MemoryMarshal.Cast<byte, int>(bytes)); break;
            default:
                fixed (byte* frame = bytes)
                {
                    var batch = reader.Read(new ReadOnlySpan<byte>(frame, bytes.Length));
                    SpanOf(start, context).Add(batch.Columns, batch.Selection);
                }
                break;
        }
    }

    // Rows get new numbers, here and for who reads the file that is written of them.
    private void Compact(TaskContext context, TaskArena arena)
    {
        foreach (var (start, span) in _spans.ToArray())
        {
            if (span.Removed == 0) continue;
            if (span.Count > 0) _spans[start] = span.Compact(new StateSpan(layout, context), arena);
            else _spans.Remove(start);
            span.Dispose();
        }
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
