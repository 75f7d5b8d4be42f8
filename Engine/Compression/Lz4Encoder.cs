using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.Compression;

/// <summary>Encodes the LZ4 block format, for speed: one hash table of the last position of each few bytes, no search beyond it.</summary>
/// <remarks>The method is that of LZ4's fast mode (Yann Collet, lz4.c), acceleration 1: where nothing matches, steps grow, so that
/// data that does not compress is passed over at the speed of memory. A block of at most 64 KB indexes by 2 bytes, so that its table
/// of 8,192 entries is half of a first-level cache.</remarks>
internal static unsafe class Lz4Encoder
{
    /// <summary>The longest source, in bytes; a limit of the reference implementation.</summary>
    public const int MaxLength = 0x7E000000;

    private const int MinMatch = 4;
    private const int TableBits = 13;

    // Rules of the format for the end of a block: the last 5 bytes are literals, and no match starts in the last 12.
    private const int LastLiterals = 5;
    private const int MatchStartLimit = 12;

    /// <summary>The most bytes that <see cref="Encode"/> writes for a source of this length.</summary>
    public static int MaxEncodedLength(int length) => length + length / 255 + 16;

    /// <summary>Encodes one block.</summary>
    /// <returns>Bytes written.</returns>
    /// <param name="source">At most <see cref="MaxLength"/> bytes.</param>
    /// <param name="destination">At least <see cref="MaxEncodedLength"/> bytes; the caller has checked that.</param>
    [SkipLocalsInit]
    public static int Encode(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        fixed (byte* input = source, output = destination)
        {
            // A small block gets a small table: clearing it must not cost more than the block.
            var bits = Math.Clamp(BitOperations.Log2((uint)source.Length | 1) + 1, 6, TableBits);
            if (source.Length <= ushort.MaxValue + 1)
            {
                var table = stackalloc ushort[1 << TableBits];
                Unsafe.InitBlock(table, 0, (uint)(sizeof(ushort) << bits));
                return Encode(input, source.Length, output, table, bits);
            }
            else
            {
                var table = stackalloc uint[1 << TableBits];
                Unsafe.InitBlock(table, 0, (uint)(sizeof(uint) << bits));
                return Encode(input, source.Length, output, table, bits);
            }
        }
    }

    // TIndex is ushort or uint; the compiler makes one body for each, without the branches on it.
    private static int Encode<TIndex>(byte* source, int length, byte* destination, TIndex* table, int bits)
        where TIndex : unmanaged
    {
        var input = source;
        var output = destination;
        var anchor = source;                                   // start of the literals not yet written
        var sourceEnd = source + length;
        var matchEnd = sourceEnd - LastLiterals;               // matches end here at the latest
        var lastStart = sourceEnd - MatchStartLimit;           // and start here at the latest
        if (length <= MatchStartLimit)
            goto tail;

        Put(table, Hash<TIndex>(input, bits), 0);
        input++;
        var nextHash = Hash<TIndex>(input, bits);
        while (true)
        {
            byte* match;
            var next = input;
            nint step = 1;
            uint attempts = 1 << 6;
            do
            {
                // The hash of the place after this one is computed early: it hides the look-up's delay.
                var hash = nextHash;
                input = next;
                next += step;
                step = (nint)(attempts++ >> 6);
                if (next > lastStart + 1)
                    goto tail;
                match = source + Get(table, hash);
                nextHash = Hash<TIndex>(next, bits);
                Put(table, hash, (int)(input - source));
            }
            while (*(uint*)match != *(uint*)input || TooFar<TIndex>(match, input));

            while (input > anchor && match > source && input[-1] == match[-1])
            {
                input--;
                match--;
            }

            var literals = (nuint)(input - anchor);
            var token = output++;
            if (literals >= 15)
            {
                *token = 15 << 4;
                output = WriteLengthRest(output, literals - 15);
            }
            else
            {
                *token = (byte)(literals << 4);
            }

            // At least 12 bytes of source follow the literals, and so more than 16 of destination: but reading 16 may pass the end.
            if (literals <= 16 && sourceEnd - anchor >= 16)
                Vector128.Store(Vector128.Load(anchor), output);
            else
                Buffer.MemoryCopy(anchor, output, literals, literals);
            output += literals;

            while (true)
            {
                Unsafe.WriteUnaligned(output, (ushort)(input - match));
                output += 2;
                var more = CommonLength(input + MinMatch, match + MinMatch, matchEnd);
                input += MinMatch + more;
                if (more >= 15)
                {
                    *token |= 15;
                    output = WriteLengthRest(output, more - 15);
                }
                else
                {
                    *token |= (byte)more;
                }

                anchor = input;
                if (input > lastStart)
                    goto tail;

                // Another match often follows at once.
                Put(table, Hash<TIndex>(input - 2, bits), (int)(input - 2 - source));
                var hash = Hash<TIndex>(input, bits);
                match = source + Get(table, hash);
                Put(table, hash, (int)(input - source));
                if (*(uint*)match != *(uint*)input || TooFar<TIndex>(match, input))
                    break;
                token = output++;
                *token = 0;
            }

            input++;
            nextHash = Hash<TIndex>(input, bits);
        }

    tail:
        var rest = (nuint)(sourceEnd - anchor);
        if (rest >= 15)
        {
            *output++ = 15 << 4;
            output = WriteLengthRest(output, rest - 15);
        }
        else
        {
            *output++ = (byte)(rest << 4);
        }

        Buffer.MemoryCopy(anchor, output, rest, rest);
        return (int)(output + rest - destination);
    }

    // Reads 8 bytes for long blocks, where five bytes make fewer chance hits; every caller is at least 11 before the end.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Hash<TIndex>(byte* at, int bits) => typeof(TIndex) == typeof(ushort)
        ? *(uint*)at * 2654435761u >> (32 - bits)
        : (uint)((*(ulong*)at << 24) * 889523592379ul >> (64 - bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Get<TIndex>(TIndex* table, uint hash) where TIndex : unmanaged =>
        typeof(TIndex) == typeof(ushort) ? ((ushort*)table)[hash] : ((uint*)table)[hash];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<TIndex>(TIndex* table, uint hash, int position) where TIndex : unmanaged
    {
        if (typeof(TIndex) == typeof(ushort))
            ((ushort*)table)[hash] = (ushort)position;
        else
            ((uint*)table)[hash] = (uint)position;
    }

    // A block of 64 KB cannot hold a distance that does not fit the offset.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TooFar<TIndex>(byte* match, byte* input) =>
        typeof(TIndex) != typeof(ushort) && input - match > Lz4Decoder.MaxDistance;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint CommonLength(byte* input, byte* match, byte* end)
    {
        var start = input;
        while (end - input >= 8)
        {
            var difference = *(ulong*)input ^ *(ulong*)match;
            if (difference != 0)
                return (nuint)(input - start) + (nuint)(BitOperations.TrailingZeroCount(difference) >> 3);
            input += 8;
            match += 8;
        }

        while (input < end && *input == *match)
        {
            input++;
            match++;
        }

        return (nuint)(input - start);
    }

    private static byte* WriteLengthRest(byte* output, nuint rest)
    {
        for (; rest >= 255; rest -= 255)
            *output++ = 255;
        *output++ = (byte)rest;
        return output;
    }
}
