using System.Collections.Concurrent;

namespace Dataflow.Hashing;

/// <summary>
/// Hashes records of a type that others may derive from: each by its own type's members, as the equality that the compiler made compares
/// them. A derived type first shows itself in the data, so one that can't be hashed is refused here.
/// </summary>
internal sealed class DerivedHasher<TKey>(HashStep<TKey> own) : KeyHasher<TKey>
{
    private readonly ConcurrentDictionary<Type, Known> _known = new();
    private Known? _last;

    public override ulong Add(ulong state, TKey key)
    {
        var type = key!.GetType();
        if (type == typeof(TKey))
            return own(state, key);

        // Neighbours mostly have one type. The reference is replaced whole, so that other threads see a type with its own step.
        var known = _last;
        if (known is null || known.Type != type)
            _last = known = _known.GetOrAdd(type, Find);
        return known.Step(state, key);
    }

    private static Known Find(Type type) => KeyShape.Of(type).FirstRefusal() is null
        ? new Known(type, KeyHashers.CompileDerived<TKey>(type))
        : throw StableHash.Refusal(type);

    private sealed record Known(Type Type, HashStep<TKey> Step);
}
