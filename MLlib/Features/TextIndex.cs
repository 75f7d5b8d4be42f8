using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Dataflow.MLlib.Features;

/// <summary>Texts by number, and numbers by text: a hash table over UTF-8, in three arrays whatever the number of texts. Made once; travels as it is.</summary>
internal sealed class TextIndex
{
    private readonly byte[] _bytes;
    private readonly int[] _ends;
    private readonly int[] _slots;

    /// <summary>An index of texts, numbered in their order.</summary>
    /// <exception cref="ArgumentException">A text comes twice, or they are longer than 2 GB.</exception>
    public TextIndex(IReadOnlyList<string> texts)
    {
        var length = texts.Sum(text => (long)Encoding.UTF8.GetByteCount(text));
        if (length > Array.MaxLength)
            throw new ArgumentException(
                $"{texts.Count:N0} labels have {length:N0} bytes, and one column may have {Array.MaxLength:N0}. Shorten the texts, for example with a hash.");
        _bytes = new byte[length];
        _ends = new int[texts.Count];
        _slots = new int[BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, texts.Count * 2L))];
        var end = 0;
        for (var i = 0; i < texts.Count; i++)
        {
            end += Encoding.UTF8.GetBytes(texts[i], _bytes.AsSpan(end));
            _ends[i] = end;
            ref var slot = ref SlotOf(this[i], i);
            if (slot != 0) throw new ArgumentException($"The label '{texts[i]}' comes twice.");
            slot = i + 1;
        }
    }

    /// <summary>How many texts there are.</summary>
    public int Count => _ends.Length;

    /// <summary>A text as UTF-8.</summary>
    public ReadOnlySpan<byte> this[int index]
    {
        get
        {
            var start = index == 0 ? 0 : _ends[index - 1];
            return _bytes.AsSpan(start, _ends[index] - start);
        }
    }

    /// <summary>The number of a text; -1 if it is none of these.</summary>
    public int Find(ReadOnlySpan<byte> text) => SlotOf(text, Count) - 1;

    // The slot that has the text, of those before a number, or the empty one where it would go.
    private ref int SlotOf(ReadOnlySpan<byte> text, int known)
    {
        var mask = _slots.Length - 1;
        for (var at = (int)Hash(text) & mask; ; at = (at + 1) & mask)
        {
            ref var slot = ref _slots[at];
            if (slot == 0 || (slot <= known && this[slot - 1].SequenceEqual(text))) return ref slot;
        }
    }

    // Eight bytes at a time, folded multiplication (wyhash's mixing step).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Hash(ReadOnlySpan<byte> text)
    {
        var hash = 0x9E3779B97F4A7C15UL ^ (ulong)text.Length;
        while (text.Length >= 8)
        {
            hash = Fold(hash ^ MemoryMarshal.Read<ulong>(text));
            text = text[8..];
        }
        ulong rest = 0;
        for (var i = 0; i < text.Length; i++) rest |= (ulong)text[i] << (8 * i);
        hash = Fold(hash ^ rest);
        return (uint)(hash ^ (hash >> 32));
    }

    private static ulong Fold(ulong value)
    {
        var high = Math.BigMul(value, 0xD6E8FEB86659FD93, out var low);
        return high ^ low;
    }
}
