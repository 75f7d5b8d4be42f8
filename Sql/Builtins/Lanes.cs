using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.Sql.Builtins;

/// <summary>Bits of a mask as lanes of registers: all ones where the bit is set.</summary>
internal static class Lanes
{
    /// <summary>Eight lanes of 64 bits from the lowest eight bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<long> Eight(ulong bits)
    {
        var lanes = Vector512.Create(1L, 2, 4, 8, 16, 32, 64, 128);
        return Vector512.Equals(Vector512.Create((long)(bits & 0xFF)) & lanes, lanes);
    }

    /// <summary>Four lanes of 64 bits from the lowest four bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<long> Four(ulong bits)
    {
        var lanes = Vector256.Create(1L, 2, 4, 8);
        return Vector256.Equals(Vector256.Create((long)(bits & 0xF)) & lanes, lanes);
    }
}
