using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.MLlib.TreeModels;

/// <summary>
/// Scores a block of 64 rows, which lie feature by feature: one tree after the other decides its crown with vectors, then the rows that are not at a leaf yet walk
/// on together, a level at a time. Leaf values are added in the order of the trees, so that the bits are those of a single row.
/// </summary>
internal static unsafe class RowBlocks
{
    /// <summary>Rows of a block.</summary>
    public const int Rows = 64;

    /// <summary>Adds the trees' values to the block's sums (scores x 64).</summary>
    /// <param name="trees">The trees.</param>
    /// <param name="perIteration">Scores a row has.</param>
    /// <param name="block">Used features x 64 values.</param>
    /// <param name="special">What decides nodes that are not plain comparisons; one a caller.</param>
    /// <param name="sums">Scores x 64 sums.</param>
    public static void Score<T>(CompiledTrees trees, int perIteration, T* block, SpecialNodes special, double* sums)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var states = stackalloc int[Rows];
        special.Prepare(block);
        fixed (WalkNode* nodes = trees.Nodes)
        fixed (double* leaves = trees.LeafValues)
        {
            for (var t = 0; t < trees.TreeCount; t++)
            {
                var sum = sums + (t % perIteration * Rows);
                var values = leaves + trees.LeafStarts[t];
                FindLeaves(trees, t, nodes + trees.NodeStarts[t], block, special, states);
                Add(states, values, sum);
            }
        }
    }

    private static void Add(int* states, double* values, double* sum)
    {
        for (var r = 0; r < Rows; r += 4)
        {
            sum[r] += values[~states[r]];
            sum[r + 1] += values[~states[r + 1]];
            sum[r + 2] += values[~states[r + 2]];
            sum[r + 3] += values[~states[r + 3]];
        }
    }

    private static void FindLeaves<T>(CompiledTrees trees, int t, WalkNode* nodes, T* block, SpecialNodes special, int* states)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var crown = trees.Crowns[t];
        fixed (int* places = crown.Places, exits = crown.Exits)
        {
            if (!Vector256.IsHardwareAccelerated)
            {
                new Span<int>(states, Rows).Fill(trees.NodeStarts[t + 1] == trees.NodeStarts[t] ? ~0 : 0);
            }
            else if (typeof(T) == typeof(float))
            {
                var bits = stackalloc uint[Rows];
                fixed (float* thresholds = crown.NarrowThresholds)
                fixed (uint* keeps = crown.Keeps)
                {
                    for (var r = 0; r < Rows; r += Vector512.IsHardwareAccelerated ? 64 : 32)
                    {
                        if (Vector512.IsHardwareAccelerated) Crown512((float*)block + r, places, thresholds, keeps, crown.Greater, crown.GreaterOrNaN, bits + r);
                        else Crown256((float*)block + r, places, thresholds, keeps, crown.Greater, crown.GreaterOrNaN, bits + r);
                    }
                }
                if (crown.Special.Length > 0) special.Decide(crown, block, bits);
                for (var r = 0; r < Rows; r++) states[r] = exits[BitOperations.TrailingZeroCount(bits[r])];
            }
            else
            {
                var bits = stackalloc ulong[Rows];
                fixed (double* thresholds = crown.Thresholds)
                fixed (ulong* keeps = crown.WideKeeps)
                {
                    for (var r = 0; r < Rows; r += Vector512.IsHardwareAccelerated ? 32 : 16)
                    {
                        if (Vector512.IsHardwareAccelerated) Crown512((double*)block + r, places, thresholds, keeps, crown.Greater, crown.GreaterOrNaN, bits + r);
                        else Crown256((double*)block + r, places, thresholds, keeps, crown.Greater, crown.GreaterOrNaN, bits + r);
                    }
                }
                if (crown.Special.Length > 0) special.Decide(crown, block, bits);
                for (var r = 0; r < Rows; r++) states[r] = exits[BitOperations.TrailingZeroCount(bits[r])];
            }
        }
        if (crown.IsWhole && Vector256.IsHardwareAccelerated) return;
        if (trees.HasSpecial[t]) WalkAll(trees, nodes, block, states);
        else Walk(nodes, block, states);
    }

    // No call in here, so that the bits stay in registers.
    private static void Crown512<T, TBits>(T* x, int* places, T* thresholds, TBits* keeps, int greater, int orNaN, TBits* bits)
        where T : unmanaged
        where TBits : unmanaged
    {
        var size = Vector512<T>.Count;
        var b0 = Vector512<TBits>.AllBitsSet;
        var b1 = b0;
        var b2 = b0;
        var b3 = b0;
        var i = 0;
        for (; i < greater; i++)
        {
            var p = x + places[i];
            var t = Vector512.Create(thresholds[i]);
            var keep = Vector512.Create(keeps[i]);
            b0 = Vector512.ConditionalSelect(Vector512.GreaterThan(Vector512.Load(p), t).As<T, TBits>(), b0 & keep, b0);
            b1 = Vector512.ConditionalSelect(Vector512.GreaterThan(Vector512.Load(p + size), t).As<T, TBits>(), b1 & keep, b1);
            b2 = Vector512.ConditionalSelect(Vector512.GreaterThan(Vector512.Load(p + (2 * size)), t).As<T, TBits>(), b2 & keep, b2);
            b3 = Vector512.ConditionalSelect(Vector512.GreaterThan(Vector512.Load(p + (3 * size)), t).As<T, TBits>(), b3 & keep, b3);
        }
        for (var end = greater + orNaN; i < end; i++)
        {
            var p = x + places[i];
            var t = Vector512.Create(thresholds[i]);
            var keep = Vector512.Create(keeps[i]);
            b0 = Vector512.ConditionalSelect(Vector512.LessThanOrEqual(Vector512.Load(p), t).As<T, TBits>(), b0, b0 & keep);
            b1 = Vector512.ConditionalSelect(Vector512.LessThanOrEqual(Vector512.Load(p + size), t).As<T, TBits>(), b1, b1 & keep);
            b2 = Vector512.ConditionalSelect(Vector512.LessThanOrEqual(Vector512.Load(p + (2 * size)), t).As<T, TBits>(), b2, b2 & keep);
            b3 = Vector512.ConditionalSelect(Vector512.LessThanOrEqual(Vector512.Load(p + (3 * size)), t).As<T, TBits>(), b3, b3 & keep);
        }
        b0.Store(bits);
        b1.Store(bits + size);
        b2.Store(bits + (2 * size));
        b3.Store(bits + (3 * size));
    }

    private static void Crown256<T, TBits>(T* x, int* places, T* thresholds, TBits* keeps, int greater, int orNaN, TBits* bits)
        where T : unmanaged
        where TBits : unmanaged
    {
        var size = Vector256<T>.Count;
        var b0 = Vector256<TBits>.AllBitsSet;
        var b1 = b0;
        var b2 = b0;
        var b3 = b0;
        var i = 0;
        for (; i < greater; i++)
        {
            var p = x + places[i];
            var t = Vector256.Create(thresholds[i]);
            var drop = ~Vector256.Create(keeps[i]);
            b0 = Vector256.AndNot(b0, Vector256.GreaterThan(Vector256.Load(p), t).As<T, TBits>() & drop);
            b1 = Vector256.AndNot(b1, Vector256.GreaterThan(Vector256.Load(p + size), t).As<T, TBits>() & drop);
            b2 = Vector256.AndNot(b2, Vector256.GreaterThan(Vector256.Load(p + (2 * size)), t).As<T, TBits>() & drop);
            b3 = Vector256.AndNot(b3, Vector256.GreaterThan(Vector256.Load(p + (3 * size)), t).As<T, TBits>() & drop);
        }
        for (var end = greater + orNaN; i < end; i++)
        {
            var p = x + places[i];
            var t = Vector256.Create(thresholds[i]);
            var keep = Vector256.Create(keeps[i]);
            b0 &= Vector256.LessThanOrEqual(Vector256.Load(p), t).As<T, TBits>() | keep;
            b1 &= Vector256.LessThanOrEqual(Vector256.Load(p + size), t).As<T, TBits>() | keep;
            b2 &= Vector256.LessThanOrEqual(Vector256.Load(p + (2 * size)), t).As<T, TBits>() | keep;
            b3 &= Vector256.LessThanOrEqual(Vector256.Load(p + (3 * size)), t).As<T, TBits>() | keep;
        }
        b0.Store(bits);
        b1.Store(bits + size);
        b2.Store(bits + (2 * size));
        b3.Store(bits + (3 * size));
    }

    // The rows that have not reached a leaf, a level at a time: their steps do not wait for each other, and nothing is guessed.
    private static void Walk<T>(WalkNode* nodes, T* block, int* states)
        where T : unmanaged, INumber<T>
    {
        var open = stackalloc int[Rows + 1];
        var count = 0;
        for (var r = 0; r < Rows; r++)
        {
            open[count] = r;
            count += (int)((uint)~states[r] >> 31);
        }
        while (count > 0)
        {
            var left = 0;
            for (var i = 0; i < count; i++)
            {
                var r = open[i];
                var node = nodes + states[r];
                var feature = node->FeatureAndKind;
                var value = double.CreateTruncating(block[((feature >> 3) * Rows) + (uint)r]);
                var right = Bit(value > node->Threshold) | (Bit(double.IsNaN(value)) & (int)feature & 1);
                var next = (int)(short)(node->Children >> (right << 4));
                states[r] = next;
                open[left] = r;
                left += (int)((uint)~next >> 31);
            }
            count = left;
        }
    }

    // The same with nodes of every kind.
    private static void WalkAll<T>(CompiledTrees trees, WalkNode* nodes, T* block, int* states)
        where T : unmanaged, INumber<T>
    {
        var sets = trees.Sets.AsSpan();
        var open = stackalloc int[Rows + 1];
        var count = 0;
        for (var r = 0; r < Rows; r++)
        {
            open[count] = r;
            count += (int)((uint)~states[r] >> 31);
        }
        while (count > 0)
        {
            var left = 0;
            for (var i = 0; i < count; i++)
            {
                var r = open[i];
                var node = nodes + states[r];
                var feature = node->FeatureAndKind;
                var value = double.CreateTruncating(block[((feature >> 3) * Rows) + (uint)r]);
                var right = (feature & 7) < (uint)NodeKind.ZeroLeft
                    ? Bit(value > node->Threshold) | (Bit(double.IsNaN(value)) & (int)feature & 1)
                    : Bit(CompiledTrees.GoesRight(value, *node, sets));
                var next = (int)(short)(node->Children >> (right << 4));
                states[r] = next;
                open[left] = r;
                left += (int)((uint)~next >> 31);
            }
            count = left;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Bit(bool value) => Unsafe.BitCast<bool, byte>(value);
}
