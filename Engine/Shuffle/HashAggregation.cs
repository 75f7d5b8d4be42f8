using Dataflow.Hashing;
using Dataflow.Tasks;

namespace Dataflow.Shuffle;

/// <summary>
/// Combines pairs by key, one hash range at a time, with a table of bounded size. A range with too many keys is cut, by further bits of
/// the hash, into runs that are combined one after the other (Graefe 1993, section 4.2: hybrid hashing), so it ends in any budget.
/// </summary>
/// <remarks>Keys come out by hash range and, within one, in the order they were first met: the same in every run.</remarks>
internal static class HashAggregation
{
    /// <summary>Entries after which a table is handed over to runs.</summary>
    public const int TableEntries = 256 * 1024;

    /// <summary>Pairs below which all hash ranges of a partition are combined in one table.</summary>
    public const int SmallRows = 32 * 1024;

    private const int Runs = 16;

    /// <summary>Combines the pairs of one reader.</summary>
    public static ChunkReader<(TKey Key, TCombined Value)> Combine<TKey, TValue, TCombined>(
        ChunkReader<(TKey Key, TValue Value)> reader, Aggregator<TValue, TCombined> aggregator, TaskContext context) =>
        new Reader<TKey, TCombined>([new Values<TKey, TValue, TCombined>(reader, aggregator)], aggregator.MergeCombined, context, reader);

    /// <summary>Combines combined pairs of a shuffle.</summary>
    public static ChunkReader<(TKey Key, TCombined Value)> Combine<TKey, TCombined>(
        ShuffleInput input, int tags, Func<TCombined, TCombined, TCombined> merge, TaskContext context) =>
        new Reader<TKey, TCombined>(Ranges<TKey, TCombined>(input, tags, merge), merge, context);

    private static IEnumerable<Work<TKey, TCombined>> Ranges<TKey, TCombined>(
        ShuffleInput input, int tags, Func<TCombined, TCombined, TCombined> merge)
    {
        for (var reduce = input.ReduceStart; reduce < input.ReduceEnd; reduce++)
        {
            foreach (var range in HashRanges.Of(input.Segments(reduce), tags, SmallRows))
                yield return new Segments<TKey, TCombined>(range, merge, 0);
        }
    }

    /// <summary>Something to fill the table from.</summary>
    private abstract class Work<TKey, TCombined>(int depth) : IDisposable
    {
        public int Depth => depth;

        /// <summary>Puts pairs into the table until it is full or none is left.</summary>
        /// <returns>False when none is left.</returns>
        public abstract bool Fill(AggregationTable<TKey, TCombined> table, TaskContext context);

        public abstract void Dispose();
    }

    private sealed class Values<TKey, TValue, TCombined>(ChunkReader<(TKey Key, TValue Value)> reader, Aggregator<TValue, TCombined> aggregator)
        : Work<TKey, TCombined>(0)
    {
        // What did not fit of a chunk is kept: the table is emptied before it goes on.
        private (TKey Key, TValue Value)[] _rest = [];

        public override bool Fill(AggregationTable<TKey, TCombined> table, TaskContext context)
        {
            if (_rest.Length > 0) _rest = _rest[aggregator.CombineInto<TKey>(table, _rest)..];
            while (_rest.Length == 0)
            {
                context.ThrowIfCancelled();
                if (!reader.TryRead(out var chunk)) return false;
                var taken = aggregator.CombineInto(table, chunk);
                if (taken < chunk.Length) _rest = chunk[taken..].ToArray();
            }
            return true;
        }

        public override void Dispose() => reader.Dispose();
    }

