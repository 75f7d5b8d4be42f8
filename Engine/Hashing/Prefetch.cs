using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Dataflow.Hashing;

/// <summary>Asks the processor to fetch memory that is needed soon, so that the waits of a chunk's keys overlap. Does nothing where it can't.</summary>
/// <remarks>A prefetch never faults and pins nothing: should the collector move the object in between, the hint is merely wasted.</remarks>
internal static unsafe class Prefetch
{
    /// <summary>Fetches the line at <paramref name="place"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void At<T>(ref T place)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(Unsafe.AsPointer(ref place));
    }

    /// <summary>Fetches the object that the reference at <paramref name="place"/> points to; the place itself is read now.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ObjectOf<T>(ref T place)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(*(void**)Unsafe.AsPointer(ref place));
    }
}
