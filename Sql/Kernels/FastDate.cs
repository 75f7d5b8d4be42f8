using System.Runtime.CompilerServices;
using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Kernels;

/// <summary>Year, month and day of days, for loops: divisions are multiplications. (C. Neri and L. Schneider, "Euclidean affine functions", 2023.)</summary>
internal static class FastDate
{
    // Eras of 400 years that are added, so that all days from -5,000,000 to 800,000,000 are positive.
    private const uint Eras = 82;
    private const uint Shift = 719_468 + (146_097 * Eras);

    /// <summary>The parts of a day, as <c>year &lt;&lt; 16 | month &lt;&lt; 8 | day</c> in 64 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Packed(int days)
    {
        if ((uint)(days + 5_000_000) > 805_000_000) return Slow(days);
        var n1 = (4 * ((uint)days + Shift)) + 3;
        var century = n1 / 146_097;
        var n2 = (4 * (n1 % 146_097 / 4)) + 3;
        var p2 = 2_939_745UL * n2;
        var z = (uint)(p2 >> 32);
        var dayOfYear = (uint)p2 / 2_939_745 / 4;
        var n3 = (2_141 * dayOfYear) + 197_913;
        var month = n3 >> 16;
        var day = (n3 & 0xFFFF) / 2_141;
        // Years begin in March: January and February are the last months of the year before.
        var isNext = dayOfYear >= 306;
        long year = (int)((100 * century) + z) - (int)(400 * Eras) + (isNext ? 1 : 0);
        return (year << 16) | ((isNext ? month - 12 : month) << 8) | (day + 1);
    }

    private static long Slow(int days)
    {
        var (year, month, day) = CivilDate.Of(days);
        return ((long)year << 16) | ((long)month << 8) | (long)day;
    }
}

/// <summary>The year of a date.</summary>
internal readonly struct YearOf : IMap<int, int>
{
    public static int Of(int value) => (int)(FastDate.Packed(value) >> 16);
}

/// <summary>The month of a date, 1 to 12.</summary>
internal readonly struct MonthOf : IMap<int, int>
{
    public static int Of(int value) => (int)(FastDate.Packed(value) >> 8) & 0xFF;
}

/// <summary>The quarter of a date, 1 to 4.</summary>
internal readonly struct QuarterOf : IMap<int, int>
{
    public static int Of(int value) => (MonthOf.Of(value) + 2) / 3;
}

/// <summary>The day of the month of a date.</summary>
internal readonly struct DayOf : IMap<int, int>
{
    public static int Of(int value) => (int)FastDate.Packed(value) & 0xFF;
}
