using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.Compression;

/// <summary>Decodes the raw Snappy format.</summary>
/// <remarks>Format: format_description.txt of the Snappy project. The raw length as a varint, then elements: a tag byte, whose two
/// low bits say literal or copy with a 1, 2 or 4-byte offset, and the rest of whose bits hold the length or a part of it.</remarks>
internal static unsafe class SnappyDecoder
{
    private const int LongestElement = 64;

    // Room that the quick loop wants before both ends: it copies 64 bytes from an element's first byte on, whatever its length.
    private const int QuickRoom = 2 * LongestElement;

    // Per tag of a copy: bits 0-7 its length, 8-10 the offset's high bits for the 1-byte kind, 11-13 how many offset bytes follow.
    private static readonly ushort[] Copies = MakeCopies();

    // Keeps the low 0 to 4 bytes of a word.
    private static ReadOnlySpan<uint> Masks => [0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF];

    /// <summary>Reads the raw length at the front of a block.</summary>
    /// <returns>The raw length in bytes, not yet to be believed, and how many bytes of the source tell it.</returns>
    /// <exception cref="CorruptDataException">There is no varint of at most 32 bits.</exception>
    public static (uint RawLength, int HeaderLength) ReadLength(ReadOnlySpan<byte> source)
    {
        ulong length = 0;
        for (var at = 0; at < 5; at++)
        {
            if (at >= source.Length)
                throw new CorruptDataException("snappy", at, "the block ends inside its length");
            length |= (ulong)(source[at] & 0x7F) << (7 * at);
            if (source[at] < 0x80)
            {
                return length <= uint.MaxValue
                    ? ((uint)length, at + 1)
                    : throw new CorruptDataException("snappy", 0, $"the raw length is {length:N0} bytes, more than 4 GB");
            }
        }

        throw new CorruptDataException("snappy", 4, "the raw length has more than 5 bytes");
    }

    /// <summary>Decodes one block to the front of <paramref name="destination"/>.</summary>
    /// <returns>Bytes written: the raw length that the block states.</returns>
    /// <exception cref="CorruptDataException">Not a whole block, or more than fits.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Decode(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        var (rawLength, headerLength) = ReadLength(source);
        if (rawLength > (uint)destination.Length)
            throw new CorruptDataException("snappy", 0, $"the block states {rawLength:N0} raw bytes, where at most {destination.Length:N0} are expected");

