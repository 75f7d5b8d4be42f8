using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dataflow.Sorting;

/// <summary>
/// Sorts positions by key, stably: a radix sort of 64-bit prefixes (least significant byte first, constant bytes skipped), then a
/// comparison sort of each run with equal prefixes.
/// </summary>
public static class RowSorter
{
    /// <summary>A row: the prefix of its key and where it is.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Entry
    {
        /// <summary>The prefix of its key.</summary>
        public ulong Prefix;

        /// <summary>Its position or address.</summary>
        public long Row;
    }

    private const int SmallCount = 256;

    /// <summary>Sorts by prefix. Entries with equal prefixes keep their order.</summary>
    /// <param name="entries">What to sort.</param>
    /// <param name="scratch">As long; its content is lost.</param>
    /// <returns>Whichever of the two holds the result.</returns>
    public static Span<Entry> SortByPrefix(Span<Entry> entries, Span<Entry> scratch)
    {
        if (entries.Length <= SmallCount)
        {
            Insert(entries);
            return entries;
        }
        Span<int> counts = stackalloc int[8 * 256];
        counts.Clear();
        foreach (ref readonly var entry in entries)
        {
            var prefix = entry.Prefix;
            for (var digit = 0; digit < 8; digit++)
            {
                counts[digit * 256 + (int)(prefix & 255)]++;
                prefix >>= 8;
            }
        }
        var from = entries;
        var to = scratch[..entries.Length];
        for (var digit = 0; digit < 8; digit++)
        {
            var starts = counts.Slice(digit * 256, 256);
            var shift = digit * 8;
            if (starts[(int)((from[0].Prefix >> shift) & 255)] == entries.Length) continue;
            var next = 0;
            for (var i = 0; i < 256; i++)
            {
                var count = starts[i];
                starts[i] = next;
                next += count;
            }
            ref var target = ref MemoryMarshal.GetReference(to);
            ref var start = ref MemoryMarshal.GetReference(starts);
            foreach (ref readonly var entry in from)
            {
                ref var position = ref Unsafe.Add(ref start, (int)(entry.Prefix >> shift) & 255);
                Unsafe.Add(ref target, position) = entry;
                position++;
            }
            var swap = from;
            from = to;
            to = swap;
        }
        return from;
    }

    /// <summary>Sorts each run of equal prefixes by comparing rows; equal rows keep their order.</summary>
    /// <typeparam name="TComparer">A struct, so that its comparisons are inlined.</typeparam>
    /// <param name="entries">Sorted by prefix.</param>
    /// <param name="comparer">Compares the rows of two entries.</param>
    public static void SortTies<TComparer>(Span<Entry> entries, TComparer comparer)
        where TComparer : IComparer<Entry>
    {
        for (var start = 0; start < entries.Length;)
        {
            var end = start + 1;
            while (end < entries.Length && entries[end].Prefix == entries[start].Prefix) end++;
            if (end - start > 1) MergeSort(entries[start..end], comparer);
            start = end;
        }
    }

    private static void Insert(Span<Entry> entries)
    {
        if (entries.Length > 32)
        {
            MergeSort(entries, default(ByPrefix));
            return;
        }
        for (var i = 1; i < entries.Length; i++)
        {
            var entry = entries[i];
            var j = i - 1;
            for (; j >= 0 && entries[j].Prefix > entry.Prefix; j--) entries[j + 1] = entries[j];
            entries[j + 1] = entry;
        }
    }

    private static void MergeSort<TComparer>(Span<Entry> entries, TComparer comparer)
        where TComparer : IComparer<Entry>
    {
        if (entries.Length <= 12)
        {
            for (var i = 1; i < entries.Length; i++)
            {
                var entry = entries[i];
                var j = i - 1;
                for (; j >= 0 && comparer.Compare(entries[j], entry) > 0; j--) entries[j + 1] = entries[j];
                entries[j + 1] = entry;
            }
            return;
        }
        var buffer = System.Buffers.ArrayPool<Entry>.Shared.Rent(entries.Length / 2);
        MergeSort(entries, buffer, comparer);
        System.Buffers.ArrayPool<Entry>.Shared.Return(buffer);
    }

    private static void MergeSort<TComparer>(Span<Entry> entries, Span<Entry> buffer, TComparer comparer)
        where TComparer : IComparer<Entry>
    {
        if (entries.Length <= 12)
        {
            MergeSort(entries, comparer);
            return;
        }
        var middle = entries.Length / 2;
        MergeSort(entries[..middle], buffer, comparer);
        MergeSort(entries[middle..], buffer, comparer);
        if (comparer.Compare(entries[middle - 1], entries[middle]) <= 0) return;

        entries[..middle].CopyTo(buffer);
        int left = 0, right = middle, next = 0;
        while (left < middle && right < entries.Length)
            entries[next++] = comparer.Compare(buffer[left], entries[right]) <= 0 ? buffer[left++] : entries[right++];
        buffer[left..middle].CopyTo(entries[next..]);
    }

    private readonly struct ByPrefix : IComparer<Entry>
    {
        public int Compare(Entry x, Entry y) => x.Prefix.CompareTo(y.Prefix);
    }
}
