namespace Dataflow.MLlib.Trees;

/// <summary>
/// One decision tree, as arrays by node: internal nodes are numbered from 0 (the root) in the order they were split, leaves from 0 on their own. Immutable
/// once it is built; safe to share between threads.
/// </summary>
/// <remarks>
/// The shape and the rules of a decision are those of LightGBM's text format, version 4, so that models go both ways without loss: a child is the number of an
/// internal node, or <c>~leaf</c> if it is negative. A numeric row goes left if its value is not greater than the threshold. A categorical row goes left if the
/// bit of its category is set in the node's words. Where a value is missing, the node's default decides.
/// </remarks>
public sealed class Tree
{
    /// <summary>A bit of <see cref="Decisions"/>: the node is categorical.</summary>
    public const byte Categorical = 1;

    /// <summary>A bit of <see cref="Decisions"/>: missing values go left.</summary>
    public const byte DefaultLeft = 2;

    /// <summary>Two bits of <see cref="Decisions"/>: what counts as missing (<see cref="MissingZero"/>, <see cref="MissingNaN"/>, or nothing).</summary>
    public const byte MissingMask = 12;

    /// <summary>Zero (to 1e-35) and NaN are missing.</summary>
    public const byte MissingZero = 4;

    /// <summary>NaN is missing.</summary>
    public const byte MissingNaN = 8;

    /// <summary>How many leaves there are; one more than internal nodes.</summary>
    public int LeafCount => LeafValues.Length;

    /// <summary>Internal nodes: the feature that is asked.</summary>
    public required int[] Features { get; init; }

    /// <summary>Internal nodes: the largest value that goes left; of categorical nodes the index into <see cref="CategoryBounds"/>.</summary>
    public required double[] Thresholds { get; init; }

    /// <summary>Internal nodes: bits that say how they decide.</summary>
    public required byte[] Decisions { get; init; }

    /// <summary>Internal nodes: where rows go that the condition is true for.</summary>
    public required int[] Left { get; init; }

    /// <summary>Internal nodes: where the others go.</summary>
    public required int[] Right { get; init; }

    /// <summary>Internal nodes: by how much the split lowered the loss.</summary>
    public required double[] Gains { get; init; }

    /// <summary>Internal nodes: the value that a leaf would have had in their place, learning rate included.</summary>
    public required double[] InternalValues { get; init; }

    /// <summary>Internal nodes: sum of hessians of their rows.</summary>
    public required double[] InternalWeights { get; init; }

    /// <summary>Internal nodes: rows.</summary>
    public required long[] InternalCounts { get; init; }

    /// <summary>Leaves: what they add to the score, learning rate included.</summary>
    public required double[] LeafValues { get; init; }

    /// <summary>Leaves: sum of hessians of their rows.</summary>
    public required double[] LeafWeights { get; init; }

    /// <summary>Leaves: rows.</summary>
    public required long[] LeafCounts { get; init; }

    /// <summary>Categorical nodes, by their number: where their words begin in <see cref="CategoryWords"/>; one more entry than nodes. Empty without any.</summary>
    public int[] CategoryBounds { get; init; } = [];

    /// <summary>A bit a category: set if it goes left. Categories past the last word, negative ones and missing ones go right.</summary>
    public uint[] CategoryWords { get; init; } = [];

    /// <summary>The factor that leaf values were multiplied with.</summary>
    public double Shrinkage { get; init; } = 1;
}
