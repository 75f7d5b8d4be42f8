using System.Globalization;
using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.Tests.Neighbors;

/// <summary>What is run with and without instruction sets.</summary>
internal static class NeighborChecks
{
    public static string Exact()
    {
        var random = new Random(29);
        var hash = 14695981039346656037UL;
        foreach (var kind in new[] { "clusters", "far", "wide" })
        {
            foreach (var features in new[] { 3, 16, 45, 140 })
            {
                var rows = RowSet.Of(NaiveNeighbors.Values(random, 200, features, kind), features, default);
                foreach (var metric in Enum.GetValues<DistanceMetric>())
                {
                    var lists = new ExactIndex(rows, new Metric(metric, 3)).Search(NaiveNeighbors.Values(random, 41, features, kind), new(7, Threads: 2));
                    for (var q = 0; q < lists.Queries; q++)
                    {
                        lists.Sort(q);
                        foreach (var key in lists.Keys(q)) hash = (hash ^ (ulong)BitConverter.DoubleToInt64Bits(key)) * 1099511628211UL;
                        foreach (var position in lists.Positions(q)) hash = (hash ^ (ulong)position) * 1099511628211UL;
                    }
                }
            }
        }
        return hash.ToString("x16", CultureInfo.InvariantCulture);
    }

    /// <summary>Answers of a saved model to queries made by a seed.</summary>
    public static string Loaded(string path)
    {
        var model = NearestNeighborsModel.Load(path);
        var found = model.SearchMany(NaiveNeighbors.Values(new Random(31), 20, model.FeatureCount, "clusters"));
        return string.Join(' ', found.SelectMany(each => each).Select(each => $"{each.Id}:{BitConverter.DoubleToInt64Bits(each.Distance):x}"));
    }
}
