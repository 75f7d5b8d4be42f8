using Dataflow.Shuffle;
using Dataflow.Tasks;

namespace Dataflow.Sorting;

/// <summary>
/// Shuffles rows by key range. Each reduce partition is cut into ranges (tags) that a reader can sort one at a time, so a sort larger than
/// memory writes each row to disk once and merges nothing (distribution sort; Knuth 1973, 5.4.9).
/// </summary>
internal sealed class SortShuffleDependency<TRow, TKey>(
    Rdd<TRow> parent, Func<TRow, TKey> keyOf, RangePartitioner<TKey> partitioner)
    : ShuffleDependency(RowBuckets<TRow>.Shuffles(parent), partitioner.PartitionCount)
{
    protected internal override Task PrepareAsync(CancellationToken cancellationToken) => partitioner.SettleAsync(cancellationToken);

    public override void Write(Partition partition, MapOutputWriter output, TaskContext context)
    {
        const int step = 1024;
        var order = partitioner.Order;
        var ranges = partitioner.Ranges;
        using var buckets = RowBuckets<TRow>.Make(output, partitioner.RangesPerPartition);
        using var reader = parent.Read(partition, context);
        var targets = new int[step];
        var checksum = 0UL;
        while (reader.TryRead(out var chunk))
        {
            for (; chunk.Length > 0; chunk = chunk[Math.Min(step, chunk.Length)..])
            {
                var rows = chunk[..Math.Min(step, chunk.Length)];
                for (var i = 0; i < rows.Length; i++)
                {
                    var key = keyOf(rows[i]);
                    var prefix = order.PrefixOf(key);
                    checksum += Fingerprint<TRow>.Of(prefix, in rows[i]);
                    targets[i] = ranges.RangeOf(key, prefix);
                }
                buckets.Add(targets.AsSpan(0, rows.Length), rows);
            }
        }
        buckets.Finish();
        output.Checksum = checksum;
    }
}
