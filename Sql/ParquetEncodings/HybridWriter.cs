using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.Sql.ParquetEncodings;

/// <summary>Writes numbers in runs: one value many times, or packed bits. (Encodings.md, "RLE/Bit-Packing Hybrid")</summary>
internal static unsafe class HybridWriter
{
    private const int ShortestRepeat = 16;

    /// <summary>Most bytes that so many numbers may take.</summary>
    public static int MaxBytes(int count, int width) => (((count + 7) / 8 * width) + (count / 4) + 32);

    /// <summary>Writes numbers.</summary>
    /// <param name="values">The numbers.</param>
    /// <param name="count">How many.</param>
    /// <param name="width">Bits of a number.</param>
    /// <param name="to">Room for <see cref="MaxBytes"/>.</param>
    /// <returns>Bytes written.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Write(uint* values, int count, int width, byte* to)
    {
        var start = to;
        var packedFrom = 0;
        var at = 0;
        while (at + 8 <= count)
        {
            // Runs of repeats begin at a group's first number, so that all packed ones before are whole groups.
            var first = Vector256.Create(values[at]);
            var end = at;
            while (end + 8 <= count && Vector256.Load(values + end) == first) end += 8;
            while (end < count && end > at && values[end] == values[at]) end++;
            if (end - at < ShortestRepeat)
            {
                at += 8;
                continue;
            }
            to = Pack(values + packedFrom, at - packedFrom, width, to);
            to = Varint((uint)(end - at) << 1, to);
            for (var i = 0; i < (width + 7) / 8; i++) *to++ = (byte)(values[at] >> (8 * i));
            at = packedFrom = end;
        }
        to = Pack(values + packedFrom, count - packedFrom, width, to);
        return (int)(to - start);
    }

    /// <summary>Writes bits of a bitmap as numbers of one bit.</summary>
    /// <param name="bits">The bitmap.</param>
    /// <param name="at">First bit.</param>
    /// <param name="count">How many.</param>
    /// <param name="ones">How many are set.</param>
    /// <param name="to">Room for <see cref="MaxBytes"/>.</param>
    public static int WriteBits(ulong* bits, int at, int count, int ones, byte* to)
    {
        var start = to;
        if (ones == 0 || ones == count)
        {
            to = Varint((uint)count << 1, to);
            *to++ = (byte)(ones == 0 ? 0 : 1);
            return (int)(to - start);
        }
        var groups = (count + 7) / 8;
        to = Varint((uint)groups << 1 | 1, to);
        for (var i = 0; i < groups; i++)
        {
            var bit = at + (i * 8);
            var eight = bits[bit >> 6] >> (bit & 63);
            if ((bit & 63) > 56) eight |= bits[(bit >> 6) + 1] << (64 - (bit & 63));
            *to++ = (byte)eight;
        }
        return (int)(to - start);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static byte* Pack(uint* values, int count, int width, byte* to)
    {
        if (count == 0) return to;
        var groups = (count + 7) / 8;
        to = Varint((uint)groups << 1 | 1, to);
        ulong bits = 0;
        var filled = 0;
        var end = to + ((long)groups * width);
        for (var i = 0; i < count; i++)
        {
            bits |= (ulong)values[i] << filled;
            filled += width;
            if (filled < 32) continue;
            *(uint*)to = (uint)bits;
            to += 4;
            bits >>= 32;
            filled -= 32;
        }
        for (; filled > 0; filled -= 8, bits >>= 8) *to++ = (byte)bits;
        while (to < end) *to++ = 0;
        return to;
    }

    private static byte* Varint(uint value, byte* to)
    {
        for (; value >= 0x80; value >>= 7) *to++ = (byte)(value | 0x80);
        *to++ = (byte)value;
        return to;
    }
}
