using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.Compression;

/// <summary>Copies a match: bytes that lie <c>offset</c> before where they go, which may overlap and then repeat as a pattern.</summary>
/// <remarks>The decoders of LZ4 and Snappy call this after they checked that the match lies inside what they have written.</remarks>
internal static unsafe class OverlappingCopy
{
    /// <summary>How many bytes past the end of a match <see cref="Wild"/> may write, and past its start may read.</summary>
    public const int Slack = 32;

    // Row n: 0, 1 .. n-1, 0, 1 .. so that a shuffle by it repeats the first n bytes of a vector through all sixteen.
    private static ReadOnlySpan<byte> Patterns =>
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1,
        0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0,
        0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3,
        0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0,
        0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3,
        0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6, 0, 1,
        0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5, 6,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 1, 2, 3, 4,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 1, 2,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0, 1,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0,
    ];

    // The longest multiple of n that fits a vector: how far to step so that the pattern stays in phase.
    private static ReadOnlySpan<byte> Strides => [0, 16, 16, 15, 16, 15, 12, 14, 16, 9, 10, 11, 12, 13, 14, 15];

    /// <summary>Copies in whole vectors; the caller has made sure of <see cref="Slack"/> writable bytes after the match.</summary>
    /// <param name="to">Where the match goes.</param>
    /// <param name="offset">How far before it the match lies, at least 1.</param>
    /// <param name="length">Bytes, at least 1.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Wild(byte* to, nuint offset, nuint length)
    {
        var from = to - offset;
        var end = to + length;
        if (offset >= 16)
        {
            do
            {
                // Two steps in this order, not one of 32 bytes: what the second reads the first may just have written.
                Vector128.Store(Vector128.Load(from), to);
                Vector128.Store(Vector128.Load(from + 16), to + 16);
                from += 32;
                to += 32;
            }
            while (to < end);
        }
        else
        {
            Repeat(to, from, (int)offset, end);
        }
    }

    /// <summary>Copies a match that ends close to the end of the buffer, and writes nothing past it.</summary>
    /// <param name="to">Where the match goes.</param>
    /// <param name="offset">How far before it the match lies, at least 1.</param>
    /// <param name="length">Bytes; <paramref name="to"/> + length is at most <paramref name="bufferEnd"/>.</param>
    /// <param name="bufferEnd">One past the last byte of the buffer.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Exact(byte* to, nuint offset, nuint length, byte* bufferEnd)
    {
        var end = to + length;

        // A block of zeros is one long match up to its end, so all but the last bytes of that too goes by vectors.
        if (bufferEnd - to > Slack)
        {
            var wild = (nuint)Math.Min((long)length, bufferEnd - to - Slack);
            Wild(to, offset, wild);
            to += wild;
        }

        for (; to < end; to++)
            *to = *(to - offset);
    }

    private static void Repeat(byte* to, byte* from, int offset, byte* end)
    {
        fixed (byte* patterns = Patterns)
        {
            var pattern = Vector128.ShuffleNative(Vector128.Load(from), Vector128.Load(patterns + offset * 16));
            nuint stride = Strides[offset];
            do
            {
                Vector128.Store(pattern, to);
                to += stride;
            }
            while (to < end);
        }
    }
}
