using System.Runtime.CompilerServices;

namespace Dataflow.Hashing;

/// <summary>Hashes keys of one type. One object per type and process, made by <see cref="KeyHashers"/>, called through <see cref="StableHash{TKey}"/>.</summary>
internal abstract class KeyHasher<TKey>
{
    /// <summary>Adds a key that is not null to the state of a hash.</summary>
    public abstract ulong Add(ulong state, TKey key);

    /// <summary>The finished hashes of keys that lie <paramref name="stride"/> bytes apart; null hashes to 0.</summary>
    public virtual void AddMany(ref readonly TKey first, int stride, Span<uint> hashes)
    {
        // Only keys that are objects come here. They may lie anywhere: all are asked for before the first is read.
        ref var start = ref Unsafe.AsRef(in first);
        for (var i = 0; i < hashes.Length; i++)
            Prefetch.ObjectOf(ref Unsafe.AddByteOffset(ref start, (nint)i * stride));
        for (var i = 0; i < hashes.Length; i++)
        {
            var key = Unsafe.AddByteOffset(ref start, (nint)i * stride);
            hashes[i] = key is null ? 0 : (uint)Mixing.Finish(Add(Mixing.Seed, key));
        }
    }
}

/// <summary>Hashes tuples of a fixed length in code that inlines where a compiled function can't, and fetches the objects in them ahead.</summary>
internal abstract class TupleHasher<TKey> : KeyHasher<TKey>
{
    /// <summary>Fetches the objects that keys refer to, before any is read.</summary>
    /// <param name="first">The first key.</param>
    /// <param name="stride">Bytes from one key to the next.</param>
    /// <param name="count">How many keys.</param>
    public abstract void Fetch(ref TKey first, int stride, int count);

    /// <summary>Fetches the objects that some keys refer to.</summary>
    /// <param name="keys">The key of number 0.</param>
    /// <param name="numbers">Which keys; a negative one stands for 0.</param>
    public abstract void Fetch(ref TKey keys, ReadOnlySpan<int> numbers);

    /// <summary>Fetches the object at a place, if it is of a type that refers to one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static void FetchObject<T>(ref T place)
    {
        if (!typeof(T).IsValueType)
            Prefetch.ObjectOf(ref place);
    }
}

/// <summary>Hashes by a function: a built-in one, a registered one, or one compiled from the members of the type.</summary>
internal sealed class StepHasher<TKey>(HashStep<TKey> step) : KeyHasher<TKey>
{
    public override ulong Add(ulong state, TKey key) => step(state, key);
}

/// <summary>Hashes texts, with the loop over a chunk in one piece.</summary>
internal sealed class TextHasher : KeyHasher<string>
{
    public override ulong Add(ulong state, string key) => Mixing.Add(state, TextHash.Of(key));

    public override void AddMany(ref readonly string first, int stride, Span<uint> hashes)
    {
        ref var start = ref Unsafe.AsRef(in first);
        for (var i = 0; i < hashes.Length; i++)
            Prefetch.ObjectOf(ref Unsafe.AddByteOffset(ref start, (nint)i * stride));
        for (var i = 0; i < hashes.Length; i++)
        {
            var key = Unsafe.AddByteOffset(ref start, (nint)i * stride);
            hashes[i] = key is null ? 0 : (uint)Mixing.Finish(Mixing.Add(Mixing.Seed, TextHash.Of(key)));
        }
    }
}

/// <summary>Hashes optional values: an absent one inside a key is a part of its own, and differs from zero.</summary>
internal sealed class OptionalHasher<T> : KeyHasher<T?>
    where T : struct
{
    public override ulong Add(ulong state, T? key) => StableHash<T>.Add(state, key.GetValueOrDefault());
}

/// <summary>Hashes pairs.</summary>
internal sealed class PairHasher<T1, T2> : TupleHasher<(T1, T2)>
{
    public override ulong Add(ulong state, (T1, T2) key) => StableHash<T2>.Add(StableHash<T1>.Add(state, key.Item1), key.Item2);

    public override void Fetch(ref (T1, T2) first, int stride, int count)
    {
        for (var i = 0; i < count; i++) Fetch(ref Unsafe.AddByteOffset(ref first, (nint)i * stride));
    }

    public override void Fetch(ref (T1, T2) keys, ReadOnlySpan<int> numbers)
    {
        foreach (var number in numbers) Fetch(ref Unsafe.Add(ref keys, Math.Max(number, 0)));
    }

    private static void Fetch(ref (T1, T2) key)
    {
        FetchObject(ref key.Item1);
        FetchObject(ref key.Item2);
    }
}

/// <summary>Hashes tuples of three.</summary>
internal sealed class TripleHasher<T1, T2, T3> : TupleHasher<(T1, T2, T3)>
{
    public override ulong Add(ulong state, (T1, T2, T3) key) =>
        StableHash<T3>.Add(StableHash<T2>.Add(StableHash<T1>.Add(state, key.Item1), key.Item2), key.Item3);

    public override void Fetch(ref (T1, T2, T3) first, int stride, int count)
    {
        for (var i = 0; i < count; i++) Fetch(ref Unsafe.AddByteOffset(ref first, (nint)i * stride));
    }

    public override void Fetch(ref (T1, T2, T3) keys, ReadOnlySpan<int> numbers)
    {
        foreach (var number in numbers) Fetch(ref Unsafe.Add(ref keys, Math.Max(number, 0)));
    }

    private static void Fetch(ref (T1, T2, T3) key)
    {
        FetchObject(ref key.Item1);
        FetchObject(ref key.Item2);
        FetchObject(ref key.Item3);
    }
}

/// <summary>Hashes where code can't be made at run time: by reflection over the members, boxing each.</summary>
internal sealed class ReflectedHasher<TKey> : KeyHasher<TKey>
{
    public override ulong Add(ulong state, TKey key) => KeyHashers.AddBoxed(state, key);
}

/// <summary>Hashes keys of a type that was refused: by a hash registered after its first use, or not at all.</summary>
internal sealed class RefusedHasher<TKey> : KeyHasher<TKey>
{
    public override ulong Add(ulong state, TKey key) =>
        StableHash.Registered<TKey>() is { } registered ? Mixing.Add(state, registered(key)) : throw StableHash.Refusal(typeof(TKey));
}
