using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.Compression;

/// <summary>Decodes the LZ4 block format.</summary>
/// <remarks>Format: lz4_Block_format.md of the LZ4 project. A block is a run of sequences: a token (4 bits literal length, 4 bits
/// match length), literals, a 2-byte offset back into what was written, and a match; the last sequence ends after its literals.
/// Copies go by whole vectors wherever both buffers have room left for one; near either end they are exact.</remarks>
internal static unsafe class Lz4Decoder
{
    /// <summary>How far back a match can reach, in bytes.</summary>
    public const int MaxDistance = 65535;

    private const int MinMatch = 4;
    private const int LongLength = 15;

    /// <summary>Decodes one block into <paramref name="buffer"/> from <paramref name="start"/> on.</summary>
    /// <returns>Bytes written.</returns>
    /// <param name="source">Exactly one block.</param>
    /// <param name="buffer">Bytes before <paramref name="start"/> are those decoded before this block, which its matches may reach.</param>
    /// <param name="start">Where this block goes.</param>
    /// <exception cref="CorruptDataException">Not a whole block, or more than fits into <paramref name="buffer"/>.</exception>
    public static int Decode(ReadOnlySpan<byte> source, Span<byte> buffer, int start)
    {
        if (source.IsEmpty)
            throw new CorruptDataException("lz4", 0, "the block is empty, where even one of no data has a byte");

        fixed (byte* sourceStart = source, bufferStart = buffer)
        {
            var input = sourceStart;
            var inputEnd = sourceStart + source.Length;
            var output = bufferStart + start;
            var outputEnd = bufferStart + buffer.Length;

            while (true)
            {
                if (input >= inputEnd)
                    FailEnd(source.Length);
                uint token = *input++;
                ulong literals = token >> 4;
                ulong match = token & 15;
                nuint offset;

                // Most sequences are short. With this much room left they need no other check of either end: at most 14 literals are
                // read as 16, then 2 bytes of offset, and at most 14 + 18 bytes are written.
                if (literals != LongLength && inputEnd - input >= 18 && outputEnd - output >= 32)
                {
                    Vector128.Store(Vector128.Load(input), output);
                    input += literals;
                    output += literals;
                    offset = Unsafe.ReadUnaligned<ushort>(input);
                    input += 2;
                    if (match != LongLength && offset >= 8 && offset <= (nuint)(output - bufferStart))
                    {
                        var from = output - offset;
                        *(ulong*)output = *(ulong*)from;
                        *(ulong*)(output + 8) = *(ulong*)(from + 8);
                        *(ushort*)(output + 16) = *(ushort*)(from + 16);
                        output += match + MinMatch;
                        continue;
                    }
                }
                else
                {
                    if (literals == LongLength)
                        literals += LengthRest(ref input, inputEnd, sourceStart);

                    if (literals + 16 <= (ulong)(inputEnd - input) && literals + 16 <= (ulong)(outputEnd - output))
                    {
                        CopyLiterals(input, output, output + literals);
                    }
                    else
                    {
                        if (literals > (ulong)(inputEnd - input))
                            FailLiterals(literals, inputEnd - input, input - sourceStart);
                        if (literals > (ulong)(outputEnd - output))
                            FailRoom(buffer.Length - start, input - sourceStart);
                        Buffer.MemoryCopy(input, output, literals, literals);
                    }

                    input += literals;
                    output += literals;
                    if (input == inputEnd)
                        return (int)(output - bufferStart) - start;
                    if (inputEnd - input < 2)
                        FailEnd(source.Length);
                    offset = Unsafe.ReadUnaligned<ushort>(input);
                    input += 2;
                }

                if (match == LongLength)
                    match += LengthRest(ref input, inputEnd, sourceStart);
                match += MinMatch;
                if (offset - 1 >= (nuint)(output - bufferStart))
                    FailOffset(offset, output - bufferStart, input - sourceStart);

                if (match + OverlappingCopy.Slack <= (ulong)(outputEnd - output))
                {
                    OverlappingCopy.Wild(output, offset, (nuint)match);
                }
                else
                {
                    if (match > (ulong)(outputEnd - output))
                        FailRoom(buffer.Length - start, input - sourceStart);
                    OverlappingCopy.Exact(output, offset, (nuint)match, outputEnd);
                }

                output += match;
            }
        }
    }

    // Reads and writes up to 15 bytes past the literals; the caller has checked that they are there.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyLiterals(byte* input, byte* output, byte* outputEnd)
    {
        do
        {
            Vector128.Store(Vector128.Load(input), output);
            input += 16;
            output += 16;
        }
        while (output < outputEnd);
    }

    // A length of 15 goes on in bytes until one is not 255. At most 255 times the source's length: no overflow in 64 bits.
    private static ulong LengthRest(ref byte* input, byte* inputEnd, byte* sourceStart)
    {
        ulong length = 0;
        byte next;
        do
        {
            if (input >= inputEnd)
                FailEnd((int)(inputEnd - sourceStart));
            next = *input++;
            length += next;
        }
        while (next == 255);
        return length;
    }

    [DoesNotReturn]
    private static void FailEnd(int length) =>
        throw new CorruptDataException("lz4", length, "the block ends inside a sequence");

    [DoesNotReturn]
    private static void FailLiterals(ulong literals, long left, long at) =>
        throw new CorruptDataException("lz4", at, $"{literals:N0} literal bytes are announced, but only {left:N0} bytes are left");

    [DoesNotReturn]
    private static void FailRoom(int room, long at) =>
        throw new CorruptDataException("lz4", at, $"the block holds more than the {room:N0} raw bytes expected of it");

    [DoesNotReturn]
    private static void FailOffset(nuint offset, long written, long at) =>
        throw new CorruptDataException("lz4", at - 2, offset == 0
            ? "a match has offset 0"
            : $"a match reaches {offset:N0} bytes back, where only {written:N0} precede it");
}
