using Dataflow.MLlib.Data;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeFitting;

/// <summary>What trees are trained on and how. Travels to executors.</summary>
/// <param name="User">Which learner, for errors.</param>
/// <param name="Features">The feature columns.</param>
/// <param name="Options">How trees are grown.</param>
internal sealed record TreeFitPlan(string User, FeatureColumns Features, TreeTrainingOptions Options)
{
    /// <summary>By feature column: whether it holds categories.</summary>
    public bool[] IsCategorical { get; init; } = [];

    /// <summary>Value bins of a feature at most.</summary>
    public int MaxBins { get; init; } = 255;

    /// <summary>About how many rows the bins are found from.</summary>
    public int SampleRows { get; init; } = 200_000;

    /// <summary>The place of the weight among the columns behind the features; -1 if there is none. The label is the first.</summary>
    public int WeightAt { get; init; } = -1;

    /// <summary>The place of the first initial score; those of further classes follow. -1 if there is none.</summary>
    public int InitialScoreAt { get; init; } = -1;

    /// <summary>The place of the flag of validation rows; -1 if there is none.</summary>
    public int ValidationAt { get; init; } = -1;

    /// <summary>The place of the first half of the query's number, with the second half behind it; -1 if there is none.</summary>
    public int QueryAt { get; init; } = -1;

    /// <summary>How many columns stand behind the features.</summary>
    public int OtherCount { get; init; } = 1;

    /// <summary>By feature, categorical or not, as soon as widths are known.</summary>
    public bool[] CategoricalFeatures(ReadOnlySpan<int> widths)
    {
        var features = new List<bool>();
        for (var i = 0; i < widths.Length; i++)
        {
            for (var j = 0; j < widths[i]; j++) features.Add(i < IsCategorical.Length && IsCategorical[i]);
        }
        return [.. features];
    }
}
