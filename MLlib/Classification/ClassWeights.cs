using Dataflow.MLlib.Data;

namespace Dataflow.MLlib.Classification;

/// <summary>How much each class weighs among the training rows.</summary>
internal static class ClassWeights
{
    /// <summary>Most classes of a classifier.</summary>
    public const int MostClasses = 10_000;

    /// <summary>The sum of weights of each class.</summary>
    /// <exception cref="QueryException">A label is no class: not one of 0, 1, 2 ...</exception>
    public static async Task<double[]> OfAsync(Rdd<FeatureBlock> blocks, string label, string user, CancellationToken cancellationToken)
    {
        var parts = await blocks.MapPartitions(items => OfPartition(items, label, user)).CollectAsync(cancellationToken).ConfigureAwait(false);
        var all = new double[parts.Select(part => part.Length).DefaultIfEmpty().Max()];
        foreach (var part in parts)
        {
            for (var i = 0; i < part.Length; i++) all[i] += part[i];
        }
        return all;
    }

    private static IEnumerable<double[]> OfPartition(IEnumerable<FeatureBlock> blocks, string label, string user)
    {
        double[] weights = [];
        foreach (var block in blocks)
        {
            for (var row = 0; row < block.Rows; row++)
            {
                var value = block.Labels[row];
                if (!(value >= 0 && value < MostClasses) || value != Math.Floor(value))
                {
                    throw new QueryException("INVALID_LABEL",
                        $"Column '{label}' holds the label {value}, and {user} needs classes 0, 1, 2 ... up to {MostClasses - 1}. "
                        + "Number the classes with StringIndexer first, or use a regression.");
                }
                if (value >= weights.Length) Array.Resize(ref weights, (int)value + 1);
                weights[(int)value] += block.WeightOf(row);
            }
        }
        return [weights];
    }
}
