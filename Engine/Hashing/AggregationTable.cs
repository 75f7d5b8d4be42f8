using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dataflow.Fusion;
using Dataflow.Tasks;

namespace Dataflow.Hashing;

/// <summary>
/// Merges values by key: one value a key, in the order in which keys first came. Fed by chunks of pairs; what comes out depends on what
/// came in and in which order, and on nothing else.
/// </summary>
/// <remarks>
/// If a function of the user throws, the pairs before the one it threw for are merged, that one and those after it are not; keys may have
/// been counted that have no value. The table is then good for <see cref="Clear"/> and for nothing else. For one thread at a time.
/// </remarks>
/// <param name="limit">How many keys the table takes before it asks to be emptied.</param>
/// <param name="warmUp">How many values are merged through delegates before a loop is compiled that calls the functions directly; the default
/// never compiles one. See <see cref="For"/>.</param>
internal sealed class AggregationTable<TKey, TValue>(int limit = int.MaxValue, int warmUp = int.MaxValue)
{
    private const int Batch = KeyIndex<TKey>.Batch;

    // Values of about this size stay in the second-level cache.
    private const int CachedBytes = 256 << 10;

    private readonly KeyIndex<TKey> _index = KeyIndex<TKey>.Create();
    private TValue[] _values = [];
    private object? _code;

    /// <summary>A table for a task: merging is compiled if the task fuses operators.</summary>
    /// <param name="context">The running task.</param>
    /// <param name="limit">How many keys the table takes before it asks to be emptied.</param>
    public static AggregationTable<TKey, TValue> For(TaskContext context, int limit = int.MaxValue) =>
        new(limit, FusionSupport.Fuses(context) ? context.Services.Options.FusionWarmUp : int.MaxValue);

    /// <summary>How many keys the table takes before it asks to be emptied.</summary>
    public int Limit { get; set; } = limit;

    /// <summary>How many keys there are.</summary>
    public int Count => _index.Count;

    /// <summary>The keys in order of first appearance. Valid until the table changes.</summary>
    public ReadOnlySpan<TKey> Keys => _index.Keys;

    /// <summary>The values of <see cref="Keys"/>, in place.</summary>
    public Span<TValue> Values => _values.AsSpan(0, Count);

    /// <summary>The hashes of <see cref="Keys"/>, for placing them without hashing again.</summary>
    public ReadOnlySpan<uint> Hashes => _index.Hashes;

    /// <summary>Bytes of the table's own arrays; objects that keys and values refer to come on top.</summary>
    public long EstimatedBytes => _index.ArrayBytes + (long)_values.Length * Unsafe.SizeOf<TValue>();

    /// <summary>Merges a chunk of pairs whose values are merged as they are.</summary>
    /// <param name="chunk">The pairs.</param>
    /// <param name="merge">Makes one value of two of the same key, the earlier one first.</param>
    /// <returns>How many pairs were taken: all, or those before the first new key beyond the limit.</returns>
    public int Combine(ReadOnlySpan<(TKey Key, TValue Value)> chunk, Func<TValue, TValue, TValue> merge) =>
        Merge<TValue>(chunk, [], null, merge);

    /// <summary>Merges a chunk of pairs whose hashes are known.</summary>
    /// <param name="hashes">The hashes of the keys; as many as pairs.</param>
    /// <inheritdoc cref="Combine(ReadOnlySpan{ValueTuple{TKey, TValue}}, Func{TValue, TValue, TValue})"/>
    public int Combine(ReadOnlySpan<(TKey Key, TValue Value)> chunk, ReadOnlySpan<uint> hashes, Func<TValue, TValue, TValue> merge) =>
        Merge(chunk, hashes[..chunk.Length], null, merge);

    /// <summary>Merges a chunk of pairs whose values become part of a value of another type.</summary>
    /// <param name="chunk">The pairs.</param>
    /// <param name="create">Makes the value of a key from the first of its pairs.</param>
    /// <param name="merge">Adds what a later pair holds.</param>
    /// <returns>How many pairs were taken: all, or those before the first new key beyond the limit.</returns>
    public int Combine<TIn>(ReadOnlySpan<(TKey Key, TIn Value)> chunk, Func<TIn, TValue> create, Func<TValue, TIn, TValue> merge) =>
        Merge(chunk, [], create, merge);

