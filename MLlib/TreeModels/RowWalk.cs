using System.Runtime.CompilerServices;

namespace Dataflow.MLlib.TreeModels;

/// <summary>Finds the leaf of one row in every tree: eight trees at a time, since each step of one waits for memory that the steps of the others can use.</summary>
internal static unsafe class RowWalk
{
    private const int Together = 8;

    /// <summary>The row's leaf in each tree.</summary>
    /// <param name="trees">The trees.</param>
    /// <param name="row">Values of the used features; room for 32 at least, what is behind them is zero.</param>
    /// <param name="leaves">One number a tree; room for whole groups of 16.</param>
    public static void FindLeaves(CompiledTrees trees, ReadOnlySpan<double> row, Span<int> leaves)
    {
        fixed (WalkNode* nodes = trees.Nodes)
        fixed (int* starts = trees.NodeStarts)
        fixed (double* x = row)
        fixed (int* states = leaves)
        {
            var isWhole = trees.RowCrowns is { } crowns && crowns.TryFind(x, states);
            if (!isWhole)
            {
                for (var i = 0; i < trees.TreeCount; i++) states[i] = starts[i + 1] == starts[i] ? ~0 : 0;
            }
            else
            {
                isWhole = trees.AllWhole;
            }
            var t = 0;
            if (!isWhole)
            {
                if (!trees.AnySpecial)
                {
                    for (; t + Together <= trees.TreeCount; t += Together) Eight(nodes, starts + t, x, states + t);
                }
                for (; t < trees.TreeCount; t++)
                {
                    var state = states[t];
                    while (state >= 0)
                    {
                        var node = nodes + starts[t] + state;
                        var right = CompiledTrees.GoesRight(x[node->FeatureAndKind >> 3], *node, trees.Sets);
                        state = (short)(node->Children >> (right ? 16 : 0));
                    }
                    states[t] = state;
                }
            }
            for (t = 0; t < trees.TreeCount; t++) states[t] = ~states[t];
        }
    }

    private static void Eight(WalkNode* nodes, int* starts, double* x, int* states)
    {
        var t0 = nodes + starts[0];
        var t1 = nodes + starts[1];
        var t2 = nodes + starts[2];
        var t3 = nodes + starts[3];
        var t4 = nodes + starts[4];
        var t5 = nodes + starts[5];
        var t6 = nodes + starts[6];
        var t7 = nodes + starts[7];
        var n0 = states[0];
        var n1 = states[1];
        var n2 = states[2];
        var n3 = states[3];
        var n4 = states[4];
        var n5 = states[5];
        var n6 = states[6];
        var n7 = states[7];
        while ((n0 & n1 & n2 & n3 & n4 & n5 & n6 & n7) >= 0)
        {
            n0 = Step(t0, n0, x);
            n1 = Step(t1, n1, x);
            n2 = Step(t2, n2, x);
            n3 = Step(t3, n3, x);
            n4 = Step(t4, n4, x);
            n5 = Step(t5, n5, x);
            n6 = Step(t6, n6, x);
            n7 = Step(t7, n7, x);
        }
        states[0] = n0;
        states[1] = n1;
        states[2] = n2;
        states[3] = n3;
        states[4] = n4;
        states[5] = n5;
        states[6] = n6;
        states[7] = n7;
    }

    // A walk that is at its leaf stays there.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Step(WalkNode* tree, int state, double* x)
    {
        var ended = state >> 31;
        var node = tree + (state & ~ended);
        var feature = node->FeatureAndKind;
        var value = x[feature >> 3];
        var right = Bit(value > node->Threshold) | (Bit(double.IsNaN(value)) & (int)feature & 1);
        var next = (int)(short)(node->Children >> (right << 4));
        return (next & ~ended) | (state & ended);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Bit(bool value) => Unsafe.BitCast<bool, byte>(value);
}
