using System.Runtime.CompilerServices;
using Dataflow.MLlib.Trees;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>What is done with the rows of a grown tree's leaves: sums of their gradients, and the leaf's value added to their scores.</summary>
internal static unsafe class LeafRows
{
    private const int ChunkRows = 16_384;

    /// <summary>Exact sums of gradients and hessians by leaf over all shards, in units of the rows' gradients: gradient of leaf i at 2 i, hessian behind it.</summary>
    public static long[] Sums(GrownTree tree, RowLists lists, ThreadTeam team, ITreeGroup group)
    {
        var sums = new long[2 * tree.Leaves.Count];
        Each(tree, team, (leaf, start, count) =>
        {
            Sum(tree.Gradients.Values, lists.Rows + start, count, out var gradient, out var hessian);
            Interlocked.Add(ref sums[2 * leaf], gradient);
            Interlocked.Add(ref sums[(2 * leaf) + 1], hessian);
        });
        group.AllReduceSum(sums);
        return sums;
    }

    /// <summary>Adds to each row's score the value of its leaf.</summary>
    public static void AddToScores(GrownTree tree, RowLists lists, double[] values, double* scores, ThreadTeam team) =>
        Each(tree, team, (leaf, start, count) => Add(scores, lists.Rows + start, count, values[leaf]));

    private static void Each(GrownTree tree, ThreadTeam team, Action<int, int, int> piece)
    {
        var chunks = new List<(int Leaf, int Start, int Count)>();
        for (var leaf = 0; leaf < tree.Leaves.Count; leaf++)
        {
            var node = tree.Leaves[leaf];
            for (var done = 0; done < node.Rows; done += ChunkRows) chunks.Add((leaf, node.Start + done, Math.Min(ChunkRows, node.Rows - done)));
        }
        team.Share(chunks.Count, (i, _) => piece(chunks[i].Leaf, chunks[i].Start, chunks[i].Count));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum(long* values, int* list, int count, out long gradient, out long hessian)
    {
        long g = 0, h = 0;
        for (var k = 0; k < count; k++)
        {
            var value = values[list[k]];
            g += value >> 32;
            h += (uint)value;
        }
        (gradient, hessian) = (g, h);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(double* scores, int* list, int count, double value)
    {
        for (var k = 0; k < count; k++) scores[list[k]] += value;
    }
}
