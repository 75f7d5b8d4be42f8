using System.Numerics;

namespace Dataflow.MLlib;

/// <summary>How many features a node of a forest may ask.</summary>
public enum FeatureSubset
{
    /// <summary>All: trees differ by their rows alone.</summary>
    All,

    /// <summary>The square root of their number, rounded down.</summary>
    Sqrt,

    /// <summary>The logarithm of their number to the base 2, rounded down.</summary>
    Log2,

    /// <summary>A third, rounded down.</summary>
    OneThird,
}

/// <summary>Counts of features.</summary>
internal static class FeatureSubsets
{
    /// <summary>The part of the features that a node may ask.</summary>
    public static double Share(this FeatureSubset subset, int features) => features == 0 ? 1 : Math.Max(1, subset switch
    {
        FeatureSubset.Sqrt => (int)Math.Sqrt(features),
        FeatureSubset.Log2 => BitOperations.Log2((uint)features),
        FeatureSubset.OneThird => features / 3,
        _ => features,
    }) / (double)features;
}
