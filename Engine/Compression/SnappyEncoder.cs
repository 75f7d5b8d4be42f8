using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.Compression;

/// <summary>Encodes the raw Snappy format.</summary>
/// <remarks>Format and method: format_description.txt and snappy.cc of the Snappy project. The source is cut into fragments of 64 KB
/// that never refer to one another, so positions in the hash table take 2 bytes; where nothing matches, steps grow.</remarks>
internal static unsafe class SnappyEncoder
{
    /// <summary>The longest source, in bytes, whose bound fits an int.</summary>
    public const int MaxLength = (int)((int.MaxValue - 32L) * 6 / 7);

    private const int FragmentLength = 1 << 16;
    private const int TableBits = 14;

    // No match starts in the last 15 bytes, so that 16 can be read at once wherever a literal ends.
    private const int StartLimit = 15;

    /// <summary>The most bytes that <see cref="Encode(ReadOnlySpan{byte}, Span{byte})"/> writes for a source of this length.</summary>
    public static int MaxEncodedLength(int length) => 32 + length + length / 6;

    /// <summary>Encodes one block.</summary>
    /// <returns>Bytes written.</returns>
    /// <param name="source">At most <see cref="MaxLength"/> bytes.</param>
    /// <param name="destination">At least <see cref="MaxEncodedLength"/> bytes; the caller has checked that.</param>
    [SkipLocalsInit]
    public static int Encode(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        fixed (byte* input = source, start = destination)
        {
            var output = start;
            var length = (uint)source.Length;
            for (; length >= 0x80; length >>= 7)
                *output++ = (byte)(length | 0x80);
            *output++ = (byte)length;

            var table = stackalloc ushort[1 << TableBits];
            for (var at = 0; at < source.Length; at += FragmentLength)
            {
                var fragment = Math.Min(FragmentLength, source.Length - at);
                var bits = Math.Clamp(BitOperations.Log2((uint)fragment - 1 | 1) + 1, 8, TableBits);
                Unsafe.InitBlock(table, 0, (uint)(sizeof(ushort) << bits));
                output = Encode(input + at, fragment, output, table, bits);
            }

            return (int)(output - start);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static byte* Encode(byte* source, int length, byte* output, ushort* table, int bits)
    {
        var input = source;
        var anchor = source;                                   // start of the literal not yet written
        var sourceEnd = source + length;
        var lastStart = sourceEnd - StartLimit;
        if (length <= StartLimit)
            goto tail;

        input++;
        var nextHash = Hash(input, bits);
        while (true)
        {
            byte* match;
            var next = input;
            uint skip = 32;
            do
            {
                var hash = nextHash;
                input = next;
                next += skip++ >> 5;
                if (next > lastStart)
                    goto tail;
                nextHash = Hash(next, bits);
                match = source + table[hash];
                table[hash] = (ushort)(input - source);
            }
            while (*(uint*)match != *(uint*)input);

            output = WriteLiteral(output, anchor, (uint)(input - anchor), sourceEnd);
            do
            {
                var offset = (uint)(input - match);
                var matched = 4 + CommonLength(input + 4, match + 4, sourceEnd);
                output = WriteCopy(output, offset, matched);
                input += matched;
                anchor = input;
                if (input >= lastStart)
                    goto tail;

                // Another match often follows at once.
                table[Hash(input - 1, bits)] = (ushort)(input - 1 - source);
                var hash = Hash(input, bits);
                match = source + table[hash];
                table[hash] = (ushort)(input - source);
            }
            while (*(uint*)match == *(uint*)input);

            input++;
            nextHash = Hash(input, bits);
        }

    tail:
        return anchor < sourceEnd ? WriteLiteral(output, anchor, (uint)(sourceEnd - anchor), sourceEnd) : output;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Hash(byte* at, int bits) => *(uint*)at * 0x1E35A7BDu >> (32 - bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* WriteLiteral(byte* output, byte* literal, uint length, byte* sourceEnd)
    {
        // The bound leaves 32 bytes, so a short literal may be written as 16; the source may end sooner.
        if (length <= 16 && sourceEnd - literal >= 16)
        {
            *output++ = (byte)(length - 1 << 2);
            Vector128.Store(Vector128.Load(literal), output);
            return output + length;
        }

        return WriteLongLiteral(output, literal, length);
    }

    private static byte* WriteLongLiteral(byte* output, byte* literal, uint length)
    {
        var rest = length - 1;
        if (rest < 60)
        {
            *output++ = (byte)(rest << 2);
        }
        else
        {
            // A fragment of 64 KB never needs more than two bytes.
            var bytes = rest < 256 ? 1 : 2;
            *output++ = (byte)(59 + bytes << 2);
            *output++ = (byte)rest;
            if (bytes == 2)
                *output++ = (byte)(rest >> 8);
        }

        Buffer.MemoryCopy(literal, output, length, length);
        return output + length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* WriteCopy(byte* output, uint offset, uint length)
    {
        if (length < 12 && offset < 2048)
        {
            *output++ = (byte)(1 | length - 4 << 2 | offset >> 8 << 5);
            *output++ = (byte)offset;
            return output;
        }

        return WriteLongCopy(output, offset, length);
    }

    private static byte* WriteLongCopy(byte* output, uint offset, uint length)
    {
        // The last piece has at least 4 bytes, which the shortest kind of copy needs.
        for (; length >= 68; length -= 64)
            output = WriteTwoByteCopy(output, offset, 64);
        if (length > 64)
        {
            output = WriteTwoByteCopy(output, offset, 60);
            length -= 60;
        }

        return length < 12 && offset < 2048 ? WriteCopy(output, offset, length) : WriteTwoByteCopy(output, offset, length);
    }

    private static byte* WriteTwoByteCopy(byte* output, uint offset, uint length)
    {
        *output = (byte)(2 | length - 1 << 2);
        Unsafe.WriteUnaligned(output + 1, (ushort)offset);
        return output + 3;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint CommonLength(byte* input, byte* match, byte* end)
    {
        var start = input;
        while (end - input >= 8)
        {
            var difference = *(ulong*)input ^ *(ulong*)match;
            if (difference != 0)
                return (uint)(input - start) + (uint)(BitOperations.TrailingZeroCount(difference) >> 3);
            input += 8;
            match += 8;
        }

        while (input < end && *input == *match)
        {
            input++;
            match++;
        }

        return (uint)(input - start);
    }
}
