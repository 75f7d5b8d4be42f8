using System.Collections.Immutable;
using Dataflow.Serialization;

namespace Dataflow.Codecs;

/// <summary>A dictionary by content: its length and comparer, then each key with its value, in the order in which it enumerates.</summary>
internal abstract class MapCodec<TMap, TKey, TValue>(TypeShape shape, CodecRef<TKey> keys, CodecRef<TValue> values) : ShapedCodec<TMap?>(shape)
    where TMap : class, IReadOnlyDictionary<TKey, TValue>
    where TKey : notnull
{
    internal sealed override void WriteItem(BlockWriter writer, TMap? map)
    {
        if (map is null)
        {
            writer.WriteCount(-1);
            return;
        }
        Containers.RefuseDerived(map);
        writer.WriteCount(map.Count);
        Comparers.Write<TKey>(writer, ComparerOf(map), Shape.Type);
        WritePairs(writer, map);
    }

    internal sealed override TMap? ReadItem(ref BlockReader reader)
    {
        var count = reader.ReadCount(keys.Codec.MinimumBytes + values.Codec.MinimumBytes);
        return count < 0 ? null : ReadPairs(ref reader, count, Comparers.Read<TKey>(ref reader));
    }

    protected abstract object ComparerOf(TMap map);

    // Here and not above, so that each kind enumerates without boxing its enumerator.
    protected abstract void WritePairs(BlockWriter writer, TMap map);

    protected abstract TMap ReadPairs(ref BlockReader reader, int count, int comparer);

    protected void WritePair(BlockWriter writer, TKey key, TValue value)
    {
        keys.Codec.WriteItem(writer, key);
        values.Codec.WriteItem(writer, value);
    }

    protected TKey ReadKey(ref BlockReader reader) =>
        keys.Codec.ReadItem(ref reader) ?? throw new CorruptDataException($"The data holds a {TypeNames.Short(typeof(TMap))} with a null key.");

    protected TValue ReadValue(ref BlockReader reader) => values.Codec.ReadItem(ref reader);

    protected static CorruptDataException Twice(TKey key) =>
        new($"The data holds a {TypeNames.Short(typeof(TMap))} that has the key '{key}' twice.");
}

internal sealed class DictionaryCodec<TKey, TValue>(TypeShape shape, CodecRef<TKey> keys, CodecRef<TValue> values)
    : MapCodec<Dictionary<TKey, TValue>, TKey, TValue>(shape, keys, values)
    where TKey : notnull
{
    protected override object ComparerOf(Dictionary<TKey, TValue> map) => map.Comparer;

    protected override void WritePairs(BlockWriter writer, Dictionary<TKey, TValue> map)
    {
        foreach (var (key, value) in map) WritePair(writer, key, value);
    }

    protected override Dictionary<TKey, TValue> ReadPairs(ref BlockReader reader, int count, int comparer)
    {
        var map = new Dictionary<TKey, TValue>(count, Comparers.Equality<TKey>(comparer));
        for (; count > 0; count--)
        {
            var key = ReadKey(ref reader);
            if (!map.TryAdd(key, ReadValue(ref reader))) throw Twice(key);
        }
        return map;
    }
}

internal sealed class SortedDictionaryCodec<TKey, TValue>(TypeShape shape, CodecRef<TKey> keys, CodecRef<TValue> values)
    : MapCodec<SortedDictionary<TKey, TValue>, TKey, TValue>(shape, keys, values)
    where TKey : notnull
{
    protected override object ComparerOf(SortedDictionary<TKey, TValue> map) => map.Comparer;

    protected override void WritePairs(BlockWriter writer, SortedDictionary<TKey, TValue> map)
    {
        foreach (var (key, value) in map) WritePair(writer, key, value);
    }

    protected override SortedDictionary<TKey, TValue> ReadPairs(ref BlockReader reader, int count, int comparer)
    {
        var map = new SortedDictionary<TKey, TValue>(Comparers.Order<TKey>(comparer));
        for (; count > 0; count--)
        {
            var key = ReadKey(ref reader);
            if (!map.TryAdd(key, ReadValue(ref reader))) throw Twice(key);
        }
        return map;
    }
}

internal sealed class ImmutableDictionaryCodec<TKey, TValue>(TypeShape shape, CodecRef<TKey> keys, CodecRef<TValue> values)
    : MapCodec<ImmutableDictionary<TKey, TValue>, TKey, TValue>(shape, keys, values)
    where TKey : notnull
{
    protected override object ComparerOf(ImmutableDictionary<TKey, TValue> map) =>
        map.ValueComparer == EqualityComparer<TValue>.Default ? map.KeyComparer : throw Comparers.Refuse(map.ValueComparer, Shape.Type);

    protected override void WritePairs(BlockWriter writer, ImmutableDictionary<TKey, TValue> map)
    {
        foreach (var (key, value) in map) WritePair(writer, key, value);
    }

    protected override ImmutableDictionary<TKey, TValue> ReadPairs(ref BlockReader reader, int count, int comparer)
    {
        var map = ImmutableDictionary.CreateBuilder<TKey, TValue>(Comparers.Equality<TKey>(comparer));
        for (; count > 0; count--)
        {
            var key = ReadKey(ref reader);
            if (!map.TryAdd(key, ReadValue(ref reader))) throw Twice(key);
        }
        return map.ToImmutable();
    }
}
