using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Dataflow.Serialization;

namespace Dataflow.Codecs;

/// <summary>A collection by content: its length, a comparer where it has one, then its elements, all at once through their codec.</summary>
/// <typeparam name="TSequence">The collection.</typeparam>
/// <typeparam name="T">Its elements.</typeparam>
internal abstract class SequenceCodec<TSequence, T>(TypeShape shape, CodecRef<T> element) : ShapedCodec<TSequence>(shape)
{
    protected Codec<T> Element => element.Codec;

    internal override void WriteItem(BlockWriter writer, TSequence sequence)
    {
        if (IsNull(sequence))
        {
            writer.WriteCount(-1);
            return;
        }
        Containers.RefuseDerived(sequence);
        var items = ItemsOf(sequence);
        writer.WriteCount(items.Length);
        WriteComparer(writer, sequence);
        Element.WriteItems(writer, items);
    }

    internal override TSequence ReadItem(ref BlockReader reader)
    {
        var count = reader.ReadCount(Element.MinimumBytes);
        if (count < 0)
            return default!;
        var comparer = ReadComparer(ref reader);
        var items = count == 0 ? [] : GC.AllocateUninitializedArray<T>(count);
        Element.ReadItems(ref reader, items);
        return Make(items, comparer);
    }

    /// <summary>Whether it is written as null.</summary>
    protected virtual bool IsNull(TSequence sequence) => sequence is null;

    /// <summary>The elements, in place or copied.</summary>
    protected abstract ReadOnlySpan<T> ItemsOf(TSequence sequence);

    /// <summary>The collection of these elements; the array is its own to keep.</summary>
    protected abstract TSequence Make(T[] items, int comparer);

    protected virtual void WriteComparer(BlockWriter writer, TSequence sequence) { }

    protected virtual int ReadComparer(ref BlockReader reader) => 0;
}

// Arrays and lists are what elements hold most, and often short: they skip the steps between.
internal sealed class ArrayCodec<T>(TypeShape shape, CodecRef<T> element) : ShapedCodec<T[]?>(shape)
{
    internal override void WriteItem(BlockWriter writer, T[]? item)
    {
        if (item is null)
        {
            writer.WriteCount(-1);
            return;
        }
        writer.WriteCount(item.Length);
        element.Codec.WriteItems(writer, item);
    }

    internal override T[]? ReadItem(ref BlockReader reader)
    {
        var codec = element.Codec;
        var count = reader.ReadCount(codec.MinimumBytes);
        if (count <= 0)
            return count < 0 ? null : [];
        var items = GC.AllocateUninitializedArray<T>(count);
        codec.ReadItems(ref reader, items);
        return items;
    }
}

internal sealed class ListCodec<T>(TypeShape shape, CodecRef<T> element) : ShapedCodec<List<T>?>(shape)
{
    internal override void WriteItem(BlockWriter writer, List<T>? item)
    {
        if (item is null)
        {
            writer.WriteCount(-1);
            return;
        }
        Containers.RefuseDerived(item);
        writer.WriteCount(item.Count);
        element.Codec.WriteItems(writer, CollectionsMarshal.AsSpan(item));
    }

    internal override List<T>? ReadItem(ref BlockReader reader)
    {
        var codec = element.Codec;
        var count = reader.ReadCount(codec.MinimumBytes);
        if (count < 0)
            return null;
        var list = new List<T>(count);
        CollectionsMarshal.SetCount(list, count);
        codec.ReadItems(ref reader, CollectionsMarshal.AsSpan(list));
        return list;
    }
}

internal sealed class QueueCodec<T>(TypeShape shape, CodecRef<T> element) : SequenceCodec<Queue<T>?, T>(shape, element)
{
    protected override ReadOnlySpan<T> ItemsOf(Queue<T>? sequence) => sequence!.ToArray();

    protected override Queue<T> Make(T[] items, int comparer) => new(items);
}

/// <summary>From the bottom up, so that pushing gives the same stack.</summary>
internal sealed class StackCodec<T>(TypeShape shape, CodecRef<T> element) : SequenceCodec<Stack<T>?, T>(shape, element)
{
    protected override ReadOnlySpan<T> ItemsOf(Stack<T>? sequence)
    {
        var items = sequence!.ToArray();
        Array.Reverse(items);
        return items;
    }

