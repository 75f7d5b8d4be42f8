using Dataflow.Tracking;

namespace Dataflow.Sql.Adaptive;

/// <summary>What one task reads of an exchange.</summary>
/// <param name="Start">First partition, inclusive.</param>
/// <param name="End">Last partition, exclusive.</param>
/// <param name="MapStart">First map output, inclusive.</param>
/// <param name="MapEnd">Last map output, exclusive; <see cref="int.MaxValue"/> for all.</param>
internal readonly record struct ReadRange(int Start, int End, int MapStart = 0, int MapEnd = int.MaxValue);

/// <summary>Cuts what was exchanged into pieces for tasks, when it is known how large it is: small partitions are read together, large ones by several tasks.</summary>
internal static class ReadRanges
{
    /// <summary>The pieces of an exchange, or of the two of a join, piece by piece.</summary>
    /// <param name="left">Sizes of the exchange; of the side of a join that goes by.</param>
    /// <param name="right">Sizes of the side that becomes a table; null if it is no join.</param>
    /// <param name="canSplitLeft">Whether rows of one partition of the left may be read by several tasks.</param>
    /// <param name="canSplitRight">The same of the right.</param>
    /// <param name="options">What is small and what is large.</param>
    public static List<(ReadRange Left, ReadRange Right)> Of(MapOutputSizes left, MapOutputSizes? right, bool canSplitLeft, bool canSplitRight, Physical.PlannerOptions options)
    {
        var count = left.ReducePartitions;
        var total = 0L;
        for (var i = 0; i < count; i++) total += BytesOf(i);

        // Two pieces a slot, as planned: what is gained are the small ones.
        var target = (long)Math.Clamp((double)total / Math.Max(1, 2 * options.Parallelism), options.LeastReadBytes, Math.Max(options.LeastReadBytes, options.PartitionBytes));
        var (leftLarge, rightLarge) = (LargeFrom(left, options), right is null ? long.MaxValue : LargeFrom(right, options));
        var pieces = new List<(ReadRange, ReadRange)>();
        for (var start = 0; start < count;)
        {
            if (canSplitLeft && left.BytesOf(start) > leftLarge)
            {
                foreach (var (from, to) in Split(left, start, target)) pieces.Add((new ReadRange(start, start + 1, from, to), new ReadRange(start, start + 1)));
                start++;
                continue;
            }
            if (canSplitRight && right is not null && right.BytesOf(start) > rightLarge)
            {
                foreach (var (from, to) in Split(right, start, target)) pieces.Add((new ReadRange(start, start + 1), new ReadRange(start, start + 1, from, to)));
                start++;
                continue;
            }
            var end = start + 1;
            for (var bytes = BytesOf(start); end < count && bytes + BytesOf(end) <= target && !IsLarge(end); end++) bytes += BytesOf(end);
            pieces.Add((new ReadRange(start, end), new ReadRange(start, end)));
            start = end;
        }
        return pieces;

        long BytesOf(int partition) => left.BytesOf(partition) + (right?.BytesOf(partition) ?? 0);

        bool IsLarge(int partition) => (canSplitLeft && left.BytesOf(partition) > leftLarge) || (canSplitRight && right is not null && right.BytesOf(partition) > rightLarge);
    }

    /// <summary>Whether a partition is much larger than most.</summary>
    public static bool HasLarge(MapOutputSizes sizes, Physical.PlannerOptions options)
    {
        var large = LargeFrom(sizes, options);
        for (var i = 0; i < sizes.ReducePartitions; i++)
        {
            if (sizes.BytesOf(i) > large && sizes.Maps > 1) return true;
        }
        return false;
    }

    /// <summary>Runs of map outputs of about as many bytes each.</summary>
    public static IEnumerable<(int Start, int End)> Split(MapOutputSizes sizes, int partition, long target)
    {
        var (start, bytes) = (0, 0L);
        for (var map = 0; map < sizes.Maps; map++)
        {
            var more = sizes.BytesOf(map, partition);
            if (bytes > 0 && bytes + more > target)
            {
                yield return (start, map);
                (start, bytes) = (map, 0);
            }
            bytes += more;
        }
        yield return (start, sizes.Maps);
    }

    private static long LargeFrom(MapOutputSizes sizes, Physical.PlannerOptions options)
    {
        var bytes = new long[sizes.ReducePartitions];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = sizes.BytesOf(i);
        Array.Sort(bytes);
        return (long)Math.Max(options.SkewBytes, bytes[(bytes.Length - 1) / 2] * options.SkewFactor);
    }
}
