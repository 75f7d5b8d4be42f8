using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dataflow.Sql.ParquetEncodings;

/// <summary>Unpacks numbers of a fixed count of bits, least significant bit first, that begin at a byte.</summary>
/// <remarks>Up to 64 bytes from each group's first byte on are read: buffers have slack behind their end.</remarks>
internal static unsafe class BitUnpack
{
    private const int WidestVector = 25;

    // For each width: which four bytes hold each of 16 numbers, and by how much they are shifted.
    private static readonly Vector512<byte>[] Bytes = new Vector512<byte>[WidestVector + 1];
    private static readonly Vector512<uint>[] Shifts = new Vector512<uint>[WidestVector + 1];

    static BitUnpack()
    {
        for (var width = 1; width <= WidestVector; width++)
        {
            var bytes = new byte[64];
            var shifts = new uint[16];
            for (var i = 0; i < 16; i++)
            {
                for (var k = 0; k < 4; k++) bytes[(i * 4) + k] = (byte)((i * width >> 3) + k);
                shifts[i] = (uint)(i * width & 7);
            }
            Bytes[width] = Vector512.Create(bytes);
            Shifts[width] = Vector512.Create(shifts);
        }
    }

    /// <summary>Unpacks.</summary>
    /// <param name="from">The byte where the first number begins.</param>
    /// <param name="width">Bits of a number, 0 to 32.</param>
    /// <param name="to">Room for the numbers.</param>
    /// <param name="count">How many.</param>
    public static void Run(byte* from, int width, uint* to, int count)
    {
        if (width == 0)
        {
            new Span<uint>(to, count).Clear();
            return;
        }
        var done = Avx512Vbmi.IsSupported && width <= WidestVector ? RunVector(from, width, to, count) : 0;
        RunScalar(from + ((long)done * width / 8), width, to + done, count - done);
    }

    /// <summary>The same without vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunScalar(byte* from, int width, uint* to, int count)
    {
        var mask = (1UL << width) - 1;
        var bit = 0L;
        for (var i = 0; i < count; i++, bit += width) to[i] = (uint)(*(ulong*)(from + (bit >> 3)) >> (int)(bit & 7) & mask);
    }

    /// <summary>One number.</summary>
    public static uint One(byte* from, int width, long index)
    {
        var bit = index * width;
        return (uint)(*(ulong*)(from + (bit >> 3)) >> (int)(bit & 7) & ((1UL << width) - 1));
    }

    // 16 numbers a step; a multiple of 16 numbers ends at a byte.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int RunVector(byte* from, int width, uint* to, int count)
    {
        var bytes = Bytes[width];
        var shifts = Shifts[width];
        var mask = Vector512.Create((1u << width) - 1);
        var i = 0;
        for (; i + 16 <= count; i += 16, from += width * 2)
        {
            var words = Avx512Vbmi.PermuteVar64x8(Vector512.Load(from), bytes).AsUInt32();
            (Avx512F.ShiftRightLogicalVariable(words, shifts) & mask).Store(to + i);
        }
        return i;
    }
}
