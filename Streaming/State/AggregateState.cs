using Dataflow.Files;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Rows;
using Dataflow.Tasks;

namespace Dataflow.Streaming.State;

/// <summary>
/// The groups of one partition of an aggregate, between batches: a table for each span of times, so that what becomes final is dropped whole, without a look at the
/// others. What no longer fits into memory is put away as runs (<see cref="StateRun"/>).
/// </summary>
internal sealed unsafe partial class AggregateState(ValueList<DataType> keys, ValueList<AggregateCall> calls, TimeKey? time) : PartitionState
{
    /// <summary>The span of aggregates without a time.</summary>
    public const long Always = long.MinValue;

    private const long MostExpected = 1 << 25;

    private readonly SortedDictionary<long, Span> _spans = [];
    private readonly ulong[] _mask = GC.AllocateArray<ulong>(ColumnBatch.MaxRows / 64, pinned: true);
    private readonly ushort[] _rows = new ushort[ColumnBatch.MaxRows];
    private readonly long[] _starts = new long[ColumnBatch.MaxRows];
    private readonly HashSet<long> _dropped = [];
    private TaskArena? _outputArena;
    private GroupOutput? _output;
    private long[] _leaving = [];

    /// <summary>Groups; one that was put away and came again counts again.</summary>
    public override long Count => _spans.Values.Sum(span => (long)span.Groups.Count) + _runs.Sum(run => run.Spans.Sum(run.CountOf));

    /// <summary>Makes it from its files: from the newest on, of which each group is taken where it is met first.</summary>
    public static AggregateState Load(ValueList<DataType> keys, ValueList<AggregateCall> calls, TimeKey? time, string folder, string[] chain, TaskContext context)
    {
        var state = new AggregateState(keys, calls, time);
        using var arena = new TaskArena(context, "state read");
        var reader = new FrameReader(arena, state.StateTypes);
        var ended = new HashSet<long>();
        try
        {
            for (var i = chain.Length - 1; i >= 0; i--)
            {
                var drops = new HashSet<long>();
                if (StateChain.IsPutAway(chain[i]))
                {
                    state._runs.Insert(0, StateRun.Open(FilePath.Combine(folder, chain[i]), ended, drops));
                    ended.UnionWith(drops);
                    continue;
                }
                var expected = time is null && StateChain.KindOf(chain[i]) == StateFileKind.Snapshot ? StateFile.LengthOf(FilePath.Combine(folder, chain[i])) : 0;
                foreach (var (kind, span, bytes) in StateFile.Read(FilePath.Combine(folder, chain[i])))
                {
                    context.ThrowIfCancelled();
                    if (kind == StateFile.Dropped) drops.Add(span);
                    else if (!ended.Contains(span)) state.Restore(span, reader, bytes.Span, expected, context);
                    expected = 0;
                }

                // What came before a span was dropped is not there any more; what came after, in newer files, is.
                ended.UnionWith(drops);
            }
            state.Settle();
            return state;
        }
        catch
        {
            state.Dispose();
            throw;
        }
    }

    public override void Begin()
    {
        _leaving = [];
        _dropped.Clear();
        foreach (var span in _spans.Values) span.Changed.Clear();
    }

    /// <summary>Adds states of groups.</summary>
    /// <param name="batch">Keys and states.</param>
    /// <param name="watermark">Groups that ended before are left out.</param>
    /// <param name="context">The task.</param>
    /// <returns>How many were left out.</returns>
    public long Merge(ColumnBatch batch, long watermark, TaskContext context)
    {
        if (time is null)
        {
            Merge(SpanOf(Always, context), batch);
            return 0;
        }
        var late = 0L;
        var times = batch.Columns[time.Position];
        var rows = _rows.AsSpan(0, batch.Alive);
        var spans = _starts.AsSpan(0, batch.Alive);
        batch.Selection.CopyTo(rows);
        for (var i = 0; i < rows.Length; i++) spans[i] = times.IsNull(rows[i]) ? Always : StartOf(*(long*)times.ValueAt(rows[i]));

        // A batch has rows of few spans.
        var saved = batch.Save();
        fixed (ulong* mask = _mask)
        {
            for (var first = 0; first < rows.Length; first++)
            {
                var span = spans[first];
                if (span == long.MaxValue) continue;
                Bits.Zero(mask, batch.Rows);
                var count = 0;
                for (var i = first; i < rows.Length; i++)
                {
                    if (spans[i] != span) continue;
                    Bits.Set(mask, rows[i]);
                    spans[i] = long.MaxValue;
                    count++;
                }

                // No time is no time at all: such a group is never final.
                if (span != Always && EndOf(span) <= watermark)
                {
                    late += count;
                    continue;
                }
                batch.Set(batch.Rows, mask);
                Merge(SpanOf(span, context), batch);
                batch.Restore(saved);
            }
        }
        return late;
    }

