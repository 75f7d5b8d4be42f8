using Dataflow.Closures;
using Dataflow.Serialization;

namespace Dataflow.Surrogates;

/// <summary>A collection that is made empty and then filled, so that its elements may refer to it.</summary>
internal sealed class GrowingForm<TCollection, T>(
    Func<TCollection, T[]> items, Func<object?, int, TCollection> make, Action<TCollection, T> add, Func<TCollection, object?>? comparer = null)
    : Form<TCollection>
    where TCollection : class
{
    public override bool IsThereEarly => true;

    protected override void WriteValue(GraphWriter writer, TCollection value)
    {
        if (comparer is not null) writer.WriteMember("Comparer", typeof(object), comparer(value));
        Elements<T>.Write(writer, items(value));
    }

    protected override TCollection ReadValue(GraphReader graph, ref BlockReader reader, int slot)
    {
        var compares = comparer is null ? null : graph.ReadValue(ref reader, typeof(object));
        var count = reader.ReadVarUInt();
        var collection = make(compares, (int)count);
        graph.Keep(slot, collection);
        if (Elements<T>.ArePlain)
        {
            var plain = new T[count];
            Codec<T>.Default.Read(ref reader, plain);
            foreach (var item in plain) add(collection, item);
            return collection;
        }
        for (; count > 0; count--) add(collection, (T)graph.ReadValue(ref reader, typeof(T))!);
        return collection;
    }
}

/// <summary>A collection that is made of all its elements at once.</summary>
internal sealed class WholeForm<TCollection, T>(
    Func<TCollection, T[]?> items, Func<T[]?, object?[], TCollection> make, Func<TCollection, object?[]>? comparers = null)
    : Form<TCollection>
    where TCollection : notnull
{
    public override Type NamedAs(Type type) => typeof(TCollection);

    protected override void WriteValue(GraphWriter writer, TCollection value)
    {
        var all = items(value);
        writer.Output.WriteByte(all is null ? (byte)0 : (byte)1);
        if (all is null) return;
        var compares = comparers?.Invoke(value) ?? [];
        writer.Output.WriteByte((byte)compares.Length);
        foreach (var one in compares) writer.WriteMember("Comparer", typeof(object), one);
        Elements<T>.Write(writer, all);
    }

    protected override TCollection ReadValue(GraphReader graph, ref BlockReader reader, int slot)
    {
        if (reader.ReadByte() == 0) return make(null, []);
        var compares = new object?[reader.ReadByte()];
        for (var i = 0; i < compares.Length; i++) compares[i] = graph.ReadValue(ref reader, typeof(object));
        return make(Elements<T>.Read(graph, ref reader), compares);
    }
}

/// <summary>A slice of an array: only what it shows travels. Elements that have a codec go by it, whatever they are: they are data.</summary>
internal sealed class SliceForm<TSlice, T>(Func<TSlice, ReadOnlyMemory<T>> items, Func<T[], TSlice> make) : Form<TSlice>
    where TSlice : struct
{
    private const byte OneByOne = 0, ByCodec = 1;

    protected override void WriteValue(GraphWriter writer, TSlice value)
    {
        var all = items(value).Span;
        if (!Elements<T>.ArePlain && CodecRegistry.CanEncode(typeof(T), out _))
        {
            using var block = new BlockWriter();
            try
            {
                Codec<T>.Default.Write(block, all);
                writer.Output.WriteByte(ByCodec);
                writer.Output.WriteVarUInt((uint)all.Length);
                writer.Output.WriteVarUInt((uint)block.Length);
                writer.Output.WriteBytes(block.Written);
                return;
            }
            catch (CodecException)
            {
                // An element that refers to itself, or of a class the codec has not heard of: value by value it can travel.
            }
        }
        writer.Output.WriteByte(OneByOne);
        Elements<T>.Write(writer, all);
    }

    protected override TSlice ReadValue(GraphReader graph, ref BlockReader reader, int slot)
    {
        if (reader.ReadByte() == OneByOne) return make(Elements<T>.Read(graph, ref reader));
        var all = new T[reader.ReadVarUInt()];
        var block = new BlockReader(reader.ReadBytes((int)reader.ReadVarUInt()));
        Codec<T>.Default.Read(ref block, all);
        return make(all);
    }
}

/// <summary>A lazy value: itself if it was made, else what makes it.</summary>
internal sealed class LazyForm<T> : Form<Lazy<T>>
{
    private static readonly System.Reflection.FieldInfo? Factory =
        typeof(Lazy<T>).GetField("_factory", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic);

    protected override void WriteValue(GraphWriter writer, Lazy<T> value)
    {
        writer.Output.WriteByte(value.IsValueCreated ? (byte)1 : (byte)0);
        if (value.IsValueCreated) writer.WriteMember("Value", typeof(T), value.Value);
        else writer.WriteMember("Factory", typeof(Func<T>), Factory?.GetValue(value));
    }

    protected override Lazy<T> ReadValue(GraphReader graph, ref BlockReader reader, int slot)
    {
        if (reader.ReadByte() == 1) return new Lazy<T>((T)graph.ReadValue(ref reader, typeof(T))!);
        return graph.ReadValue(ref reader, typeof(Func<T>)) is Func<T> make ? new Lazy<T>(make) : new Lazy<T>();
    }
}
