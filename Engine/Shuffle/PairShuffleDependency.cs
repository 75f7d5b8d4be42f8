using Dataflow.Hashing;
using Dataflow.Serialization;
using Dataflow.Tasks;

namespace Dataflow.Shuffle;

/// <summary>Shuffles pairs as they are.</summary>
/// <param name="parent">What is shuffled.</param>
/// <param name="partitioner">Places the keys.</param>
/// <param name="tags">Hash ranges of a reduce partition: 1 keeps the rows of a map output in order.</param>
/// <param name="mergedInPlace">Whether readers change the values.</param>
internal sealed class PairShuffleDependency<TKey, TValue>(
    Rdd<(TKey Key, TValue Value)> parent, Partitioner<TKey> partitioner, int tags, bool mergedInPlace = false)
    : ShuffleDependency(RowBuckets<(TKey Key, TValue Value)>.Shuffles(parent), partitioner.PartitionCount)
{
    protected internal override Task PrepareAsync(CancellationToken cancellationToken) => partitioner.SettleAsync(cancellationToken);

    // Rows that are encoded are so in runs.
    internal override bool ChecksumKnowsOrder => mergedInPlace && Mutability.MayChange<TValue>();

    public override void Write(Partition partition, MapOutputWriter output, TaskContext context)
    {
        var placer = new PairPlacer<TKey>(partitioner, tags);
        using var buckets = RowBuckets<(TKey Key, TValue Value)>.Make(output, placer.Tags, mergedInPlace && Mutability.MayChange<TValue>());
        using var reader = parent.Read(partition, context);
        while (reader.TryRead(out var chunk))
        {
            for (; chunk.Length > 0; chunk = chunk[Math.Min(chunk.Length, PairPlacer<TKey>.Length)..])
            {
                var rows = chunk[..Math.Min(chunk.Length, PairPlacer<TKey>.Length)];
                placer.Place(rows);
                buckets.Add(placer.Buckets, rows);
            }
        }
        buckets.Finish();
        output.Checksum = placer.Checksum + buckets.Checksum;
    }
}

/// <summary>Shuffles pairs combined by key: through a table of bounded size, which is handed over whenever it is full.</summary>
/// <remarks>
/// When a full table shows that combining does not at least halve the pairs, the rest of the partition is passed through; when it does, the
/// table may grow to a limit.
/// </remarks>
internal sealed class CombinedShuffleDependency<TKey, TValue, TCombined>(
    Rdd<(TKey Key, TValue Value)> parent,
    Partitioner<TKey> partitioner,
    Aggregator<TValue, TCombined> aggregator,
    bool mapSideCombine) : ShuffleDependency(RowBuckets<(TKey Key, TCombined Value)>.Shuffles(parent), partitioner.PartitionCount)
{
    /// <summary>Entries after which a map task looks whether combining pays. Counted, not measured: memory must not decide where runs are cut.</summary>
    public const int TableEntries = 64 * 1024;

    /// <summary>Entries after which a map task hands its table over, if combining pays.</summary>
    /// <remarks>
    /// Keys of natural language and the like come again and again for the most part, but the rare ones fill any table. What is handed over
    /// lives on until it is read: for fresh strings and other young objects that costs the garbage collector far more than a larger table
    /// costs the processor's cache.
    /// </remarks>
    public const int MaxTableEntries = 256 * 1024;

    protected internal override Task PrepareAsync(CancellationToken cancellationToken) => partitioner.SettleAsync(cancellationToken);

    // What comes together in a table depends on the order, and so do sums of floating-point numbers.
    internal override bool ChecksumKnowsOrder => mapSideCombine || Mutability.MayChange<TCombined>();

    public override void Write(Partition partition, MapOutputWriter output, TaskContext context)
    {
        var placer = new PairPlacer<TKey>(partitioner, PairPlacer<TKey>.TagsFor(partitioner.PartitionCount));
        using var buckets = RowBuckets<(TKey Key, TCombined Value)>.Make(output, placer.Tags, Mutability.MayChange<TCombined>());
        using var reader = parent.Read(partition, context);
        var rows = new (TKey Key, TCombined Value)[PairPlacer<TKey>.Length];
        var table = mapSideCombine ? AggregationTable<TKey, TCombined>.For(context, TableEntries) : null;
        var read = 0L;
        while (reader.TryRead(out var chunk))
        {
            while (chunk.Length > 0)
            {
                if (table is null)
                {
                    var part = chunk[..Math.Min(chunk.Length, rows.Length)];
                    Create(part, rows);
                    placer.Place<TCombined>(rows.AsSpan(0, part.Length));
                    buckets.Add(placer.Buckets, rows.AsSpan(0, part.Length));
                    chunk = chunk[part.Length..];
                    continue;
                }
                var taken = aggregator.CombineInto(table, chunk);
                chunk = chunk[taken..];
                read += taken;
                if (chunk.Length == 0) break;
                var reduces = table.Count * 2L <= read;
                if (reduces && table.Limit < MaxTableEntries)
                {
                    table.Limit *= 2;
                    continue;
                }
                read = 0;
                HandOver(table, rows, placer, buckets);
                if (!reduces) table = null;
            }
        }
        if (table is not null) HandOver(table, rows, placer, buckets);
        buckets.Finish();
        output.Checksum = placer.Checksum + buckets.Checksum;
    }

    private void Create(ReadOnlySpan<(TKey Key, TValue Value)> pairs, (TKey Key, TCombined Value)[] rows)
    {
        if (aggregator.CreateIsIdentity)
        {
            pairs.CopyTo(System.Runtime.CompilerServices.Unsafe.As<(TKey Key, TValue Value)[]>(rows));
            return;
        }
        for (var i = 0; i < pairs.Length; i++) rows[i] = (pairs[i].Key, aggregator.Create(pairs[i].Value));
    }

    private static void HandOver(
        AggregationTable<TKey, TCombined> table,
        (TKey Key, TCombined Value)[] rows,
        PairPlacer<TKey> placer,
        RowBuckets<(TKey Key, TCombined Value)> buckets)
    {
        for (var start = 0; start < table.Count; start += rows.Length)
        {
            var count = Math.Min(rows.Length, table.Count - start);
            var keys = table.Keys.Slice(start, count);
            var values = table.Values.Slice(start, count);
            for (var i = 0; i < count; i++) rows[i] = (keys[i], values[i]);
            placer.Place(keys, table.Hashes.Slice(start, count), values);
            buckets.Add(placer.Buckets, rows.AsSpan(0, count));
        }
        table.Clear();
    }
}
