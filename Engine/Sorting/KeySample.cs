using System.Runtime.CompilerServices;
using Dataflow.Caching;
using Dataflow.Tasks;

namespace Dataflow.Sorting;

/// <summary>Keys picked evenly from one partition: one at a random place in each window of equal length.</summary>
/// <param name="Keys">At most 2 x <see cref="Target"/>.</param>
/// <param name="Rows">How many rows the partition has.</param>
/// <param name="Bytes">How many bytes they have, estimated.</param>
internal sealed record KeySample<TKey>(TKey[] Keys, long Rows, long Bytes)
{
    /// <summary>About how many keys are picked from a large partition.</summary>
    public const int Target = 4096;

    /// <summary>Picks keys. The window doubles, and every other key is dropped, whenever twice the target is reached.</summary>
    public static KeySample<TKey> Of<TRow>(ChunkReader<TRow> reader, Func<TRow, TKey> keyOf, TaskContext context)
    {
        var random = new PartitionRandom(0x5DEECE66D, context.PartitionIndex);
        var keys = new List<TKey>();
        var sizes = new SizeEstimator<TRow>();
        var rows = 0L;
        var bytes = 0L;
        var window = 1L;
        var start = 0L;
        var pick = 0L;
        while (reader.TryRead(out var chunk))
        {
            bytes += (long)chunk.Length * Unsafe.SizeOf<TRow>() + sizes.ReferencedBytes(chunk);
            while (pick < rows + chunk.Length)
            {
                keys.Add(keyOf(chunk[(int)(pick - rows)]));
                start += window;
                if (keys.Count == 2 * Target)
                {
                    for (var i = 0; i < Target; i++) keys[i] = keys[2 * i + (int)random.NextLong(2)];
                    keys.RemoveRange(Target, Target);
                    window *= 2;
                }
                pick = start + (window == 1 ? 0 : random.NextLong(window));
            }
            rows += chunk.Length;
        }
        return new KeySample<TKey>([.. keys], rows, bytes);
    }

    /// <summary>Cuts the keys of all partitions into <paramref name="parts"/> about equally large ranges.</summary>
    /// <returns>At most parts - 1 bounds, ascending in <paramref name="order"/>, without repetition; a bound is the first key of its range.</returns>
    public static TKey[] Bounds(IReadOnlyList<KeySample<TKey>> samples, KeyOrder<TKey> order, int parts)
    {
        var weighted = new List<(TKey Key, double Weight)>();
        foreach (var sample in samples)
        {
            foreach (var key in sample.Keys) weighted.Add((key, (double)sample.Rows / sample.Keys.Length));
        }
        var total = weighted.Sum(item => item.Weight);
        var bounds = new List<TKey>();
        var below = 0.0;
        foreach (var (key, weight) in order.Sort(weighted, static item => item.Key))
        {
            if (bounds.Count < parts - 1 && below >= total * (bounds.Count + 1) / parts
                && (bounds.Count == 0 || order.Compare(bounds[^1], key) < 0)) bounds.Add(key);
            below += weight;
        }
        return [.. bounds];
    }
}
