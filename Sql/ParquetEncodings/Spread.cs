using System.Runtime.CompilerServices;

namespace Dataflow.Sql.ParquetEncodings;

/// <summary>Moves dense values apart, to the rows that are not null.</summary>
internal static unsafe class Spread
{
    /// <summary>In place: the first values of a range go to its rows whose bits are set; the others become zero.</summary>
    /// <param name="values">The first row of the range.</param>
    /// <param name="width">Bytes of a value: 1, 2, 4, 8 or 16.</param>
    /// <param name="present">Values there are.</param>
    /// <param name="validity">The bitmap.</param>
    /// <param name="at">The bit of the range's first row.</param>
    /// <param name="rows">Rows of the range.</param>
    public static void Run(byte* values, int width, int present, ulong* validity, int at, int rows)
    {
        switch (width)
        {
            case 1: Run(values, present, validity, at, rows); break;
            case 2: Run((ushort*)values, present, validity, at, rows); break;
            case 4: Run((uint*)values, present, validity, at, rows); break;
            case 8: Run((ulong*)values, present, validity, at, rows); break;
            default: Run((UInt128*)values, present, validity, at, rows); break;
        }
    }

    // From the end, so that no value is overwritten before it moved. Once as many rows as values are left, all of them are in place.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<T>(T* values, int present, ulong* validity, int at, int rows)
        where T : unmanaged
    {
        var from = present - 1;
        for (var row = rows - 1; row > from; row--)
        {
            var bit = at + row;
            if ((validity[bit >> 6] >> (bit & 63) & 1) != 0) values[row] = values[from--];
            else values[row] = default;
        }
    }
}
