using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>The loops of <see cref="HistogramKernel"/> for numbers of two bytes: columns have as many cells as they need, so each comes with the place of its own.</summary>
/// <remarks>Four columns at a time: cells of about a thousand bins each still fit into the first-level cache. With many more bins every addition is a cache miss, and time
/// goes by memory.</remarks>
internal static unsafe class WideHistogramKernel
{
    // Numbers of rows that are asked for before they are needed: as many bytes as of narrow rows.
    private const int Ahead = 512;

    /// <summary>Adds rows that follow each other.</summary>
    /// <param name="row">The first row.</param>
    /// <param name="stride">Numbers of a row.</param>
    /// <param name="firstCells">By column: where its cells begin.</param>
    /// <param name="packed">What each row adds.</param>
    /// <param name="cells">The histogram.</param>
    public static void AddRows(ushort* row, int stride, ReadOnlySpan<int> firstCells, int count, long* packed, long* cells)
    {
        var column = 0;
        for (; column + 4 <= firstCells.Length; column += 4)
            Add4(row + column, stride, count, packed, cells + firstCells[column], cells + firstCells[column + 1], cells + firstCells[column + 2], cells + firstCells[column + 3]);
        for (; column + 2 <= firstCells.Length; column += 2) Add2(row + column, stride, count, packed, cells + firstCells[column], cells + firstCells[column + 1]);
        for (; column < firstCells.Length; column++) Add1(row + column, stride, count, packed, cells + firstCells[column]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add4(ushort* row, nint stride, int count, long* packed, long* cells0, long* cells1, long* cells2, long* cells3)
    {
        nuint place;
        for (var end = packed + count; packed < end; packed++, row += stride)
        {
            if (Sse.IsSupported) Sse.Prefetch0(row + Ahead);
            var value = *packed;
            place = row[0];
            cells0[place] = cells0[place] + value;
            place = row[1];
            cells1[place] = cells1[place] + value;
            place = row[2];
            cells2[place] = cells2[place] + value;
            place = row[3];
            cells3[place] = cells3[place] + value;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add2(ushort* row, nint stride, int count, long* packed, long* cells0, long* cells1)
    {
        nuint place;
        for (var end = packed + count; packed < end; packed++, row += stride)
        {
            var value = *packed;
            place = row[0];
            cells0[place] = cells0[place] + value;
            place = row[1];
            cells1[place] = cells1[place] + value;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add1(ushort* row, nint stride, int count, long* packed, long* cells)
    {
        nuint place;
        for (var end = packed + count; packed < end; packed++, row += stride)
        {
            var value = *packed;
            place = row[0];
            cells[place] = cells[place] + value;
        }
    }
}
