using System.Globalization;
using Dataflow.MLlib.NeighborGraphs;
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
                    Add(new ExactIndex(rows, new Metric(metric, 3)).Search(NaiveNeighbors.Values(random, 41, features, kind), new(7, Threads: 2)));
            }
        }

        // Graphs, walked far from all of their rows.
        var values = RowSet.Of(NaiveNeighbors.Values(random, 400, 21, "clusters"), 21, default);
        foreach (var metric in Enum.GetValues<DistanceMetric>())
            Add(HnswIndex.Build(values, new Metric(metric, 3), 6, 20, 2).Search(NaiveNeighbors.Values(random, 30, 21, "clusters"), new(5, Breadth: 8)));
        return hash.ToString("x16", CultureInfo.InvariantCulture);

        void Add(NeighborLists lists)
        {
            for (var q = 0; q < lists.Queries; q++)
            {
                lists.Sort(q);
                foreach (var key in lists.Keys(q)) hash = (hash ^ (ulong)BitConverter.DoubleToInt64Bits(key)) * 1099511628211UL;
                foreach (var position in lists.Positions(q)) hash = (hash ^ (ulong)position) * 1099511628211UL;
            }
        }
    }

    /// <summary>Run in a process of its own: with 160 MB for everything, neither side of a join is broadcast and rows lie in several shards.</summary>
    public static string SmallJoin() => Join(DataflowOptions.Default with { Threads = 2, MemoryBytes = 160 << 20 }, new() { MaxBroadcastBytes = 0 }, 7);

    /// <summary>A fingerprint of a join of 124,000 rows and 2,000 queries.</summary>
    public static string Join(DataflowOptions options, NearestNeighborsJoin join, int partitions)
    {
        using var context = DataflowContext.Local(options);
        ValueList<string> columns = [.. Enumerable.Range(0, 20).Select(i => $"f{i}")];
        var features = string.Join(", ", columns.Select((name, i) => $"((id * {7919 + (i * 104)} + {i * i}) % {1009 + (2 * i)}) / 100.0D AS {name}"));
        var text = $"SELECT id, {features} FROM range(0, 126000, 1, {partitions})";
        var frame = context.Sql(text);
        var found = (join with { K = 3, FeatureColumns = columns, IdColumn = "id" }).Join(frame.Where("id % 63 = 0"), frame.Where("id % 63 > 0")).Collect();
        var hash = 14695981039346656037UL;
        foreach (var row in found.OrderBy(row => row.Get<long>("query_id")).ThenBy(row => row.Get<int>("rank")))
            hash = (((hash ^ (ulong)row.Get<long>("id")) * 1099511628211UL) ^ (ulong)BitConverter.DoubleToInt64Bits(row.Get<double>("distance"))) * 1099511628211UL;
        return $"{found.Count} {hash:x16}";
    }

    /// <summary>Answers of a saved model to queries made by a seed.</summary>
    public static string Loaded(string path)
    {
        var model = NearestNeighborsModel.Load(path);
        var found = model.SearchMany(NaiveNeighbors.Values(new Random(31), 20, model.FeatureCount, "clusters"));
        return string.Join(' ', found.SelectMany(each => each).Select(each => $"{each.Id}:{BitConverter.DoubleToInt64Bits(each.Distance):x}"));
    }
}
