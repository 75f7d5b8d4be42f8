using Dataflow.MLlib.Data;

namespace Dataflow.MLlib.TreeFitting;

/// <summary>What learners of trees are told of single feature columns.</summary>
internal static class NamedFeatures
{
    public static bool Has(IEnumerable<string> names, string name) => names.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>By feature column: whether it holds categories.</summary>
    public static bool[] Categorical(FeatureColumns features, IEnumerable<string> categorical) =>
        [.. features.Names.Select((name, i) => Has(categorical, name) && MustBeNumber(features, i, "CategoricalColumns"))];

    /// <summary>Refuses names that are no features.</summary>
    public static void MustBeFeatures(FeatureColumns features, IEnumerable<string> names, string user)
    {
        foreach (var name in names)
        {
            if (!Has(features.Names, name)) throw new ArgumentException($"{user} is told something of the column '{name}', which is no feature. Features: {string.Join(", ", features.Names)}.");
        }
    }

    public static bool MustBeNumber(FeatureColumns features, int column, string parameter) => !features.IsVector[column]
        ? true
        : throw new ArgumentException($"{parameter} names '{features.Names[column]}', which is a vector column. Name numeric columns: give them by FeatureColumns, beside the vector.");
}
