using Dataflow.Hashing;
using Dataflow.Serialization;

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
    /// <summary>Whether a value is a combined value already; <see cref="Create"/> then gives an equal one.</summary>
    internal bool CreateIsIdentity { get; init; }

    /// <summary>Whether what <see cref="Create"/> gives shares no object with the value, so that merging may change it.</summary>
    internal bool CreateCopies { get; init; }

    /// <summary>Puts pairs into a table.</summary>
    /// <returns>How many were taken before the table was full.</returns>
    internal int CombineInto<TKey>(AggregationTable<TKey, TCombined> table, ReadOnlySpan<(TKey Key, TValue Value)> pairs) =>
        CreateIsIdentity && !CreateCopies && typeof(TValue) == typeof(TCombined)
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
    /// <param name="merge">Associative and commutative. It may change its first argument and give it back.</param>
    public static Aggregator<TValue, TValue> Merging<TValue>(Func<TValue, TValue, TValue> merge)
    {
        // The first value of a key may be an element of a cache or of the program's own array, which others read again.
        var copies = Mutability.MayChange<TValue>();
        return new(copies ? ElementCopy<TValue>.Of : static value => value, merge, merge) { CreateIsIdentity = true, CreateCopies = copies };
    }
}
