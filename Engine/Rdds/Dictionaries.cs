using Dataflow.Hashing;

namespace Dataflow;

/// <summary>Makes the dictionaries that actions give, with the engine's equality of keys.</summary>
#pragma warning disable CS8714 // Keys may be of a type that takes null; the value null is refused here, with a message of its own.
internal static class Dictionaries
{
    /// <summary>Of several pairs with one key the last stays.</summary>
    public static Dictionary<TKey, TValue> Of<TKey, TValue>(ReadOnlySpan<(TKey Key, TValue Value)> pairs)
    {
        var map = Empty<TKey, TValue>(pairs.Length);
        foreach (var (key, value) in pairs) map[NotNull(key)] = value;
        return map;
    }

    public static Dictionary<TKey, TValue> Empty<TKey, TValue>(int capacity = 0) =>
        new(capacity, StableHash.CanHash(typeof(TKey), out _) ? KeyEquality<TKey>.Comparer : null);

    public static TKey NotNull<TKey>(TKey key) => key ?? throw new InvalidOperationException(
        "One of the keys is null, which a dictionary can't hold. Drop it with Filter before, or bring the pairs to the driver with Collect.");
}
