using Dataflow.MLlib.Data;

namespace Dataflow.MLlib.Regression;

/// <summary>Where most labels are, whatever a few outliers are: the middle of the medians of blocks, and of their median distances from them.</summary>
/// <param name="Center">About the median.</param>
/// <param name="Spread">About the median distance from it; 0 where most labels are equal.</param>
internal readonly record struct LabelSpread(double Center, double Spread)
{
    /// <summary>Of all rows that have a weight; one pass, which sorts labels block by block.</summary>
    public static async Task<LabelSpread> OfAsync(Rdd<FeatureBlock> blocks, CancellationToken cancellationToken)
    {
        var parts = await blocks.MapPartitions(items => Of(items)).CollectAsync(cancellationToken).ConfigureAwait(false);
        return parts.Length == 0 ? default : new LabelSpread(Middle([.. parts.Select(part => part[0])]), Middle([.. parts.Select(part => part[1])]));
    }

    private static IEnumerable<double[]> Of(IEnumerable<FeatureBlock> blocks)
    {
        foreach (var block in blocks)
        {
            double[] labels = [.. block.Labels.Where((_, row) => block.WeightOf(row) > 0)];
            if (labels.Length == 0) continue;
            var center = Middle(labels);
            yield return [center, Middle(Array.ConvertAll(labels, label => Math.Abs(label - center)))];
        }
    }

    private static double Middle(double[] values)
    {
        Array.Sort(values);
        return values[values.Length / 2];
    }
}
