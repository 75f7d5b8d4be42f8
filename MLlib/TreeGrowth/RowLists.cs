using System.Runtime.CompilerServices;
using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>Which rows each node has: a permutation of the shard's rows in which a node's are neighbours, ascending. A split is a stable partition of its range.</summary>
internal sealed unsafe class RowLists : IDisposable
{
    private readonly NativeArray<int> list;
    private readonly NativeArray<int> aside;
    private readonly ThreadTeam team;
    private readonly int[] lefts;

    public RowLists(int rows, ThreadTeam team)
    {
        list = new(rows);
        aside = new(rows);
        this.team = team;
        lefts = new int[team.Size];
    }

    /// <summary>The rows of all nodes.</summary>
    public int* Rows => list.Pointer;

    /// <summary>All rows in one node.</summary>
    public void Reset(int count)
    {
        var rows = list.Pointer;
        team.Run(member =>
        {
            var end = (int)((long)count * (member + 1) / team.Size);
            for (var i = (int)((long)count * member / team.Size); i < end; i++) rows[i] = i;
        });
    }

    /// <summary>The rows that a condition chooses first, the others behind them, both ascending.</summary>
    /// <param name="count">All rows.</param>
    /// <param name="chosen">Called once a row, by any thread.</param>
    /// <returns>How many were chosen.</returns>
    public int Reset(int count, Func<int, bool> chosen)
    {
        var rows = list.Pointer;
        var others = aside.Pointer;
        team.Run(member =>
        {
            var (from, to) = Share(count, member);
            int left = from, right = from;
            for (var row = from; row < to; row++)
            {
                if (chosen(row)) rows[left++] = row;
                else others[right++] = row;
            }
            lefts[member] = left - from;
        });
        return Join(rows, others, count);
    }

    /// <summary>Parts a node's rows by a table over bins: those of entry 0 first. Each part keeps its order.</summary>
    /// <returns>How many go left.</returns>
    public int Part(int start, int count, BinColumn bins, byte* goesRight)
    {
        var left = Part(list.Pointer + start, aside.Pointer + start, count, bins, goesRight);
        Buffer.MemoryCopy(aside.Pointer + start, list.Pointer + start + left, (long)(count - left) * sizeof(int), (long)(count - left) * sizeof(int));
        return left;
    }

    /// <summary>The same by the whole team.</summary>
    public int PartByTeam(int start, int count, BinColumn bins, byte* goesRight)
    {
        if (team.Size == 1) return Part(start, count, bins, goesRight);
        var rows = list.Pointer + start;
        var others = aside.Pointer + start;
        team.Run(member =>
        {
            var (from, to) = Share(count, member);
            lefts[member] = Part(rows + from, others + from, to - from, bins, goesRight);
        });

        return Join(rows, others, count);
    }

    public void Dispose()
    {
        list.Dispose();
        aside.Dispose();
    }

    /// <summary>Brings the parts of all members together.</summary>
    private int Join(int* rows, int* others, int count)
    {
        // Left parts move together first: the right ones land on places that later left ones come from.
        var left = lefts[0];
        for (var member = 1; member < team.Size; member++)
        {
            var (from, _) = Share(count, member);
            Buffer.MemoryCopy(rows + from, rows + left, (long)lefts[member] * sizeof(int), (long)lefts[member] * sizeof(int));
            left += lefts[member];
        }
        team.Run(member =>
        {
            var place = left;
            for (var before = 0; before < member; before++)
            {
                var (start, end) = Share(count, before);
                place += end - start - lefts[before];
            }
            var (from, to) = Share(count, member);
            var bytes = (long)(to - from - lefts[member]) * sizeof(int);
            Buffer.MemoryCopy(others + from, rows + place, bytes, bytes);
        });
        return left;
    }

    private (int From, int To) Share(int count, int member) => ((int)((long)count * member / team.Size), (int)((long)count * (member + 1) / team.Size));

    private static int Part(int* rows, int* others, int count, BinColumn bins, byte* goesRight) =>
        bins.IsWide ? Part<ushort>(rows, others, count, bins.First, bins.Stride, goesRight) : Part<byte>(rows, others, count, bins.First, bins.Stride, goesRight);

    // Made for each type of number by itself: one does not slow the other down.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Part<TNumber>(int* rows, int* others, int count, byte* bins, int stride, byte* goesRight)
        where TNumber : unmanaged
    {
        int left = 0, right = 0;
        if (stride == sizeof(TNumber))
        {
            for (var k = 0; k < count; k++)
            {
                var row = rows[k];
                int isRight = goesRight[sizeof(TNumber) == 1 ? bins[row] : ((ushort*)bins)[row]];
                rows[left] = row;
                others[right] = row;
                right += isRight;
                left += 1 - isRight;
            }
            return left;
        }
        const int Ahead = 32;
        for (var k = 0; k < count; k++)
        {
            if (k < count - Ahead && System.Runtime.Intrinsics.X86.Sse.IsSupported)
                System.Runtime.Intrinsics.X86.Sse.Prefetch0(bins + ((long)rows[k + Ahead] * stride));
            var row = rows[k];
            int isRight = goesRight[sizeof(TNumber) == 1 ? bins[(long)row * stride] : *(ushort*)(bins + ((long)row * stride))];
            rows[left] = row;
            others[right] = row;
            right += isRight;
            left += 1 - isRight;
        }
        return left;
    }
}
