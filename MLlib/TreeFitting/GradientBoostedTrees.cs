using Dataflow.MLlib.Data;
using Dataflow.MLlib.TreeFitting;
using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib;

/// <summary>
/// What gradient boosted trees have in common: trees are added one after the other, each to the negative gradient of the loss so far (Friedman 2001), by histograms of
/// binned features with second-order gains (Chen and Guestrin 2016, Ke et al. 2017).
/// </summary>
/// <remarks>
/// <para>Fit is an action. It reads the frame once, keeps its rows as bins in the executors, about 2 bytes a value and 40 bytes a row, and trains with all their slots. Missing
/// values (null, NaN) are allowed: each split learns which way they go.</para>
/// <para>The model is the same, bit for bit, for any number of partitions, threads and executors, on any processor, and if executors are lost meanwhile.</para>
/// </remarks>
/// <typeparam name="TModel">What is learned.</typeparam>
public abstract record GradientBoostedTrees<TModel> : Predictor<TModel> where TModel : TreeEnsembleModel
{
    /// <summary>How many iterations: a tree each, of several classes one a class.</summary>
    public int Trees { get; init => field = Check.AtLeast(value, 0); } = 100;

    /// <summary>The part of each tree that counts; less needs more trees and generalises better.</summary>
    public double LearningRate { get; init => field = Check.MoreThan(value, 0); } = 0.1;

    /// <summary>Most leaves of a tree.</summary>
    public int Leaves { get; init => field = Check.Between(value, 2, 131_072); } = 31;

    /// <summary>Most splits from the root to a leaf; 0 is no limit.</summary>
    public int MaxDepth { get; init => field = Check.AtLeast(value, 0); }

    /// <summary>Which leaf is split next.</summary>
    public TreeGrowthOrder Growth { get; init => field = Check.Defined(value); } = TreeGrowthOrder.LeafWise;

    /// <summary>Most bins of a feature, missing values not counted. Fewer are faster and coarser.</summary>
    public int MaxBins { get; init => field = Check.Between(value, 2, 255); } = 255;

    /// <summary>Fewest rows of a leaf.</summary>
    public int MinLeafRows { get; init => field = Check.AtLeast(value, 0); } = 20;

    /// <summary>Least sum of hessians of a leaf.</summary>
    public double MinLeafWeight { get; init => field = Check.AtLeast(value, 0.0); } = 1e-3;

    /// <summary>A split must lower the loss by more than this.</summary>
    public double MinGain { get; init => field = Check.AtLeast(value, 0.0); }

    /// <summary>L1 regularisation of leaf values.</summary>
    public double L1 { get; init => field = Check.AtLeast(value, 0.0); }

    /// <summary>L2 regularisation of leaf values.</summary>
    public double L2 { get; init => field = Check.AtLeast(value, 0.0); }

    /// <summary>Largest value of a leaf before the learning rate; 0 is no limit.</summary>
    public double MaxDeltaStep { get; init => field = Check.AtLeast(value, 0.0); }

    /// <summary>A column of scores that training begins from instead of the average; null for none. The model does not contain them: add them to its scores.</summary>
    public string? InitialScoreColumn { get; init => field = value is null ? null : Check.Name(value); }

    /// <summary>What random choices are made from.</summary>
    public int Seed { get; init; }

    /// <summary>A loss of the program's own instead of the built-in ones; predictions are then plain scores. Not saved.</summary>
    public TreeLoss? CustomLoss { get; init; }

    /// <summary>Makes the loss, once the labels are known.</summary>
    internal abstract TreeObjective ObjectiveFor(double greatestLabel);

    /// <summary>Makes the model.</summary>
    internal abstract TModel ModelOf(TreeFitResult result);

    /// <summary>The column that says which rows belong together; null if nothing does.</summary>
    internal virtual string? Together => null;

    /// <inheritdoc/>
    public override async Task<TModel> FitAsync(DataFrame frame, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var user = GetType().Name;
        var features = FeaturesOf(frame);
        if (Together is { } group) frame = frame.OrderBy(frame[group]);
        List<string?> others = [LabelColumn];
        var plan = new TreeFitPlan(user, features, Options())
        {
            MaxBins = MaxBins,
            WeightAt = Place(WeightColumn),
            InitialScoreAt = Place(InitialScoreColumn),
            QueryAt = Place(Together),
        };
        plan = plan with { OtherCount = others.Count };
        var result = await TreeFit.RunAsync(frame.Session.Context, plan, ObjectiveFor, features.Select(frame, user, [.. others]), cancellationToken).ConfigureAwait(false);
        return ModelOf(result) with { FeatureColumns = Features, PredictionColumn = PredictionColumn };

        int Place(string? column)
        {
            if (column is null) return -1;
            others.Add(column);
            return others.Count - 1;
        }
    }

    private TreeTrainingOptions Options() => new()
    {
        Iterations = Trees,
        LearningRate = LearningRate,
        Seed = (ulong)Seed,
        BoostFromAverage = InitialScoreColumn is null,
        Growth = new GrowthOptions
        {
            Leaves = Leaves,
            MaxDepth = MaxDepth,
            LevelWise = Growth == TreeGrowthOrder.LevelWise,
            Rules = new SplitRules { L1 = L1, L2 = L2, MinGain = MinGain, MinLeafRows = MinLeafRows, MinLeafWeight = MinLeafWeight, MaxDeltaStep = MaxDeltaStep },
        },
    };
}

/// <summary>Which leaf of a tree is split next.</summary>
public enum TreeGrowthOrder
{
    /// <summary>The one whose split lowers the loss most: deep where it pays (Shi 2007).</summary>
    LeafWise,

    /// <summary>All leaves of a level before any of the next.</summary>
    LevelWise,
}
