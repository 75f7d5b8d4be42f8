using System.Globalization;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeModels;

/// <summary>
/// Trained trees and what belongs to them: how they add up, what the features are called, what became of their values in training. Immutable once built and
/// checked, so that it is safe to share between threads and every row finds a leaf.
/// </summary>
/// <remarks>
/// Trees stand in the order they were trained. With K trees an iteration, tree i adds to score i mod K: one score a class for multiclass, else one. The content is
/// that of LightGBM's text format. A checked ensemble does not copy its trees; whoever built them leaves their arrays alone.
/// </remarks>
public sealed class TreeEnsemble
{
    private readonly Tree[] trees;

    /// <summary>Checks the trees and keeps them.</summary>
    /// <param name="trees">In the order of training; their number is a multiple of <paramref name="treesPerIteration"/>.</param>
    /// <param name="featureCount">How many features a row has; at least 1.</param>
    /// <param name="treesPerIteration">Scores a row has: the number of classes for multiclass, else 1.</param>
    /// <param name="objective">What was minimised, in LightGBM's words: <c>regression</c>, <c>binary sigmoid:1</c>, <c>multiclass num_class:3</c>, ...; it says how
    /// scores become outputs. An empty text leaves scores as they are.</param>
    /// <exception cref="ArgumentException">A tree is malformed (the message says which and how), or the number of trees does not fit.</exception>
    public TreeEnsemble(IEnumerable<Tree> trees, int featureCount, int treesPerIteration = 1, string objective = "regression")
    {
        ArgumentNullException.ThrowIfNull(trees);
        ArgumentNullException.ThrowIfNull(objective);
        ArgumentOutOfRangeException.ThrowIfLessThan(featureCount, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(treesPerIteration, 1);
        this.trees = [.. trees];
        if (this.trees.Length % treesPerIteration != 0)
            throw new ArgumentException($"{this.trees.Length} trees are not a multiple of {treesPerIteration} trees an iteration.", nameof(trees));
        for (var i = 0; i < this.trees.Length; i++)
        {
            if (TreeChecks.Fault(this.trees[i], featureCount) is { } fault) throw new ArgumentException($"Tree {i} is malformed: {fault}.", nameof(trees));
        }
        (FeatureCount, TreesPerIteration, Objective) = (featureCount, treesPerIteration, objective);
        ClassCount = treesPerIteration;
        FeatureNames = Enumerable.Range(0, featureCount).Select(i => string.Create(CultureInfo.InvariantCulture, $"Column_{i}")).ToArray();
        FeatureInfos = Enumerable.Repeat(FeatureInfo.Unused, featureCount).ToArray();
    }

    /// <summary>The trees in the order they were trained.</summary>
    public IReadOnlyList<Tree> Trees => trees;

    /// <summary>How many features a row has.</summary>
    public int FeatureCount { get; }

    /// <summary>How many scores a row has: one a class for multiclass, else one.</summary>
    public int TreesPerIteration { get; }

    /// <summary>How many iterations were trained and kept.</summary>
    public int IterationCount => trees.Length / TreesPerIteration;

    /// <summary>What was minimised, in LightGBM's words with its parameters, such as <c>binary sigmoid:1</c>; empty if unknown.</summary>
    public string Objective { get; }

    /// <summary>LightGBM's <c>num_class</c>: 1 unless there are several classes.</summary>
    public int ClassCount { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(ClassCount), value, "A model has at least one class."); }

    /// <summary>True for forests: the score is the mean of the trees, not their sum.</summary>
    public bool AverageOutput { get; init; }

    /// <summary>How many iterations predictions use unless they are told otherwise; 0 uses all. Early stopping sets it.</summary>
    public int BestIteration
    {
        get;
        init => field = value >= 0 && value <= IterationCount ? value
            : throw new ArgumentOutOfRangeException(nameof(BestIteration), value, $"The best iteration is from 0 (all) to {IterationCount}, the iterations there are.");
    }

    /// <summary>A name a feature; <c>Column_0</c> and so on if they have none.</summary>
    public IReadOnlyList<string> FeatureNames { get; init => field = Fits(value, nameof(FeatureNames)); }

