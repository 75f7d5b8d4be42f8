using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Dataflow.Shuffle;
using Dataflow.Tasks;

namespace Dataflow.Sorting;

/// <summary>
/// Gives the rows of segments sorted by key, part after part. A part with too many rows is first scattered into runs by bounds sampled
/// from itself; runs of one key need no sorting. Equal keys keep the order in which they were read.
/// </summary>
internal sealed class SortedReader<TRow, TKey> : ChunkReader<TRow>
{
    /// <summary>Rows that are sorted at once; more are scattered first. Counted, not measured: the same in any budget.</summary>
    private const int MaxRows = 4 << 20;

    private const long MaxBytes = 128 << 20;

    private const long MinBytes = 1 << 10;

    private const int Runs = 64;

    private readonly Stack<Part> _parts = new();
    private readonly IEnumerator<IReadOnlyList<InputSegment>> _input;
    private readonly Func<TRow, TKey> _keyOf;
    private readonly KeyOrder<TKey> _order;
    private readonly TaskContext _context;
    private readonly List<SegmentView> _views = [];
    private readonly TRow[] _output;
    private readonly long _maxBytes;
    private RowSorter.Entry[] _entries = [];
    private RowSorter.Entry[] _scratch = [];
    private TRow[] _objects = [];
    private ChunkReader<TRow>? _plain;
    private bool _inScratch;
    private int _count;
    private int _next;

    private readonly record struct Part(IReadOnlyList<InputSegment> Segments, bool OneKey);

    public SortedReader(
        IEnumerable<IReadOnlyList<InputSegment>> input, Func<TRow, TKey> keyOf, KeyOrder<TKey> order, TaskContext context)
    {
        _input = input.GetEnumerator();
        _keyOf = keyOf;
        _order = order;
        _context = context;

        // What is sorted at once is held in memory. Unlike elsewhere the budget may decide: rows come out alike however they were cut.
        var services = context.Services;
        _maxBytes = Math.Clamp(services.Memory.TotalBytes / (4L * services.Options.Threads), MinBytes, MaxBytes);
        _output = new TRow[Math.Clamp(256 * 1024 / Unsafe.SizeOf<TRow>(), 64, DefaultLength)];
    }

