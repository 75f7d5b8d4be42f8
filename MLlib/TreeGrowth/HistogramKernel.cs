using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>
/// The loops that take nearly all the time of training: for each row of a node and each column, one 64-bit addition to the cell of the row's bin. The high half of
/// a cell is the sum of gradients, the low half that of hessians.
/// </summary>
/// <remarks>Leaf methods without any call: pointers stay in registers. A cell's index is column * 256 + bin. <c>a = a + b</c> is written out, of an address that is
/// not kept: so it becomes one instruction with base, index and offset; <c>a += b</c> works the address out first, and takes half as long again.</remarks>
internal static unsafe class HistogramKernel
{
    private const int Ahead = 24;

    /// <summary>Adds rows of a panel that a list names.</summary>
    /// <param name="panel">The panel's first row.</param>
    /// <param name="shift">A row takes 2^shift bytes.</param>
    /// <param name="columns">Columns of the panel.</param>
    /// <param name="list">The rows.</param>
    /// <param name="packed">What each of them adds.</param>
    /// <param name="cells">256 cells a column.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddListed(byte* panel, int shift, int columns, int* list, int count, long* packed, long* cells)
    {
        nuint place;
        for (var k = 0; k < count; k++)
        {
            if (k < count - Ahead && Sse.IsSupported) Sse.Prefetch0(panel + ((long)list[k + Ahead] << shift));
            var row = panel + ((long)list[k] << shift);
            var value = packed[k];
            var cell = (byte*)cells;
            var left = columns;
            for (; left >= 8; left -= 8, row += 8, cell += 8 * 2048)
            {
                place = row[0];
                *(long*)(cell + (place * 8)) = *(long*)(cell + (place * 8)) + value;
                place = row[1];
                *(long*)(cell + 2048 + (place * 8)) = *(long*)(cell + 2048 + (place * 8)) + value;
                place = row[2];
                *(long*)(cell + 4096 + (place * 8)) = *(long*)(cell + 4096 + (place * 8)) + value;
                place = row[3];
                *(long*)(cell + 6144 + (place * 8)) = *(long*)(cell + 6144 + (place * 8)) + value;
                place = row[4];
                *(long*)(cell + 8192 + (place * 8)) = *(long*)(cell + 8192 + (place * 8)) + value;
                place = row[5];
                *(long*)(cell + 10240 + (place * 8)) = *(long*)(cell + 10240 + (place * 8)) + value;
                place = row[6];
                *(long*)(cell + 12288 + (place * 8)) = *(long*)(cell + 12288 + (place * 8)) + value;
                place = row[7];
                *(long*)(cell + 14336 + (place * 8)) = *(long*)(cell + 14336 + (place * 8)) + value;
            }
            if (left >= 4)
            {
                place = row[0];
                *(long*)(cell + (place * 8)) = *(long*)(cell + (place * 8)) + value;
                place = row[1];
                *(long*)(cell + 2048 + (place * 8)) = *(long*)(cell + 2048 + (place * 8)) + value;
                place = row[2];
                *(long*)(cell + 4096 + (place * 8)) = *(long*)(cell + 4096 + (place * 8)) + value;
                place = row[3];
                *(long*)(cell + 6144 + (place * 8)) = *(long*)(cell + 6144 + (place * 8)) + value;
                row += 4;
                cell += 4 * 2048;
                left -= 4;
            }
            for (; left > 0; left--, row++, cell += 2048)
            {
                place = row[0];
                *(long*)(cell + (place * 8)) = *(long*)(cell + (place * 8)) + value;
            }
        }
    }

    /// <summary>Adds rows of a panel that follow each other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddRun(byte* panel, int shift, int columns, int count, long* packed, long* cells)
    {
        nuint place;
        for (var k = 0; k < count; k++)
        {
            var row = panel + ((long)k << shift);
            var value = packed[k];
            var cell = (byte*)cells;
            var left = columns;
            for (; left >= 8; left -= 8, row += 8, cell += 8 * 2048)
            {
                place = row[0];
                *(long*)(cell + (place * 8)) = *(long*)(cell + (place * 8)) + value;
                place = row[1];
                *(long*)(cell + 2048 + (place * 8)) = *(long*)(cell + 2048 + (place * 8)) + value;
                place = row[2];
                *(long*)(cell + 4096 + (place * 8)) = *(long*)(cell + 4096 + (place * 8)) + value;
                place = row[3];
                *(long*)(cell + 6144 + (place * 8)) = *(long*)(cell + 6144 + (place * 8)) + value;
                place = row[4];
                *(long*)(cell + 8192 + (place * 8)) = *(long*)(cell + 8192 + (place * 8)) + value;
                place = row[5];
                *(long*)(cell + 10240 + (place * 8)) = *(long*)(cell + 10240 + (place * 8)) + value;
                place = row[6];
                *(long*)(cell + 12288 + (place * 8)) = *(long*)(cell + 12288 + (place * 8)) + value;
                place = row[7];
                *(long*)(cell + 14336 + (place * 8)) = *(long*)(cell + 14336 + (place * 8)) + value;
            }
            if (left >= 4)
            {
                place = row[0];
                *(long*)(cell + (place * 8)) = *(long*)(cell + (place * 8)) + value;
                place = row[1];
                *(long*)(cell + 2048 + (place * 8)) = *(long*)(cell + 2048 + (place * 8)) + value;
                place = row[2];
                *(long*)(cell + 4096 + (place * 8)) = *(long*)(cell + 4096 + (place * 8)) + value;
                place = row[3];
                *(long*)(cell + 6144 + (place * 8)) = *(long*)(cell + 6144 + (place * 8)) + value;
                row += 4;
                cell += 4 * 2048;
                left -= 4;
            }
            for (; left > 0; left--, row++, cell += 2048)
            {
                place = row[0];
                *(long*)(cell + (place * 8)) = *(long*)(cell + (place * 8)) + value;
            }
        }
    }

    /// <summary>Adds cells to others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(long* cells, long* others, int count)
    {
        var i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i + 8 <= count; i += 8) Vector512.Store(Vector512.Load(cells + i) + Vector512.Load(others + i), cells + i);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            for (; i + 4 <= count; i += 4) Vector256.Store(Vector256.Load(cells + i) + Vector256.Load(others + i), cells + i);
        }
        for (; i < count; i++) cells[i] += others[i];
    }

    /// <summary>Takes the cells of one child from its parent's: what is left is the other child's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Subtract(long* cells, long* others, int count)
    {
        var i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i + 8 <= count; i += 8) Vector512.Store(Vector512.Load(cells + i) - Vector512.Load(others + i), cells + i);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            for (; i + 4 <= count; i += 4) Vector256.Store(Vector256.Load(cells + i) - Vector256.Load(others + i), cells + i);
        }
        for (; i < count; i++) cells[i] -= others[i];
    }
}