    protected override Stack<T> Make(T[] items, int comparer) => new(items);
}

internal sealed class MemoryCodec<T>(TypeShape shape, CodecRef<T> element) : SequenceCodec<Memory<T>, T>(shape, element)
{
    protected override bool IsNull(Memory<T> sequence) => false;

    protected override ReadOnlySpan<T> ItemsOf(Memory<T> sequence) => sequence.Span;

    protected override Memory<T> Make(T[] items, int comparer) => items;
}

internal sealed class ReadOnlyMemoryCodec<T>(TypeShape shape, CodecRef<T> element) : SequenceCodec<ReadOnlyMemory<T>, T>(shape, element)
{
    protected override bool IsNull(ReadOnlyMemory<T> sequence) => false;

    protected override ReadOnlySpan<T> ItemsOf(ReadOnlyMemory<T> sequence) => sequence.Span;

    protected override ReadOnlyMemory<T> Make(T[] items, int comparer) => items;
}

/// <summary>The default one, without an array, is kept apart from an empty one.</summary>
internal sealed class ImmutableArrayCodec<T>(TypeShape shape, CodecRef<T> element) : SequenceCodec<ImmutableArray<T>, T>(shape, element)
{
    protected override bool IsNull(ImmutableArray<T> sequence) => sequence.IsDefault;

    protected override ReadOnlySpan<T> ItemsOf(ImmutableArray<T> sequence) => sequence.AsSpan();

    protected override ImmutableArray<T> Make(T[] items, int comparer) => ImmutableCollectionsMarshal.AsImmutableArray(items);
}

internal sealed class ImmutableListCodec<T>(TypeShape shape, CodecRef<T> element) : SequenceCodec<ImmutableList<T>?, T>(shape, element)
{
    protected override ReadOnlySpan<T> ItemsOf(ImmutableList<T>? sequence) => sequence!.ToArray();

    protected override ImmutableList<T> Make(T[] items, int comparer) => [.. items];
}

internal sealed class HashSetCodec<T>(TypeShape shape, CodecRef<T> element) : SequenceCodec<HashSet<T>?, T>(shape, element)
{
    protected override ReadOnlySpan<T> ItemsOf(HashSet<T>? sequence) => sequence!.ToArray();

    protected override HashSet<T> Make(T[] items, int comparer) => new(items, Comparers.Equality<T>(comparer));

    protected override void WriteComparer(BlockWriter writer, HashSet<T>? sequence) => Comparers.Write<T>(writer, sequence!.Comparer, Shape.Type);

    protected override int ReadComparer(ref BlockReader reader) => Comparers.Read<T>(ref reader);
}

internal sealed class SortedSetCodec<T>(TypeShape shape, CodecRef<T> element) : SequenceCodec<SortedSet<T>?, T>(shape, element)
{
    protected override ReadOnlySpan<T> ItemsOf(SortedSet<T>? sequence)
    {
        var items = new T[sequence!.Count];
        sequence.CopyTo(items);
        return items;
    }

    protected override SortedSet<T> Make(T[] items, int comparer) => new(items, Comparers.Order<T>(comparer));

    protected override void WriteComparer(BlockWriter writer, SortedSet<T>? sequence) => Comparers.Write<T>(writer, sequence!.Comparer, Shape.Type);

    protected override int ReadComparer(ref BlockReader reader) => Comparers.Read<T>(ref reader);
}

internal sealed class ImmutableHashSetCodec<T>(TypeShape shape, CodecRef<T> element) : SequenceCodec<ImmutableHashSet<T>?, T>(shape, element)
{
    protected override ReadOnlySpan<T> ItemsOf(ImmutableHashSet<T>? sequence) => sequence!.ToArray();

    protected override ImmutableHashSet<T> Make(T[] items, int comparer) => ImmutableHashSet.Create(Comparers.Equality<T>(comparer), items);

    protected override void WriteComparer(BlockWriter writer, ImmutableHashSet<T>? sequence) =>
        Comparers.Write<T>(writer, sequence!.KeyComparer, Shape.Type);

    protected override int ReadComparer(ref BlockReader reader) => Comparers.Read<T>(ref reader);
}