    /// <summary>The spans that are final, and those that are not, in order.</summary>
    public IEnumerable<long> Final(long watermark) => time is null ? [] : [.. Spans.TakeWhile(span => span == Always || EndOf(span) <= watermark).Where(span => span != Always)];

    /// <summary>All spans.</summary>
    public IEnumerable<long> Spans => _runs.Count == 0 ? [.. _spans.Keys] : _spans.Keys.Concat(_runs.SelectMany(run => run.Spans)).Distinct().Order().ToArray();

    /// <summary>Forgets a span.</summary>
    public void Drop(long span)
    {
        var isThere = false;
        foreach (var run in _runs) isThere |= run.Drop(span);
        if (_spans.Remove(span, out var dropped))
        {
            dropped.Dispose();
            isThere = true;
        }
        if (isThere) _dropped.Add(span);
    }

    /// <summary>Says which spans will be dropped as soon as they were given: in what is written they are gone already.</summary>
    public void Leave(long[] spans) => _leaving = spans;

    public override bool HasChanged => _dropped.Count > 0 || _leaving.Length > 0 || _spans.Values.Any(span => span.Changed.Any);

    // Gives groups of a span that are in memory.
    private bool TryGive(long span, ref int next, bool onlyChanged, bool asStates, out ColumnBatch batch)
    {
        var groups = _spans[span].Groups;
        var changed = _spans[span].Changed;
        while (true)
        {
            if (onlyChanged && !changed.Skip(ref next, groups.Count))
            {
                batch = null!;
                return false;
            }
            var first = next;
            if (!groups.TryGive(ref next, asStates, out batch)) return false;
            if (!onlyChanged) return true;
            fixed (ulong* mask = _mask)
            {
                Bits.Zero(mask, batch.Rows);
                for (var i = 0; i < batch.Rows; i++)
                {
                    if (changed[first + i]) Bits.Set(mask, i);
                }
                batch.Set(batch.Rows, mask);
            }
            if (batch.Alive > 0) return true;
        }
    }

    /// <summary>Groups that the batch added to or changed, and has not dropped.</summary>
    public long Updated => _spans.Values.Sum(span => (long)span.Changed.Count);

    /// <summary>Groups of a span.</summary>
    public long CountOf(long span) => (_spans.TryGetValue(span, out var here) ? here.Groups.Count : 0) + _runs.Sum(run => run.CountOf(span));

    public override bool HasNewestFirst => true;

    public override void Write(StateFile.Writer file, bool all, TaskContext context)
    {
        using var arena = new TaskArena(context, "state write");
        var (store, frames) = (new RowStore(arena, StateTypes), new FrameBuffer(arena));
        foreach (var span in all ? GoneOf(_runs) : _dropped.Concat(_leaving)) file.Write(StateFile.Dropped, span, []);
        foreach (var span in _spans.Keys.Except(_leaving))
        {
            for (var next = 0; TryGive(span, ref next, onlyChanged: !all, asStates: true, out var batch);)
            {
                context.ThrowIfCancelled();
                store.Append(batch);
                file.Write(StateFile.Groups, span, frames.Of(store));
                store.Clear();
            }
        }
    }

    public override void Dispose()
    {
        foreach (var run in _runs) run.Rest();
        foreach (var span in _spans.Values) span.Dispose();
        _spans.Clear();
        _outputArena?.Dispose();
    }

    // Groups of one span are given at a time.
    private GroupOutput OutputIn(TaskContext context) => _output ??= new GroupOutput(_outputArena = TaskArena.OfState(context, "stream state", isBounded: false), keys, calls, givesValues: true);

    private long StartOf(long value)
    {
        if (time!.IsWindow) return value;
        var rest = value % time.LengthMicroseconds;
        return value - (rest < 0 ? rest + time.LengthMicroseconds : rest);
    }

    /// <summary>The watermark from which a span is final.</summary>
    public long EndOf(long span)
    {
        var length = time!.LengthMicroseconds + time.LagMicroseconds;
        return span > long.MaxValue - length ? long.MaxValue : span + length;
    }

    private Span SpanOf(long start, TaskContext context)
    {
        if (!_spans.TryGetValue(start, out var span)) _spans.Add(start, span = new Span(keys, calls, OutputIn(context), context));
        return span;
    }

