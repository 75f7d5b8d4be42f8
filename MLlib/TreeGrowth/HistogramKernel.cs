using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>
/// The loops that take nearly all the time of training: for each row of a node and each column, one 64-bit addition to the cell of the row's bin. The high half of
/// a cell is the sum of gradients, the low half that of hessians.
/// </summary>
/// <remarks>Leaf methods without any call: pointers stay in registers. A cell's index is column * 256 + bin. <c>a = a + b</c> is written out, of an address that is
/// not kept: so it becomes one instruction with base, index and offset; <c>a += b</c> works the address out first, and takes half as long again.</remarks>
internal static unsafe class HistogramKernel
{
    private const int ColumnBytes = 256 * sizeof(long);

    // Bytes of rows that are asked for before they are needed: they come from the second-level cache at best. A prefetch past the end does nothing.
    private const int Ahead = 1024;

    /// <summary>Adds rows that follow each other, about eight columns at a time: so many that the cells stay in the first-level cache.</summary>
    /// <param name="row">The first row.</param>
    /// <param name="stride">Bytes of a row.</param>
    /// <param name="columns">Columns, a byte each.</param>
    /// <param name="packed">What each row adds.</param>
    /// <param name="cells">256 cells a column.</param>
    public static void AddRows(byte* row, int stride, int columns, int count, long* packed, long* cells)
    {
        var cell = (byte*)cells;
        while (columns > 0)
        {
            // What eight does not divide goes by fours, and by nines rather than ones.
            int step;
            if (columns >= 9 && (columns % 8 is 1 or 2 or 3 || columns % 8 > 4))
            {
                step = 9;
                Add9(row, stride, count, packed, cell);
            }
            else if (columns >= 8)
            {
                step = 8;
                Add8(row, stride, count, packed, cell);
            }
            else if (columns >= 4)
            {
                step = 4;
                Add4(row, stride, count, packed, cell);
            }
            else if (columns >= 2)
            {
                step = 2;
                Add2(row, stride, count, packed, cell);
            }
            else
            {
                step = 1;
                Add1(row, stride, count, packed, cell);
            }
            columns -= step;
            row += step;
            cell += step * ColumnBytes;
        }
    }

    /// <summary>Brings rows that a list names together.</summary>
    /// <param name="panel">The panel's first row.</param>
    /// <param name="shift">A row takes 2^shift bytes: 8, 16, 32 or 64.</param>
    /// <param name="list">The rows.</param>
    /// <param name="target">Gets them one behind the other.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Gather(byte* panel, int shift, int* list, int count, byte* target)
    {
        const int RowsAhead = 32;
        for (var k = 0; k < count; k++)
        {
            if (k < count - RowsAhead && Sse.IsSupported) Sse.Prefetch0(panel + ((long)list[k + RowsAhead] << shift));
            var source = panel + ((long)list[k] << shift);
            var place = target + ((long)k << shift);
            if (shift == 6)
            {
                Vector128.Store(Vector128.Load(source), place);
                Vector128.Store(Vector128.Load(source + 16), place + 16);
                Vector128.Store(Vector128.Load(source + 32), place + 32);
                Vector128.Store(Vector128.Load(source + 48), place + 48);
            }
            else if (shift == 5)
            {
                Vector128.Store(Vector128.Load(source), place);
                Vector128.Store(Vector128.Load(source + 16), place + 16);
            }
            else if (shift == 4)
            {
                Vector128.Store(Vector128.Load(source), place);
            }
            else
            {
                *(long*)place = *(long*)source;
            }
        }
    }