    public override bool TryRead(out ReadOnlySpan<TRow> chunk)
    {
        while (true)
        {
            if (_plain is not null)
            {
                if (_plain.TryRead(out chunk)) return true;
                _plain.Dispose();
                _plain = null;
            }
            if (_next < _count)
            {
                chunk = Emit();
                return true;
            }
            Release();
            _context.ThrowIfCancelled();
            if (_parts.TryPop(out var part))
            {
                Load(part);
            }
            else if (_input.MoveNext())
            {
                Load(new Part(_input.Current, false));
            }
            else
            {
                chunk = default;
                return false;
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        _plain?.Dispose();
        _input.Dispose();
        _parts.Clear();
        Release();
        _count = _next = 0;
    }

    private void Load(Part part)
    {
        var rows = 0L;
        var bytes = 0L;
        foreach (var segment in part.Segments)
        {
            rows += segment.Rows;
            bytes += segment.Bytes;
        }
        if (part.OneKey)
        {
            _plain = new SegmentReader<TRow>(part.Segments);
        }
        else if (rows > MaxRows || (bytes > _maxBytes && rows > Runs))
        {
            Scatter(part.Segments);
        }
        else
        {
            Sort(part.Segments, (int)rows);
        }
    }

    private void Scatter(IReadOnlyList<InputSegment> segments)
    {
        KeySample<TKey> sample;
        using (var reader = new SegmentReader<TRow>(segments)) sample = KeySample<TKey>.Of(reader, _keyOf, _context);
        var bounds = new RangeBounds<TKey>(KeySample<TKey>.Bounds([sample], _order, Runs), _order);

        // Run 2i lies between the bounds i - 1 and i; run 2i + 1 holds the keys equal to bound i, so one hot key can't recurse for ever.
        var runs = 2 * bounds.Count - 1;
        var writer = MapOutputWriter.ForRuns(_context, runs);
        using (var buckets = RowBuckets<TRow>.Make(writer, 1))
        using (var reader = new SegmentReader<TRow>(segments))
        {
            var targets = new int[4 * DefaultLength];
            while (reader.TryRead(out var chunk))
            {
                _context.ThrowIfCancelled();
                for (var i = 0; i < chunk.Length; i++)
                {
                    var key = _keyOf(chunk[i]);
                    var range = bounds.RangeOf(key);
                    targets[i] = range > 0 && _order.Compare(bounds.Keys[range - 1], key) == 0 ? 2 * range - 1 : 2 * range;
                }
                buckets.Add(targets.AsSpan(0, chunk.Length), chunk);
            }
            buckets.Finish();
        }
        for (var run = runs - 1; run >= 0; run--)
        {
            var part = writer.Run(run);
            if (part.Count > 0) _parts.Push(new Part(part, run % 2 == 1));
        }
    }

    private void Sort(IReadOnlyList<InputSegment> segments, int rows)
    {
        if (_entries.Length < rows)
        {
            _entries = GC.AllocateUninitializedArray<RowSorter.Entry>(rows);
            _scratch = GC.AllocateUninitializedArray<RowSorter.Entry>(rows);
        }
        if (RuntimeHelpers.IsReferenceOrContainsReferences<TRow>()) LoadObjects(segments, rows);
        else LoadNative(segments);

        var entries = _entries.AsSpan(0, rows);
        var sorted = _order.HasPrefix ? RowSorter.SortByPrefix(entries, _scratch.AsSpan(0, rows)) : entries;
        if (!_order.IsExact) RowSorter.SortTies(sorted, new ByRow(this));
        _inScratch = rows > 0 && !Unsafe.AreSame(ref sorted[0], ref entries[0]);
        _count = rows;
        _next = 0;
    }

    private void LoadObjects(IReadOnlyList<InputSegment> segments, int rows)
    {
        if (_objects.Length < rows) _objects = new TRow[rows];
        var position = 0;
        using var reader = new SegmentReader<TRow>(segments);
        while (reader.TryRead(out var chunk))
        {
            chunk.CopyTo(_objects.AsSpan(position));
            foreach (ref readonly var row in chunk)
            {
                _entries[position] = new RowSorter.Entry { Prefix = _order.PrefixOf(_keyOf(row)), Row = position };
                position++;
            }
        }
    }

    private unsafe void LoadNative(IReadOnlyList<InputSegment> segments)
    {
        var position = 0;
        foreach (var segment in segments)
        {
            var view = segment.Open();
            _views.Add(view);
            var rows = segment.Rows;
            fixed (byte* start = view.Bytes)
            {
                // Native memory does not move, and the view holds a lease on it until the part is given out.
                var row = start;
                for (var i = 0; i < rows; i++)
                {
                    _entries[position++] = new RowSorter.Entry { Prefix = _order.PrefixOf(_keyOf(Unsafe.ReadUnaligned<TRow>(row))), Row = (long)row };
                    row += Unsafe.SizeOf<TRow>();
                }
            }
        }
    }

    private unsafe ReadOnlySpan<TRow> Emit()
    {
        var entries = (_inScratch ? _scratch : _entries).AsSpan(_next, Math.Min(_output.Length, _count - _next));
        if (RuntimeHelpers.IsReferenceOrContainsReferences<TRow>())
        {
            for (var i = 0; i < entries.Length; i++) _output[i] = _objects[entries[i].Row];
        }
        else
        {
            const int ahead = 12;
            for (var i = 0; i < entries.Length; i++)
            {
                if (Sse.IsSupported && i + ahead < entries.Length)
                {
                    var later = (byte*)entries[i + ahead].Row;
                    for (var offset = 0; offset < Unsafe.SizeOf<TRow>(); offset += 64) Sse.Prefetch0(later + offset);
                }
                _output[i] = Unsafe.ReadUnaligned<TRow>((void*)entries[i].Row);
            }
        }
        _next += entries.Length;
        return _output.AsSpan(0, entries.Length);
    }

    private void Release()
    {
        foreach (var view in _views) view.Dispose();
        _views.Clear();
        if (RuntimeHelpers.IsReferenceOrContainsReferences<TRow>()) Array.Clear(_objects);
    }

    private readonly unsafe struct ByRow(SortedReader<TRow, TKey> reader) : IComparer<RowSorter.Entry>
    {
        public int Compare(RowSorter.Entry x, RowSorter.Entry y) => reader._order.Compare(KeyOf(x), KeyOf(y));

        private TKey KeyOf(RowSorter.Entry entry) => reader._keyOf(
            RuntimeHelpers.IsReferenceOrContainsReferences<TRow>() ? reader._objects[entry.Row] : Unsafe.ReadUnaligned<TRow>((void*)entry.Row));
    }
}
