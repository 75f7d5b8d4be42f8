using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.Sql.Kernels;

/// <summary>Characters (code points) of UTF-8 text. Bytes that are no text count as one character each.</summary>
internal static class Utf8
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsContinuation(byte value) => (value & 0xC0) == 0x80;

    /// <summary>Bytes of the character that begins at a place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LengthAt(ReadOnlySpan<byte> text, int at)
    {
        var first = text[at];
        if (first < 0x80) return 1;
        var length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
        return Math.Min(length, text.Length - at);
    }

    /// <summary>How many characters a text has.</summary>
    public static int Count(ReadOnlySpan<byte> text)
    {
        var count = 0;
        var i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            // Continuation bytes are those below -64 as signed numbers.
            for (; i + 32 <= text.Length; i += 32)
            {
                var bytes = Vector256.Create(text[i..]).AsSByte();
                count += System.Numerics.BitOperations.PopCount(Vector256.GreaterThanOrEqual(bytes, Vector256.Create((sbyte)-64)).ExtractMostSignificantBits());
            }
        }
        for (; i < text.Length; i++) count += IsContinuation(text[i]) ? 0 : 1;
        return count;
    }

    /// <summary>Where a character begins, counted from 0; the end of the text if it has fewer.</summary>
    public static int OffsetOf(ReadOnlySpan<byte> text, int character)
    {
        if (character <= 0) return 0;
        // Without other than ASCII characters, which is the rule, they are bytes.
        var head = text[..Math.Min(text.Length, character)];
        if (System.Text.Ascii.IsValid(head)) return head.Length;
        var at = 0;
        for (; character > 0 && at < text.Length; character--) at += LengthAt(text, at);
        return at;
    }
}
