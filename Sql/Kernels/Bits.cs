using System.Numerics;
using System.Runtime.CompilerServices;

namespace Dataflow.Sql.Kernels;

/// <summary>Masks and validity: a bit a row, 64 rows a word, least significant first.</summary>
internal static unsafe class Bits
{
    public static int Words(int rows) => (rows + 63) >> 6;

    /// <summary>The bits of the last word that stand for rows.</summary>
    public static ulong Tail(int rows) => (rows & 63) == 0 ? ulong.MaxValue : (1UL << (rows & 63)) - 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Get(ulong* bits, int row) => (bits[row >> 6] >> (row & 63) & 1) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Set(ulong* bits, int row) => bits[row >> 6] |= 1UL << (row & 63);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Clear(ulong* bits, int row) => bits[row >> 6] &= ~(1UL << (row & 63));

    /// <summary>Sets a bit for each row, and none past the last.</summary>
    public static void Fill(ulong* bits, int rows)
    {
        var words = Words(rows);
        if (words == 0) return;
        new Span<ulong>(bits, words).Fill(ulong.MaxValue);
        bits[words - 1] = Tail(rows);
    }

    public static void Zero(ulong* bits, int rows) => new Span<ulong>(bits, Words(rows)).Clear();

    /// <summary>Copies a mask, or a mask of all rows for null; bits past the last row are zero.</summary>
    public static void Copy(ulong* to, ulong* from, int rows)
    {
        if (from == null)
        {
            Fill(to, rows);
            return;
        }
        var words = Words(rows);
        if (words == 0) return;
        new ReadOnlySpan<ulong>(from, words).CopyTo(new Span<ulong>(to, words));
        to[words - 1] &= Tail(rows);
    }

    /// <summary>to &amp;= other; null is all rows.</summary>
    public static void And(ulong* to, ulong* other, int rows)
    {
        if (other == null) return;
        var words = Words(rows);
        for (var i = 0; i < words; i++) to[i] &= other[i];
    }

    /// <summary>to &amp;= ~other.</summary>
    public static void AndNot(ulong* to, ulong* other, int rows)
    {
        var words = Words(rows);
        for (var i = 0; i < words; i++) to[i] &= ~other[i];
    }

    /// <summary>How many bits are set among the rows.</summary>
    public static int Count(ulong* bits, int rows)
    {
        var words = Words(rows);
        if (words == 0) return 0;
        var count = BitOperations.PopCount(bits[words - 1] & Tail(rows));
        for (var i = 0; i < words - 1; i++) count += BitOperations.PopCount(bits[i]);
        return count;
    }

    /// <summary>The word of a mask, with zeros past the last row; null is all rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Word(ulong* bits, int word, int rows)
    {
        var all = (word << 6) + 64 <= rows ? ulong.MaxValue : Tail(rows);
        return bits == null ? all : bits[word] & all;
    }

    /// <summary>Writes the numbers of the rows whose bits are set; null is all rows.</summary>
    public static int Select(ulong* bits, int rows, ushort* selection)
    {
        var count = 0;
        for (var word = 0; word < Words(rows); word++)
        {
            var set = Word(bits, word, rows);
            var first = word << 6;
            if (set == ulong.MaxValue)
            {
                for (var i = 0; i < 64; i++) selection[count + i] = (ushort)(first + i);
                count += 64;
                continue;
            }
            for (; set != 0; set &= set - 1) selection[count++] = (ushort)(first + BitOperations.TrailingZeroCount(set));
        }
        return count;
    }
}
