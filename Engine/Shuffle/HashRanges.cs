using System.Runtime.CompilerServices;
using Dataflow.Hashing;

namespace Dataflow.Shuffle;

/// <summary>Cuts a reduce partition by hash, so that one part at a time fits a table.</summary>
internal static class HashRanges
{
    /// <summary>How often a part may be cut again. After that its keys share a whole hash: only more memory helps.</summary>
    public const int MaxDepth = 6;

    /// <summary>Groups segments by tag, in tag order; all together if they have few rows.</summary>
    public static IEnumerable<IReadOnlyList<InputSegment>> Of(IReadOnlyList<InputSegment> segments, int tags, int smallRows)
    {
        if (segments.Count == 0) yield break;
        var rows = 0L;
        foreach (var segment in segments) rows += segment.Rows;
        if (tags == 1 || rows <= smallRows)
        {
            yield return segments;
            yield break;
        }
        var byTag = new List<InputSegment>?[tags];
        foreach (var segment in segments) (byTag[segment.Tag] ??= []).Add(segment);
        foreach (var group in byTag)
        {
            if (group is not null) yield return group;
        }
    }

    /// <summary>The run of a key when its part is cut for the time <paramref name="depth"/>.</summary>
    public static int RunOf(uint hash, int runs, int depth)
    {
        // Bits that earlier cuts used must not decide again: the hash is mixed anew for each depth (Murmur3's finaliser, Appleby 2011).
        var h = hash ^ ((uint)(depth + 1) * 0x9E3779B9u);
        h = (h ^ (h >> 16)) * 0x85EBCA6Bu;
        h = (h ^ (h >> 13)) * 0xC2B2AE35u;
        h ^= h >> 16;
        return (int)(((ulong)h * (uint)runs) >> 32);
    }

    /// <summary>Scatters pairs over runs.</summary>
    public static void Scatter<TKey, TValue>(
        ReadOnlySpan<(TKey Key, TValue Value)> rows, RowBuckets<(TKey Key, TValue Value)> buckets, int runs, int depth)
    {
        const int step = 1024;
        Span<uint> hashes = stackalloc uint[step];
        Span<int> targets = stackalloc int[step];
        for (; rows.Length > 0; rows = rows[Math.Min(step, rows.Length)..])
        {
            var part = rows[..Math.Min(step, rows.Length)];
            StableHash<TKey>.OfMany(in part[0].Key, Unsafe.SizeOf<(TKey, TValue)>(), hashes[..part.Length]);
            for (var i = 0; i < part.Length; i++) targets[i] = RunOf(hashes[i], runs, depth);
            buckets.Add(targets[..part.Length], part);
        }
    }
}
