using System.Text.Json;

namespace Dataflow.MLlib.TreeExchange;

/// <summary>The largest category that the model's splits name, by feature: how far sets reach that must be turned into what they leave out.</summary>
internal sealed class XGBoostCategories(XGBoostReader reader)
{
    private const int MostCategories = 1 << 24;

    private readonly Dictionary<int, int> largest = [];

    /// <summary>Takes note of the categories of one tree.</summary>
    public void Note(JsonElement tree, int features, int index)
    {
        if (tree.ValueKind != JsonValueKind.Object || !tree.TryGetProperty("categories", out var element) || element.ValueKind != JsonValueKind.Array || element.GetArrayLength() == 0) return;
        var (nodes, sets) = Sets(tree, index);
        var split = reader.Integers(reader.Member(tree, "split_indices", JsonValueKind.Array), "split_indices");
        for (var i = 0; i < nodes.Length; i++)
        {
            if ((uint)nodes[i] >= (uint)split.Length || (uint)split[nodes[i]] >= (uint)features)
                throw reader.Fault($"tree {index}: categories_nodes names node {nodes[i]}, which does not exist or asks no feature.");
            foreach (var category in sets[i]) largest[split[nodes[i]]] = Math.Max(category, largest.GetValueOrDefault(split[nodes[i]]));
        }
    }

    /// <summary>The largest category of a feature that any split names.</summary>
    public int Largest(int feature) => largest.GetValueOrDefault(feature);

    /// <summary>Categorical nodes of a tree and the categories they send right.</summary>
    public (int[] Nodes, int[][] Sets) Sets(JsonElement tree, int index)
    {
        var nodes = Array("categories_nodes");
        var categories = Array("categories");
        var starts = Array("categories_segments");
        var sizes = Array("categories_sizes");
        if (starts.Length != nodes.Length || sizes.Length != nodes.Length)
            throw reader.Fault($"tree {index}: categories_nodes, categories_segments and categories_sizes have {nodes.Length}, {starts.Length} and {sizes.Length} entries.");
        foreach (var category in categories)
        {
            if (category is < 0 or >= MostCategories) throw reader.Fault($"tree {index}: category {category} is not from 0 to {MostCategories - 1}.");
        }
        var sets = new int[nodes.Length][];
        for (var i = 0; i < nodes.Length; i++)
        {
            if (starts[i] < 0 || sizes[i] < 0 || (long)starts[i] + sizes[i] > categories.Length)
                throw reader.Fault($"tree {index}: entries {starts[i]} to {(long)starts[i] + sizes[i]} of its {categories.Length} categories were asked for.");
            sets[i] = categories[starts[i]..(starts[i] + sizes[i])];
        }
        return (nodes, sets);

        int[] Array(string name) => tree.TryGetProperty(name, out var element) && element.ValueKind == JsonValueKind.Array ? reader.Integers(element, name) : [];
    }
}
