using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.TreeFitting;
using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.Trees;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib;

/// <summary>What forests and single trees have in common: trees that do not know of each other, grown on histograms of binned features, whose mean is the prediction.</summary>
/// <remarks>
/// <para>Fit is an action. It reads the frame once and keeps its rows as bins in the executors, as boosted trees do. Missing values (null, NaN) are allowed: each split
/// learns which way they go. Leaves hold the mean label, or the share of a class, of the tree's rows.</para>
/// <para>The model is the same, bit for bit, for any number of partitions, threads and executors.</para>
/// </remarks>
/// <typeparam name="TModel">What is learned.</typeparam>
public abstract record AveragedTrees<TModel> : Predictor<TModel> where TModel : TreeEnsembleModel
{
    /// <summary>Most leaves of a tree.</summary>
    public int Leaves { get; init => field = Check.Between(value, 2, 131_072); } = 131_072;

    /// <summary>Most splits from the root to a leaf; 0 is no limit.</summary>
    public int MaxDepth { get; init => field = Check.AtLeast(value, 0); }

    /// <summary>Fewest rows of a leaf.</summary>
    public int MinLeafRows { get; init => field = Check.AtLeast(value, 1); } = 1;

    /// <summary>A split must lower the sum of squared errors (or of entropies) by more than this.</summary>
    public double MinGain { get; init => field = Check.AtLeast(value, 0.0); } = 1e-9;

    /// <summary>Most bins of a feature, missing values not counted, up to 65,535. Splits lie between bins. More than 255 take two bytes a value instead of one.</summary>
    public int MaxBins { get; init => field = Check.Between(value, 2, BinLayout.WideBins - 1); } = 255;

    /// <summary>Feature columns that hold categories: whole numbers of 0 or more, as <see cref="StringIndexer"/> makes them. Splits part sets of them. The
    /// most frequent <see cref="MaxBins"/> have a bin each; the rarer ones share one with those that are negative, missing or unknown.</summary>
    public ValueList<string> CategoricalColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>What random choices are made from.</summary>
    public int Seed { get; init; }

    internal abstract TreeObjective ObjectiveFor(double greatestLabel);

    internal abstract TModel ModelOf(TreeEnsemble ensemble);

    /// <summary>How many trees, and of which rows and features.</summary>
    internal virtual TreeTrainingOptions Shape(TreeTrainingOptions options) => options with { Iterations = 1 };

    /// <inheritdoc/>
    protected override async Task<TModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var user = GetType().Name;
        var features = FeaturesOf(frame);
        NamedFeatures.MustBeFeatures(features, CategoricalColumns, user);
        List<string?> others = [LabelColumn];
        if (WeightColumn is not null) others.Add(WeightColumn);
        var plan = new TreeFitPlan(user, features, Options())
        {
            MaxBins = MaxBins,
            IsCategorical = NamedFeatures.Categorical(features, CategoricalColumns),
            WeightAt = WeightColumn is null ? -1 : 1,
            OtherCount = others.Count,
        };
        var result = await TreeFit.RunAsync(
            frame.Session.Context, plan, (label, given) => given with { Options = given.Options with { Objective = ObjectiveFor(label) } },
            features.Select(frame, user, [.. others]), null, cancellationToken).ConfigureAwait(false);
        return ModelOf(result.Ensemble) with { FeatureColumns = Features, PredictionColumn = PredictionColumn };
    }

    private TreeTrainingOptions Options() => Shape(new TreeTrainingOptions
    {
        Boosting = MLlib.Trees.Boosting.Forest,
        Seed = (ulong)Seed,
        Growth = new GrowthOptions
        {
            Leaves = Leaves,
            MaxDepth = MaxDepth,
            Seed = (ulong)Seed,

            // Leaves are plain means: nothing may draw them to 0.
            Rules = new SplitRules { MinGain = MinGain, MinLeafRows = MinLeafRows, MinLeafWeight = 1e-9, CategoryL2 = 0, CategorySmoothing = 1, MinCategoryGroup = 1 },
        },
    });
}

/// <summary>What training does by impurity.</summary>
internal static class Impurities
{
    /// <summary>Options whose splits lower an impurity. Shares are counted from 0 for entropy, whose gains need them and not how far they are from the mean.</summary>
    public static TreeTrainingOptions Lowering(this TreeTrainingOptions options, ClassImpurity impurity) => impurity == ClassImpurity.Gini ? options : options with
    {
        BoostFromAverage = false,
        Growth = options.Growth with { Rules = options.Growth.Rules with { IsEntropy = true } },
    };
}
