using System.Runtime.CompilerServices;

namespace Dataflow.Hashing;

/// <summary>
/// The arithmetic under every stable hash: a 64-bit state takes one 64-bit part after the other and is finished once. Changing anything
/// here places every key elsewhere, so the tests pin its results.
/// </summary>
/// <remarks>
/// One part is half of the mixer "xmxmx" (xor-shift, multiply, and again; P. Evensen 2018, constants his and of MurmurHash3 by A. Appleby);
/// the other half is done once, at the end.
/// </remarks>
internal static class Mixing
{
    /// <summary>The state before the first part.</summary>
    public const ulong Seed = 0x9E3779B97F4A7C15;

    // Any odd number without pattern; stands for a part that is null, so that (null, 1) and (0, 1) differ.
    private const ulong NullPart = 0x8EBC6AF09C88C6E3;

    /// <summary>Takes one part. Order matters: (1, 2) and (2, 1) differ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Add(ulong state, ulong part)
    {
        // Without the first shift, parts that differ only in high bits (doubles of small integers) would stay there.
        state = (state ^ part ^ (part >> 32)) * 0xD6E8FEB86659FD93;
        return state ^ (state >> 32);
    }

    /// <summary>Takes the absence of a part.</summary>
    public static ulong AddNull(ulong state) => Add(state, NullPart);

    /// <summary>The hash of all parts: high and low bits alike depend on every bit of every part.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Finish(ulong state)
    {
        state *= 0xFF51AFD7ED558CCD;
        return state ^ (state >> 32);
    }
}
