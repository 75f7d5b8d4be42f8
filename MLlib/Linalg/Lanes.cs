using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.MLlib.Linalg;

/// <summary>
/// How sums over features and rows are ordered: always as eight lanes, whatever registers the machine has, so that they have the same bits everywhere. Where there
/// are no registers of 512 bits, the runtime takes two or four smaller ones for a <see cref="Vector512{T}"/>; products are rounded before they are added.
/// </summary>
internal static class Lanes
{
    /// <summary>How many lanes there are.</summary>
    public const int Count = 8;

    /// <summary>A length rounded up to whole lanes.</summary>
    public static int Padded(int length) => (length + Count - 1) & -Count;

    /// <summary>The sum of the lanes: halves are added to halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sum(Vector512<double> lanes)
    {
        var four = lanes.GetLower() + lanes.GetUpper();
        var two = four.GetLower() + four.GetUpper();
        return two.ToScalar() + two.GetElement(1);
    }
}