    /// <summary>Adds cells to others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
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
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Add9(byte* row, nint stride, int count, long* packed, byte* cells)
    {
        nuint place;
        for (var end = packed + count; packed < end; packed++, row += stride)
        {
            if (Sse.IsSupported) Sse.Prefetch0(row + Ahead);
            var value = *packed;
            place = row[0];
            *(long*)(cells + (place * 8)) = *(long*)(cells + (place * 8)) + value;
            place = row[1];
            *(long*)(cells + 2048 + (place * 8)) = *(long*)(cells + 2048 + (place * 8)) + value;
            place = row[2];
            *(long*)(cells + 4096 + (place * 8)) = *(long*)(cells + 4096 + (place * 8)) + value;
            place = row[3];
            *(long*)(cells + 6144 + (place * 8)) = *(long*)(cells + 6144 + (place * 8)) + value;
            place = row[4];
            *(long*)(cells + 8192 + (place * 8)) = *(long*)(cells + 8192 + (place * 8)) + value;
            place = row[5];
            *(long*)(cells + 10240 + (place * 8)) = *(long*)(cells + 10240 + (place * 8)) + value;
            place = row[6];
            *(long*)(cells + 12288 + (place * 8)) = *(long*)(cells + 12288 + (place * 8)) + value;
            place = row[7];
            *(long*)(cells + 14336 + (place * 8)) = *(long*)(cells + 14336 + (place * 8)) + value;
            place = row[8];
            *(long*)(cells + 16384 + (place * 8)) = *(long*)(cells + 16384 + (place * 8)) + value;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Add8(byte* row, nint stride, int count, long* packed, byte* cells)
    {
        nuint place;
        for (var end = packed + count; packed < end; packed++, row += stride)
        {
            if (Sse.IsSupported) Sse.Prefetch0(row + Ahead);
            var value = *packed;
            place = row[0];
            *(long*)(cells + (place * 8)) = *(long*)(cells + (place * 8)) + value;
            place = row[1];
            *(long*)(cells + 2048 + (place * 8)) = *(long*)(cells + 2048 + (place * 8)) + value;
            place = row[2];
            *(long*)(cells + 4096 + (place * 8)) = *(long*)(cells + 4096 + (place * 8)) + value;
            place = row[3];
            *(long*)(cells + 6144 + (place * 8)) = *(long*)(cells + 6144 + (place * 8)) + value;
            place = row[4];
            *(long*)(cells + 8192 + (place * 8)) = *(long*)(cells + 8192 + (place * 8)) + value;
            place = row[5];
            *(long*)(cells + 10240 + (place * 8)) = *(long*)(cells + 10240 + (place * 8)) + value;
            place = row[6];
            *(long*)(cells + 12288 + (place * 8)) = *(long*)(cells + 12288 + (place * 8)) + value;
            place = row[7];
            *(long*)(cells + 14336 + (place * 8)) = *(long*)(cells + 14336 + (place * 8)) + value;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Add4(byte* row, nint stride, int count, long* packed, byte* cells)
    {
        nuint place;
        for (var end = packed + count; packed < end; packed++, row += stride)
        {
            var value = *packed;
            place = row[0];
            *(long*)(cells + (place * 8)) = *(long*)(cells + (place * 8)) + value;
            place = row[1];
            *(long*)(cells + 2048 + (place * 8)) = *(long*)(cells + 2048 + (place * 8)) + value;
            place = row[2];
            *(long*)(cells + 4096 + (place * 8)) = *(long*)(cells + 4096 + (place * 8)) + value;
            place = row[3];
            *(long*)(cells + 6144 + (place * 8)) = *(long*)(cells + 6144 + (place * 8)) + value;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Add2(byte* row, nint stride, int count, long* packed, byte* cells)
    {
        nuint place;
        for (var end = packed + count; packed < end; packed++, row += stride)
        {
            var value = *packed;
            place = row[0];
            *(long*)(cells + (place * 8)) = *(long*)(cells + (place * 8)) + value;
            place = row[1];
            *(long*)(cells + 2048 + (place * 8)) = *(long*)(cells + 2048 + (place * 8)) + value;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Add1(byte* row, nint stride, int count, long* packed, byte* cells)
    {
        nuint place;
        for (var end = packed + count; packed < end; packed++, row += stride)
        {
            var value = *packed;
            place = row[0];
            *(long*)(cells + (place * 8)) = *(long*)(cells + (place * 8)) + value;
        }
    }
}