    /// <summary>Merges a chunk of pairs whose hashes are known into values of another type.</summary>
    /// <param name="hashes">The hashes of the keys; as many as pairs.</param>
    /// <inheritdoc cref="Combine{TIn}(ReadOnlySpan{ValueTuple{TKey, TIn}}, Func{TIn, TValue}, Func{TValue, TIn, TValue})"/>
    public int Combine<TIn>(
        ReadOnlySpan<(TKey Key, TIn Value)> chunk, ReadOnlySpan<uint> hashes, Func<TIn, TValue> create, Func<TValue, TIn, TValue> merge) =>
        Merge(chunk, hashes[..chunk.Length], create, merge);

    /// <summary>The value of a key.</summary>
    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        var number = _index.Find(key);
        value = number < 0 ? default : _values[number];
        return number >= 0;
    }

    /// <summary>Forgets all keys and values and keeps the memory.</summary>
    public void Clear()
    {
        if (RuntimeHelpers.IsReferenceOrContainsReferences<TValue>())
            Array.Clear(_values, 0, Math.Min(Count, _values.Length));
        _index.Clear();
    }

    private int Merge<TIn>(
        ReadOnlySpan<(TKey Key, TIn Value)> chunk, ReadOnlySpan<uint> hashes, Func<TIn, TValue>? create, Func<TValue, TIn, TValue> merge)
    {
        Span<uint> own = stackalloc uint[Batch];
        Span<int> numbers = stackalloc int[Batch];
        for (var done = 0; done < chunk.Length;)
        {
            var batch = chunk.Slice(done, Math.Min(Batch, chunk.Length - done));
            var first = Count;
            var taken = hashes.IsEmpty
                ? _index.FindOrAdd(batch, own[..batch.Length], numbers, Limit)
                : _index.FindOrAdd(in batch[0].Key, Unsafe.SizeOf<(TKey, TIn)>(), hashes.Slice(done, batch.Length), numbers, Limit);
            Merge(batch[..taken], numbers[..taken], first, create, merge);
            done += taken;
            if (taken < batch.Length)
                return done;
        }
        return chunk.Length;
    }

    // New keys have the numbers that follow the last one, in the order of their first pairs.
    private void Merge<TIn>(
        ReadOnlySpan<(TKey Key, TIn Value)> batch, ReadOnlySpan<int> numbers, int next, Func<TIn, TValue>? create, Func<TValue, TIn, TValue> merge)
    {
        if (batch.IsEmpty)
            return;
        if (_values.Length < Count)
            Array.Resize(ref _values, Math.Max(Count, Math.Max(Batch, (int)Math.Min(Array.MaxLength, _values.Length * 2L))));

        ref var values = ref MemoryMarshal.GetArrayDataReference(_values);
        if ((long)Count * Unsafe.SizeOf<TValue>() > CachedBytes)
        {
            foreach (var number in numbers)
                Prefetch.At(ref Unsafe.Add(ref values, number));
        }
        if (warmUp < int.MaxValue && CodeOf(create, merge).TryRun(
            ref MemoryMarshal.GetReference(numbers), batch.Length, next,
            ref Unsafe.AsRef(in batch[0].Value), Unsafe.SizeOf<(TKey, TIn)>(), ref values, warmUp))
            return;
        for (var i = 0; i < batch.Length; i++)
        {
            var number = numbers[i];
            ref var value = ref Unsafe.Add(ref values, number);
            if (number != next)
            {
                value = merge(value, batch[i].Value);
                continue;
            }
            value = create is null ? Unsafe.As<TIn, TValue>(ref Unsafe.AsRef(in batch[i].Value)) : create(batch[i].Value);
            next++;
        }
    }

    private MergeCode<TIn, TValue> CodeOf<TIn>(Func<TIn, TValue>? create, Func<TValue, TIn, TValue> merge)
    {
        if (_code is MergeCode<TIn, TValue> code && code.IsOf(create, merge))
            return code;
        code = new MergeCode<TIn, TValue>(create, merge);
        _code = code;
        return code;
    }
}