    private sealed class Segments<TKey, TCombined>(
        IReadOnlyList<InputSegment> segments, Func<TCombined, TCombined, TCombined> merge, int depth) : Work<TKey, TCombined>(depth)
    {
        private readonly SegmentReader<(TKey Key, TCombined Value)> _reader = new(segments);

        private (TKey Key, TCombined Value)[] _rest = [];

        public override bool Fill(AggregationTable<TKey, TCombined> table, TaskContext context)
        {
            if (_rest.Length > 0) _rest = _rest[table.Combine(_rest, merge)..];
            while (_rest.Length == 0)
            {
                context.ThrowIfCancelled();
                if (!_reader.TryRead(out var chunk)) return false;
                var taken = table.Combine(chunk, merge);
                if (taken < chunk.Length) _rest = chunk[taken..].ToArray();
            }
            return true;
        }

        public override void Dispose() => _reader.Dispose();
    }

    private sealed class Reader<TKey, TCombined>(
        IEnumerable<Work<TKey, TCombined>> work, Func<TCombined, TCombined, TCombined> merge, TaskContext context, IDisposable? source = null)
        : ChunkReader<(TKey Key, TCombined Value)>
    {
        private readonly AggregationTable<TKey, TCombined> _table = AggregationTable<TKey, TCombined>.For(context, TableEntries);
        private readonly AggregationTable<TKey, TCombined> _unbounded = AggregationTable<TKey, TCombined>.For(context);
        private readonly (TKey Key, TCombined Value)[] _output = new (TKey Key, TCombined Value)[DefaultLength];
        private AggregationTable<TKey, TCombined>? _full;
        private readonly Stack<Work<TKey, TCombined>> _runs = new();
        private readonly IEnumerator<Work<TKey, TCombined>> _work = work.GetEnumerator();
        private int _next;

        public override bool TryRead(out ReadOnlySpan<(TKey Key, TCombined Value)> chunk)
        {
            while (_full is null || _next == _full.Count)
            {
                _full?.Clear();
                _full = null;
                _next = 0;
                if (_runs.TryPop(out var run))
                {
                    Process(run);
                }
                else if (_work.MoveNext())
                {
                    Process(_work.Current);
                }
                else
                {
                    chunk = default;
                    return false;
                }
            }
            var count = Math.Min(DefaultLength, _full.Count - _next);
            Copy(_full, _next, count, _output);
            _next += count;
            chunk = _output.AsSpan(0, count);
            return true;
        }

        protected override void Dispose(bool disposing)
        {
            while (_runs.TryPop(out var run)) run.Dispose();
            _work.Dispose();
            source?.Dispose();
        }

        private void Process(Work<TKey, TCombined> item)
        {
            using (item)
            {
                // Keys that no further cut can part share a whole hash; they must fit memory.
                var table = item.Depth < HashRanges.MaxDepth ? _table : _unbounded;
                MapOutputWriter? runs = null;
                RowBuckets<(TKey Key, TCombined Value)>? buckets = null;
                while (item.Fill(table, context))
                {
                    runs ??= MapOutputWriter.ForRuns(context, Runs);
                    buckets ??= RowBuckets<(TKey Key, TCombined Value)>.Make(runs, 1);
                    Flush(table, buckets, item.Depth);
                }
                if (buckets is null)
                {
                    _full = table;
                    return;
                }
                Flush(table, buckets, item.Depth);
                buckets.Finish();
                for (var i = Runs - 1; i >= 0; i--) _runs.Push(new Segments<TKey, TCombined>(runs!.Run(i), merge, item.Depth + 1));
            }
        }

        private void Flush(AggregationTable<TKey, TCombined> table, RowBuckets<(TKey Key, TCombined Value)> buckets, int depth)
        {
            for (var start = 0; start < table.Count; start += _output.Length)
            {
                var count = Math.Min(_output.Length, table.Count - start);
                Copy(table, start, count, _output);
                HashRanges.Scatter<TKey, TCombined>(_output.AsSpan(0, count), buckets, Runs, depth);
            }
            table.Clear();
        }

        private static void Copy(AggregationTable<TKey, TCombined> table, int start, int count, (TKey Key, TCombined Value)[] output)
        {
            var keys = table.Keys.Slice(start, count);
            var values = table.Values.Slice(start, count);
            for (var i = 0; i < count; i++) output[i] = (keys[i], values[i]);
        }
    }
}
