using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Dataflow.Serialization;

namespace Dataflow.Hashing;

/// <summary>Which types can be keys, the hashes that users register, and how a hash chooses a partition. The hashes: <see cref="StableHash{TKey}"/>.</summary>
public static class StableHash
{
    private static readonly ConcurrentDictionary<Type, (Delegate Typed, Func<object, ulong> Boxed)> Functions = new();

    /// <summary>Gives a type with an <c>Equals</c> of its own a hash, so that its values can be keys.</summary>
    /// <remarks>
    /// Every process needs it. Call this in the static constructor of <typeparamref name="TKey"/>, which is run before the type is refused:
    /// <c>static Money() => StableHash.Register&lt;Money>(money => ...)</c>.
    /// </remarks>
    /// <typeparam name="TKey">The type; not a derived one.</typeparam>
    /// <param name="hash">Equal for values that are equal, in every process: so made neither from <c>GetHashCode</c> of texts nor from
    /// references. It need not be well mixed: an id will do. It is never given null.</param>
    /// <exception cref="InvalidOperationException">The type already has a hash, which may have placed keys.</exception>
    public static void Register<TKey>(Func<TKey, ulong> hash)
    {
        ArgumentNullException.ThrowIfNull(hash);
        var name = TypeNames.Short(typeof(TKey));
        if (BuiltInHashes.Knows(typeof(TKey)) || typeof(TKey).IsEnum || Nullable.GetUnderlyingType(typeof(TKey)) is not null)
            throw new InvalidOperationException($"{name} has a built-in hash, which can't be replaced.");
        if (KeyShape.IsInUse(typeof(TKey)) || !Functions.TryAdd(typeof(TKey), (hash, key => hash((TKey)key))))
            throw new InvalidOperationException(
                $"{name} already has a hash, and keys may have been placed by it. Register yours once, in the static constructor of {name}.");
    }

    /// <summary>Whether values of a type can be keys. Verbs ask when the plan is built.</summary>
    /// <param name="type">The type.</param>
    /// <param name="why">Which member can't be part of a key, why, and what to do.</param>
    public static bool CanHash(Type type, [NotNullWhen(false)] out string? why)
    {
        ArgumentNullException.ThrowIfNull(type);
        if (KeyShape.Of(type).FirstRefusal() is not var (path, part))
        {
            why = null;
            return true;
        }
        var name = TypeNames.Short(type);
        var what = path.Length == 0 ? $"{name} can't be a key: it" : $"{name} can't be a key: its member {path}, of type {TypeNames.Short(part.Type)},";
        why = $"{what} {part.Refusal}.";
        return false;
    }

    /// <summary>The partition of a hash: <paramref name="partitions"/> equal shares of all hashes.</summary>
    /// <remarks>
    /// Multiplied once more before the share is cut from the top (multiply-shift; D. Lemire, Fast Random Integer Generation in an Interval,
    /// 2019), so that the hashes of one partition differ in all bits: tables take the low ones, spilled runs the top ones.
    /// </remarks>
    /// <param name="hash">From <see cref="StableHash{TKey}.Of"/>.</param>
    /// <param name="partitions">How many; at least 1.</param>
    /// <returns>From 0 to <paramref name="partitions"/> - 1.</returns>
    public static int PartitionOf(uint hash, int partitions) => (int)((ulong)(hash * 0x9E3779B1) * (uint)partitions >> 32);

    internal static bool IsRegistered(Type type) => Functions.ContainsKey(type);

    internal static Func<TKey, ulong>? Registered<TKey>() =>
        Functions.TryGetValue(typeof(TKey), out var functions) ? (Func<TKey, ulong>)functions.Typed : null;

    internal static Func<object, ulong> RegisteredBoxed(Type type) => Functions[type].Boxed;

    internal static KeyException Refusal(Type type) =>
        new(CanHash(type, out var why) ? $"{TypeNames.Short(type)} was registered as a key while keys of it were hashed. Register it earlier." : why);
}
