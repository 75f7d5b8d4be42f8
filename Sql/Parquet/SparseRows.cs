using System.Numerics;

namespace Dataflow.Sql.Parquet;

/// <summary>Cuts rows into runs that are wanted and runs that are not, by a mask of them.</summary>
internal static unsafe class SparseRows
{
    // Fewer rows are cheaper read than passed over.
    private const int ShortestGap = 128;

    /// <summary>Whether the next rows are wanted, and up to where that holds.</summary>
    /// <param name="mask">A bit a row; zeros past the last.</param>
    /// <param name="at">The first of the rows.</param>
    /// <param name="count">How many there are; becomes how many make one run.</param>
    public static bool NextRun(ulong* mask, int at, ref int count)
    {
        var end = at + count;
        var gap = Gap(mask, at, end);
        if (gap >= ShortestGap || gap == count)
        {
            count = gap;
            return false;
        }
        var next = at + gap;
        while (next < end)
        {
            next = Math.Min(end, (next | 63) + 1);
            gap = Gap(mask, next, end);
            if (gap >= ShortestGap) break;
            next += gap;
        }
        count = next - at;
        return true;
    }

    // How many rows from one on are not wanted.
    private static int Gap(ulong* mask, int at, int end)
    {
        var row = at;
        while (row < end)
        {
            var bits = mask[row >> 6] >> (row & 63);
            if (bits != 0) return Math.Min(end, row + BitOperations.TrailingZeroCount(bits)) - at;
            row = (row | 63) + 1;
        }
        return end - at;
    }
}
