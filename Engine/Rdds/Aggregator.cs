using Dataflow.Hashing;

namespace Dataflow;

/// <summary>How the values of one key become one combined value.</summary>
/// <typeparam name="TValue">Type of the values.</typeparam>
/// <typeparam name="TCombined">Type of what they are combined into.</typeparam>
/// <param name="Create">Makes a combined value of the first value of a key.</param>
/// <param name="MergeValue">Adds a value to a combined one and gives it back.</param>
/// <param name="MergeCombined">Adds a combined value to another and gives it back.</param>
public sealed record Aggregator<TValue, TCombined>(
    Func<TValue, TCombined> Create,
    Func<TCombined, TValue, TCombined> MergeValue,
    Func<TCombined, TCombined, TCombined> MergeCombined)
{
    /// <summary>Whether a value is a combined value already, so that creating one costs nothing.</summary>
    internal bool CreateIsIdentity { get; init; }

    /// <summary>Puts pairs into a table.</summary>
    /// <returns>How many were taken before the table was full.</returns>
    internal int CombineInto<TKey>(AggregationTable<TKey, TCombined> table, ReadOnlySpan<(TKey Key, TValue Value)> pairs) =>
        CreateIsIdentity && typeof(TValue) == typeof(TCombined)
            ? table.Combine(
                System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpan(
                    ref System.Runtime.CompilerServices.Unsafe.As<(TKey Key, TValue Value), (TKey Key, TCombined Value)>(
                        ref System.Runtime.InteropServices.MemoryMarshal.GetReference(pairs)),
                    pairs.Length),
                MergeCombined)
            : table.Combine(pairs, Create, MergeValue);
}

/// <summary>Common aggregators.</summary>
public static class Aggregator
{
    /// <summary>Merges values into a value of the same type.</summary>
    /// <typeparam name="TValue">Type of the values.</typeparam>
    /// <param name="merge">Associative and commutative.</param>
    public static Aggregator<TValue, TValue> Merging<TValue>(Func<TValue, TValue, TValue> merge) =>
        new(static value => value, merge, merge) { CreateIsIdentity = true };
}