        ref var copies = ref Copies[0];
        fixed (byte* sourceStart = source, destinationStart = destination)
        fixed (uint* masks = Masks)
        {
            var input = sourceStart + headerLength;
            var inputEnd = sourceStart + source.Length;
            var output = destinationStart;
            var outputEnd = destinationStart + (int)rawLength;
            var bufferEnd = destinationStart + destination.Length;

            var inputQuickEnd = inputEnd - QuickRoom;
            var outputQuickEnd = outputEnd - QuickRoom;

            while (input < inputEnd)
            {
                // Far from both ends, elements of the usual kinds need few checks. The way from one tag to the next is kept short, since nothing can begin
                // before the next tag is known: for copies its two low bits say how many bytes follow. What does not fit is left to the plain code below.
                while (input < inputQuickEnd && output < outputQuickEnd)
                {
                    uint next = *input;
                    var kind = next & 3;
                    if (kind == 0)
                    {
                        if (next >= 60 << 2)
                            break;
                        nuint run = (next >> 2) + 1;
                        Vector128.Store(Vector128.Load(input + 1), output);
                        if (run > 16)
                        {
                            Vector128.Store(Vector128.Load(input + 17), output + 16);
                            Vector128.Store(Vector128.Load(input + 33), output + 32);
                            Vector128.Store(Vector128.Load(input + 49), output + 48);
                        }

                        input += run + 1;
                        output += run;
                    }
                    else
                    {
                        uint copy = Unsafe.Add(ref copies, next);
                        nuint back = (Unsafe.ReadUnaligned<uint>(input + 1) & masks[kind]) + (copy & 0x700);
                        nuint run = copy & 0xFF;

                        if (kind == 3 || back - 1 >= (nuint)(output - destinationStart))
                            break;
                        OverlappingCopy.Wild(output, back, run);
                        input += kind + 1;
                        output += run;
                    }
                }

                uint tag = *input++;
                if ((tag & 3) == 0)
                {
                    nuint length = (tag >> 2) + 1;
                    if (length <= 16 && inputEnd - input >= 16 && bufferEnd - output >= 16 && outputEnd - output >= (nint)length)
                    {
                        Vector128.Store(Vector128.Load(input), output);
                    }
                    else
                    {
                        if (length > 60)
                        {
                            var bytes = (int)length - 60;
                            if (inputEnd - input < bytes)
                                FailEnd(source.Length);
                            length = 1;
                            for (var at = 0; at < bytes; at++)
                                length += (nuint)input[at] << (8 * at);
                            input += bytes;
                        }

                        if (length > (nuint)(inputEnd - input))
                            FailLiteral(length, inputEnd - input, input - sourceStart);
                        if (length > (nuint)(outputEnd - output))
                            FailRoom(rawLength, input - sourceStart);
                        Buffer.MemoryCopy(input, output, length, length);
                    }

                    input += length;
                    output += length;
                }
                else
                {
                    // One look-up instead of three kinds of branch: what comes next is rarely what came before.
                    uint copy = Unsafe.Add(ref copies, tag);
                    var bytes = copy >> 11;
                    nuint offset;
                    if (inputEnd - input >= 4)
                        offset = Unsafe.ReadUnaligned<uint>(input) & masks[bytes];
                    else if (inputEnd - input >= bytes)
                        offset = ReadLast(input, bytes);
                    else
                        offset = FailEnd(source.Length);
                    offset += copy & 0x700;
                    nuint length = copy & 0xFF;
                    input += bytes;

                    if (offset - 1 >= (nuint)(output - destinationStart))
                        FailOffset(offset, output - destinationStart, input - sourceStart - bytes);
                    if (length > (nuint)(outputEnd - output))
                        FailRoom(rawLength, input - sourceStart);
                    if (bufferEnd - output >= LongestElement + OverlappingCopy.Slack)
                        OverlappingCopy.Wild(output, offset, length);
                    else
                        OverlappingCopy.Exact(output, offset, length, bufferEnd);
                    output += length;
                }
            }

            if (output != outputEnd)
                throw new CorruptDataException("snappy", source.Length, $"the block ends after {output - destinationStart:N0} of the {rawLength:N0} raw bytes that it states");
            return (int)rawLength;
        }
    }

    private static uint ReadLast(byte* input, uint bytes)
    {
        uint value = 0;
        for (var at = 0; at < bytes; at++)
            value |= (uint)input[at] << (8 * at);
        return value;
    }

    private static ushort[] MakeCopies()
    {
        var copies = new ushort[256];
        for (var tag = 0; tag < 256; tag++)
        {
            copies[tag] = (ushort)((tag & 3) switch
            {
                1 => (tag >> 2 & 7) + 4 | tag >> 5 << 8 | 1 << 11,
                2 => (tag >> 2) + 1 | 2 << 11,
                3 => (tag >> 2) + 1 | 4 << 11,
                _ => 0,
            });
        }

        return copies;
    }

    [DoesNotReturn]
    private static nuint FailEnd(int length) =>
        throw new CorruptDataException("snappy", length, "the block ends inside an element");

    [DoesNotReturn]
    private static void FailLiteral(nuint length, long left, long at) =>
        throw new CorruptDataException("snappy", at, $"a literal of {length:N0} bytes is announced, but only {left:N0} bytes are left");

    [DoesNotReturn]
    private static void FailRoom(uint rawLength, long at) =>
        throw new CorruptDataException("snappy", at, $"the block holds more than the {rawLength:N0} raw bytes that it states");

    [DoesNotReturn]
    private static void FailOffset(nuint offset, long written, long at) =>
        throw new CorruptDataException("snappy", at, offset == 0
            ? "a copy has offset 0"
            : $"a copy reaches {offset:N0} bytes back, where only {written:N0} precede it");
}
