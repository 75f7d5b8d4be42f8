using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeModels;

/// <summary>What counts as important.</summary>
public enum ImportanceKind
{
    /// <summary>How many splits ask the feature.</summary>
    Splits,

    /// <summary>By how much all its splits together lowered the loss.</summary>
    Gain,
}

/// <summary>How much each feature has to say in an ensemble.</summary>
internal static class FeatureImportance
{
    /// <summary>One number a feature, not normalised. Splits without gain are left out, as LightGBM does.</summary>
    public static double[] Of(TreeEnsemble ensemble, ImportanceKind kind, int iterations = 0)
    {
        var importances = new double[ensemble.FeatureCount];
        for (var t = 0; t < ensemble.TreesUsed(iterations); t++)
        {
            var tree = ensemble.Trees[t];
            for (var i = 0; i < tree.Features.Length; i++)
            {
                if (tree.Gains[i] > 0) importances[tree.Features[i]] += kind == ImportanceKind.Gain ? tree.Gains[i] : 1;
            }
        }
        return importances;
    }
}
