using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;
using System.Text.Unicode;

namespace Dataflow.Serialization;

/// <summary>
/// Strings as UTF-8, with a fast way for ASCII. Unpaired surrogates are kept, as three bytes each (WTF-8, Simon Sapin, section 4).
/// </summary>
internal static class Text
{
    /// <summary>Bytes that <see cref="TryNarrow"/> may write behind its result.</summary>
    public const int Slack = 8;

    /// <summary>Writes the text as one byte a character if it is ASCII.</summary>
    /// <param name="text">The text.</param>
    /// <param name="target">Room for its length and <see cref="Slack"/> bytes.</param>
    /// <returns>False if some character is not ASCII; the target's content is then arbitrary.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryNarrow(string text, ref byte target)
    {
        var length = (nuint)text.Length;
        ref var source = ref Unsafe.As<char, ushort>(ref Unsafe.AsRef(in text.GetPinnableReference()));
        if (length >= 8)
        {
            // Whole vectors, and a last one that overlaps the one before it.
            nuint at = 0;
            for (; at + 8 <= length; at += 8)
                if (!NarrowEight(ref source, ref target, at)) return false;
            return at == length || NarrowEight(ref source, ref target, length - 8);
        }

        if (length >= 4)
        {
            var four = Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<ushort, byte>(ref source));
            if ((four & 0xFF80_FF80_FF80_FF80) != 0) return false;
            Unsafe.WriteUnaligned(ref target, Pack(four));
            var rest = Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<ushort, byte>(ref Unsafe.Add(ref source, length - 4)));
            if ((rest & 0xFF80_FF80_FF80_FF80) != 0) return false;
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref target, length - 4), Pack(rest));
            return true;
        }
        for (nuint next = 0; next < length; next++)
        {
            var c = Unsafe.Add(ref source, next);
            if (c > 0x7F) return false;
            Unsafe.Add(ref target, next) = (byte)c;
        }
        return true;
    }

    /// <summary>Bytes of the text; an unpaired surrogate takes three, as the replacement character that .NET counts for it does.</summary>
    public static int CountBytes(string text)
    {
        try
        {
            return Encoding.UTF8.GetByteCount(text);
        }
        catch (ArgumentException error)
        {
            throw new CodecException($"A string of {text.Length:N0} characters needs more bytes than a block can hold ({Array.MaxLength:N0}).", error);
        }
    }

    /// <summary>Writes the text's bytes.</summary>
    /// <param name="text">The text.</param>
    /// <param name="target">Exactly <see cref="CountBytes"/> bytes.</param>
    public static void Encode(string text, Span<byte> target)
    {
        // Room is exact, so the loop ends with Done.
        ReadOnlySpan<char> rest = text;
        while (Utf8.FromUtf16(rest, target, out var read, out var written, replaceInvalidSequences: false) != OperationStatus.Done)
        {
            // The one thing that UTF-16 can hold and UTF-8 can't: half of a surrogate pair.
            var half = rest[read];
            target[written] = (byte)(0xE0 | (half >> 12));
            target[written + 1] = (byte)(0x80 | ((half >> 6) & 0x3F));
            target[written + 2] = (byte)(0x80 | (half & 0x3F));
            rest = rest[(read + 1)..];
            target = target[(written + 3)..];
        }
    }

    /// <summary>Makes the string of these bytes.</summary>
    /// <exception cref="CorruptDataException">They are neither UTF-8 nor unpaired surrogates.</exception>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        // Taken for ASCII while it is written; the first look at what it is comes with the same loads.
        var text = new string('\0', bytes.Length);
        return TryWiden(bytes, ref Unsafe.As<char, ushort>(ref Unsafe.AsRef(in text.GetPinnableReference()))) ? text : DecodeWide(bytes);
    }

    /// <summary>Makes the string of bytes that are known to be ASCII.</summary>
    public static string FromAscii(ReadOnlySpan<byte> bytes)
    {
        // Written in place before anyone else has seen it: string.Create would cost a delegate call more.
        var text = new string('\0', bytes.Length);
        TryWiden(bytes, ref Unsafe.As<char, ushort>(ref Unsafe.AsRef(in text.GetPinnableReference())));
        return text;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool NarrowEight(ref ushort source, ref byte target, nuint at)
    {
        var eight = Vector128.LoadUnsafe(ref source, at);
        if ((eight & Vector128.Create((ushort)0xFF80)) != Vector128<ushort>.Zero) return false;
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref target, at), Vector128.Narrow(eight, eight).AsUInt64().ToScalar());
        return true;
    }

    // Four characters of 16 bits to four bytes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Pack(ulong four)
    {
        four |= four >> 8;
        return (uint)(four & 0xFFFF) | (uint)((four >> 16) & 0xFFFF_0000);
    }

    // One character a byte. Gives false if some byte is not ASCII; the target's content then means nothing.
    private static bool TryWiden(ReadOnlySpan<byte> bytes, ref ushort target)
    {
        ref var source = ref MemoryMarshal.GetReference(bytes);
        var length = (nuint)bytes.Length;
        if (length >= 16)
        {
            // Whole vectors, and a last one that overlaps the one before it.
            var seen = Vector128<byte>.Zero;
            nuint at = 0;
            for (; at + 16 <= length; at += 16) seen |= WidenSixteen(ref source, ref target, at);
            if (at != length) seen |= WidenSixteen(ref source, ref target, length - 16);
            return seen.ExtractMostSignificantBits() == 0;
        }
        if (length >= 8)
        {
            var seen = WidenEight(ref source, ref target, 0) | WidenEight(ref source, ref target, length - 8);
            return (seen & 0x8080_8080_8080_8080) == 0;
        }

        uint bits = 0;
        for (nuint at = 0; at < length; at++)
        {
            var one = Unsafe.Add(ref source, at);
            Unsafe.Add(ref target, at) = one;
            bits |= one;
        }
        return bits < 0x80;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> WidenSixteen(ref byte source, ref ushort target, nuint at)
    {
        var sixteen = Vector128.LoadUnsafe(ref source, at);
        var (lower, upper) = Vector128.Widen(sixteen);
        lower.StoreUnsafe(ref target, at);
        upper.StoreUnsafe(ref target, at + 8);
        return sixteen;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong WidenEight(ref byte source, ref ushort target, nuint at)
    {
        var eight = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, at));
        Vector128.WidenLower(Vector128.CreateScalar(eight).AsByte()).StoreUnsafe(ref target, at);
        return eight;
    }

    private static string DecodeWide(ReadOnlySpan<byte> bytes)
    {
        var chars = ArrayPool<char>.Shared.Rent(bytes.Length);
        try
        {
            var count = 0;
            for (var rest = bytes; ;)
            {
                var status = Utf8.ToUtf16(rest, chars.AsSpan(count), out var read, out var written, replaceInvalidSequences: false);
                count += written;
                if (status == OperationStatus.Done)
                    return new string(chars, 0, count);

                rest = rest[read..];
                if (rest.Length < 3 || rest[0] != 0xED || (rest[1] & 0xE0) != 0xA0 || (rest[2] & 0xC0) != 0x80)
                    throw new CorruptDataException($"A string of {bytes.Length:N0} bytes is not UTF-8 at its byte {bytes.Length - rest.Length:N0}.");
                chars[count++] = (char)(0xD000 | ((rest[1] & 0x3F) << 6) | (rest[2] & 0x3F));
                rest = rest[3..];
            }
        }
        finally
        {
            ArrayPool<char>.Shared.Return(chars);
        }
    }
}
