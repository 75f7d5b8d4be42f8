using System.Runtime.CompilerServices;

namespace Dataflow.Hashing;

/// <summary>
/// Numbers keys in the order of their first appearance: 0, 1, 2 and so on. It is the part that aggregation, distinct and grouping tables
/// share; what belongs to a key lies in arrays of theirs, under its number.
/// </summary>
/// <remarks>
/// <para>Fed by batches, so that the waits for memory of one batch's keys overlap. Keys and hashes lie dense, in order of number: what comes
/// out depends on what came in, and on no capacity. About 4 bytes of hash and 6 to 12 of slots a key, besides the key.</para>
/// <para>For one thread at a time.</para>
/// </remarks>
internal abstract class KeyIndex<TKey>
{
    /// <summary>Most keys of one call.</summary>
    public const int Batch = 256;

    /// <summary>The index for a key type, with the equality of <see cref="KeyEquality{TKey}"/>.</summary>
    public static KeyIndex<TKey> Create() => typeof(TKey) == typeof(string)
        ? (KeyIndex<TKey>)(object)new OpenIndex<string, TextEquality>()
        : new OpenIndex<TKey, DefaultEquality<TKey>>();

    /// <summary>How many keys there are.</summary>
    public int Count { get; protected set; }

    /// <summary>The keys, by number. Valid until the next key is added.</summary>
    public abstract ReadOnlySpan<TKey> Keys { get; }

    /// <summary>The hashes of <see cref="Keys"/>.</summary>
    public abstract ReadOnlySpan<uint> Hashes { get; }

    /// <summary>Bytes of its own arrays; what keys refer to is not counted.</summary>
    public abstract long ArrayBytes { get; }

    /// <summary>The numbers of the keys of pairs; new keys are added.</summary>
    /// <param name="pairs">At most <see cref="Batch"/> pairs.</param>
    /// <param name="hashes">Receives the hashes; as many as pairs.</param>
    /// <param name="numbers">Receives the numbers.</param>
    /// <param name="limit">How many keys the index may hold.</param>
    /// <returns>How many were taken: all, or those before the first new key beyond the limit.</returns>
    public int FindOrAdd<TValue>(ReadOnlySpan<(TKey Key, TValue Value)> pairs, Span<uint> hashes, Span<int> numbers, int limit)
    {
        return FindOrAdd(in pairs[0].Key, Unsafe.SizeOf<(TKey, TValue)>(), hashes, numbers, limit);
    }

    /// <summary>The numbers of keys; new ones are added.</summary>
    /// <inheritdoc cref="FindOrAdd{TValue}"/>
    public int FindOrAdd(ReadOnlySpan<TKey> keys, Span<uint> hashes, Span<int> numbers, int limit)
    {
        return FindOrAdd(in keys[0], Unsafe.SizeOf<TKey>(), hashes, numbers, limit);
    }

    protected virtual int FindOrAdd(ref readonly TKey first, int stride, Span<uint> hashes, Span<int> numbers, int limit)
    {
        StableHash<TKey>.OfMany(in first, stride, hashes);
        return FindOrAdd(in first, stride, (ReadOnlySpan<uint>)hashes, numbers, limit);
    }

    /// <summary>The numbers of keys, -1 for those that are not there.</summary>
    /// <param name="first">The first of at most <see cref="Batch"/> keys.</param>
    /// <param name="stride">Bytes from one key to the next.</param>
    /// <param name="hashes">Receives the hashes; as many as keys.</param>
    /// <param name="numbers">Receives the numbers.</param>
    public void Find(ref readonly TKey first, int stride, Span<uint> hashes, Span<int> numbers)
    {
        StableHash<TKey>.OfMany(in first, stride, hashes);
        Find(in first, stride, (ReadOnlySpan<uint>)hashes, numbers);
    }

    /// <summary>The number of a key, -1 if it is not there.</summary>
    public int Find(TKey key)
    {
        Span<int> number = stackalloc int[1];
        Find(in key, 0, (ReadOnlySpan<uint>)[StableHash<TKey>.Of(key)], number);
        return number[0];
    }

    /// <summary>The numbers of keys whose hashes are known; new ones are added.</summary>
    /// <param name="first">The first of at most <see cref="Batch"/> keys.</param>
    /// <param name="stride">Bytes from one key to the next.</param>
    /// <param name="hashes">Their hashes; as many as keys.</param>
    /// <param name="numbers">Receives their numbers.</param>
    /// <param name="limit">How many keys the index may hold.</param>
    /// <returns>How many keys were taken: all, or those before the first new one beyond the limit.</returns>
    public abstract int FindOrAdd(ref readonly TKey first, int stride, ReadOnlySpan<uint> hashes, Span<int> numbers, int limit);

    /// <summary>The numbers of keys whose hashes are known, -1 for those that are not there.</summary>
    /// <inheritdoc cref="FindOrAdd(ref readonly TKey, int, ReadOnlySpan{uint}, Span{int}, int)"/>
    public abstract void Find(ref readonly TKey first, int stride, ReadOnlySpan<uint> hashes, Span<int> numbers);

    /// <summary>Forgets all keys and keeps the memory.</summary>
    public abstract void Clear();
}