    /// <summary>Ranges and categories in training, one entry a feature.</summary>
    public IReadOnlyList<FeatureInfo> FeatureInfos { get; init => field = Fits(value, nameof(FeatureInfos)); }

    /// <summary>Which column of the training data was the label; LightGBM writes it down and does not use it.</summary>
    public int LabelIndex { get; init; }

    /// <summary>The training parameters as LightGBM writes them, a line each such as <c>[num_leaves: 31]</c>; kept as they are.</summary>
    public IReadOnlyList<string> Parameters { get; init; } = [];

    /// <summary>-1, 0 or 1 a feature if training was told that scores must fall or rise with some; else empty.</summary>
    public IReadOnlyList<int> MonotoneConstraints { get; init; } = [];

    /// <summary>What LightGBM's Python package wrote about categories of pandas, as JSON text; kept as it is. Null without.</summary>
    public string? PandasCategorical { get; init; }

    /// <summary>The first iterations alone; all that is not about trees stays as it is.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="iterations"/> is negative or more than there are.</exception>
    public TreeEnsemble First(int iterations)
    {
        if ((uint)iterations > (uint)IterationCount)
            throw new ArgumentOutOfRangeException(nameof(iterations), iterations, $"Iterations are from 0 to {IterationCount}.");
        return Copy(trees.AsSpan(0, iterations * TreesPerIteration), FeatureNames, 0);
    }

    /// <summary>The trees of this one that predictions use, and then those of another that was trained on their scores.</summary>
    /// <param name="next">The other; of the same features and scores.</param>
    /// <param name="iterations">How many iterations of this one; 0 takes the best, or all.</param>
    /// <exception cref="ArgumentException">They do not go together.</exception>
    internal TreeEnsemble Then(TreeEnsemble next, int iterations)
    {
        if (next.FeatureCount != FeatureCount || next.TreesPerIteration != TreesPerIteration || AverageOutput)
        {
            throw new ArgumentException(
                $"The model has {FeatureCount} features and {TreesPerIteration} trees an iteration{(AverageOutput ? ", of which the mean counts" : "")}, and training goes on with "
                + $"{next.FeatureCount} and {next.TreesPerIteration}. Go on with the features and classes that it was trained with.");
        }
        var used = TreesUsed(iterations);
        return new TreeEnsemble([.. trees.Take(used), .. next.trees], FeatureCount, TreesPerIteration, next.Objective)
        {
            ClassCount = next.ClassCount,
            BestIteration = next.BestIteration > 0 ? (used / TreesPerIteration) + next.BestIteration : 0,
            FeatureNames = next.FeatureNames,
            FeatureInfos = next.FeatureInfos,
        };
    }

    /// <summary>The same trees with other names and another best iteration.</summary>
    internal TreeEnsemble Named(IReadOnlyList<string> names, int bestIteration) => Copy(trees, names, bestIteration);

    private TreeEnsemble Copy(ReadOnlySpan<Tree> kept, IReadOnlyList<string> names, int bestIteration) => new(kept.ToArray(), FeatureCount, TreesPerIteration, Objective)
    {
        ClassCount = ClassCount,
        AverageOutput = AverageOutput,
        BestIteration = bestIteration,
        FeatureNames = names,
        FeatureInfos = FeatureInfos,
        LabelIndex = LabelIndex,
        Parameters = Parameters,
        MonotoneConstraints = MonotoneConstraints,
        PandasCategorical = PandasCategorical,
    };

    /// <summary>How many trees an answer from the first <paramref name="iterations"/> iterations takes; 0 stands for the best iteration, or all without one.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or more than there are.</exception>
    internal int TreesUsed(int iterations)
    {
        if ((uint)iterations > (uint)IterationCount)
            throw new ArgumentOutOfRangeException(nameof(iterations), iterations, $"Iterations are from 0 (the best, or all) to {IterationCount}.");
        return TreesPerIteration * (iterations > 0 ? iterations : BestIteration > 0 ? BestIteration : IterationCount);
    }

    private T[] Fits<T>(IReadOnlyList<T> values, string name)
    {
        ArgumentNullException.ThrowIfNull(values, name);
        return values.Count == FeatureCount ? [.. values] : throw new ArgumentException($"{name} has {values.Count} entries for {FeatureCount} features.", name);
    }
}
