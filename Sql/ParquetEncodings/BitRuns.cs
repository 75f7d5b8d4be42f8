using System.Numerics;
using System.Runtime.Intrinsics.X86;

namespace Dataflow.Sql.ParquetEncodings;

/// <summary>Runs of bits, least significant first, at any bit of a bitmap. Bitmaps have a word of room behind their last bit.</summary>
internal static unsafe class BitRuns
{
    /// <summary>Sets or clears a run.</summary>
    public static void Fill(ulong* bits, int at, int count, bool value)
    {
        var word = value ? ulong.MaxValue : 0;
        while (count > 0)
        {
            var step = Math.Min(count, 64 - (at & 63));
            Put(bits, at, word, step);
            at += step;
            count -= step;
        }
    }

    /// <summary>Copies a run. Eight bytes from the first one that holds a bit of it may be read.</summary>
    public static void Copy(byte* from, long fromBit, ulong* to, int at, int count)
    {
        while (count > 0)
        {
            // A load at a byte gives 57 bits at least, whatever the bit it begins with.
            var step = Math.Min(count, 56);
            Put(to, at, *(ulong*)(from + (fromBit >> 3)) >> (int)(fromBit & 7), step);
            fromBit += step;
            at += step;
            count -= step;
        }
    }

    /// <summary>How many bits of a run are set.</summary>
    public static int Count(ulong* bits, int at, int count)
    {
        var sum = 0;
        while (count > 0)
        {
            var step = Math.Min(count, 64 - (at & 63));
            sum += BitOperations.PopCount(Get(bits, at, step));
            at += step;
            count -= step;
        }
        return sum;
    }

    /// <summary>Moves dense bits to where a mask has ones: the n-th bit goes to the n-th one.</summary>
    /// <param name="dense">Bits from the first on.</param>
    /// <param name="mask">Where they go.</param>
    /// <param name="to">Gets them, zeros between.</param>
    /// <param name="at">First bit of mask and target.</param>
    /// <param name="count">Bits of mask and target.</param>
    public static void Spread(ulong* dense, ulong* mask, ulong* to, int at, int count)
    {
        var used = 0;
        while (count > 0)
        {
            var step = Math.Min(count, 64 - (at & 63));
            var places = Get(mask, at, step);
            Put(to, at, Deposit(Load(dense, used), places), step);
            used += BitOperations.PopCount(places);
            at += step;
            count -= step;
        }
    }

    /// <summary>A run of at most 64 bits that does not cross a word.</summary>
    private static ulong Get(ulong* bits, int at, int count)
    {
        var word = bits[at >> 6] >> (at & 63);
        return count == 64 ? word : word & ((1UL << count) - 1);
    }

    // 64 bits from any bit on.
    private static ulong Load(ulong* bits, int at)
    {
        var shift = at & 63;
        var low = bits[at >> 6] >> shift;
        return shift == 0 ? low : low | bits[(at >> 6) + 1] << (64 - shift);
    }

    private static void Put(ulong* bits, int at, ulong values, int count)
    {
        var shift = at & 63;
        var mask = count == 64 ? ulong.MaxValue : (1UL << count) - 1;
        values &= mask;
        ref var low = ref bits[at >> 6];
        low = (low & ~(mask << shift)) | values << shift;
        if (shift + count <= 64) return;
        ref var high = ref bits[(at >> 6) + 1];
        high = (high & ~(mask >> (64 - shift))) | values >> (64 - shift);
    }

    private static ulong Deposit(ulong values, ulong places)
    {
        if (Bmi2.X64.IsSupported) return Bmi2.X64.ParallelBitDeposit(values, places);
        ulong result = 0;
        for (; places != 0; places &= places - 1, values >>= 1)
        {
            if ((values & 1) != 0) result |= places & (0 - places);
        }
        return result;
    }
}