    private void Merge(Span span, ColumnBatch batch)
    {
        var numbers = span.Groups.Find(batch.Columns.AsSpan(0, keys.Count), batch);
        Merge(span, batch, batch.Selection, numbers);
        span.Changed.Add(numbers, span.Groups.Count);
    }

    private void Merge(Span span, ColumnBatch batch, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> numbers) => Merge(span.Groups, batch, rows, numbers);

    private void Merge(GroupStates groups, ColumnBatch batch, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> numbers)
    {
        var next = keys.Count;
        for (var i = 0; i < calls.Count; i++)
        {
            var count = calls[i].Function.StateTypes(calls[i]).Count;
            groups.Kernels[i].Merge(batch.Columns.AsSpan(next, count), rows, numbers);
            next += count;
        }
        groups.Charge();
    }

    // Takes the groups of a frame that are not there yet.
    // Frames are of about one size: of the first of a large file it follows how many groups there are.
    private void Restore(long start, FrameReader reader, ReadOnlySpan<byte> bytes, long expected, TaskContext context)
    {
        fixed (byte* frame = bytes)
        {
            var batch = reader.Read(new ReadOnlySpan<byte>(frame, bytes.Length));
            var isNew = !_spans.ContainsKey(start);
            var span = SpanOf(start, context);
            if (expected / bytes.Length > 1) span.Groups.Expect((int)Math.Min(MostExpected, span.Groups.Count + (batch.Alive * (expected / bytes.Length))));
            var before = keys.Count == 0 ? (isNew ? 0 : 1) : span.Groups.Count;
            var numbers = span.Groups.Find(batch.Columns.AsSpan(0, keys.Count), batch);

            // A newer file had the others: of the newest one, all are new.
            if (span.Groups.Count - before == numbers.Length)
            {
                Merge(span, batch, batch.Selection, numbers);
                return;
            }
            var (groups, count) = (new int[numbers.Length], 0);
            for (var i = 0; i < numbers.Length; i++)
            {
                if (numbers[i] < before) continue;
                (_rows[count], groups[count]) = (batch.Selection[i], numbers[i]);
                count++;
            }
            Merge(span, batch, _rows.AsSpan(0, count), groups.AsSpan(0, count));
        }
    }

    private void Settle()
    {
        foreach (var span in _spans.Values) span.Changed.Clear();
    }

    /// <summary>The groups of a span of times, in memory of their own.</summary>
    private sealed class Span : IDisposable
    {
        private readonly TaskArena _arena;
        private readonly long _empty;

        public Span(ValueList<DataType> keys, ValueList<AggregateCall> calls, GroupOutput output, TaskContext context)
        {
            _arena = TaskArena.OfState(context, "stream state", isBounded: false);
            Groups = new GroupStates(_arena, keys, calls, output);
            _empty = Bytes;
        }

        public GroupStates Groups { get; }

        public ChangedGroups Changed { get; } = new();

        /// <summary>Bytes of memory that groups have taken, beside what is taken for the first.</summary>
        public long Grown => Bytes - _empty;

        private long Bytes => _arena.Bytes + _arena.ObjectBytes;

        public void Dispose() => _arena.Dispose();
    }
}

/// <summary>Which groups a batch has changed: a bit each.</summary>
internal sealed class ChangedGroups
{
    private ulong[] _bits = new ulong[16];

    public bool Any { get; private set; }

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            var count = 0;
            if (Any) foreach (var word in _bits) count += System.Numerics.BitOperations.PopCount(word);
            return count;
        }
    }

    public bool this[int group] => (uint)(group >> 6) < (uint)_bits.Length && (_bits[group >> 6] >> (group & 63) & 1) != 0;

    public void Add(ReadOnlySpan<int> groups, int count)
    {
        if (groups.IsEmpty) return;
        Any = true;
        if (_bits.Length * 64 < count) Array.Resize(ref _bits, Math.Max(_bits.Length * 2, (count + 63) / 64));
        foreach (var group in groups) _bits[group >> 6] |= 1UL << (group & 63);
    }

    /// <summary>Goes on to the first group that was changed.</summary>
    /// <returns>False if there is none.</returns>
    public bool Skip(ref int next, int count)
    {
        if (!Any) return false;
        while (next < count)
        {
            var word = next >> 6;
            if (word >= _bits.Length) return false;
            var left = _bits[word] >> (next & 63);
            if (left != 0)
            {
                next += System.Numerics.BitOperations.TrailingZeroCount(left);
                return next < count;
            }
            next = (word + 1) << 6;
        }
        return false;
    }

    public void Clear()
    {
        if (!Any) return;
        Array.Clear(_bits);
        Any = false;
    }
}
