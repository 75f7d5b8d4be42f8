using System.Runtime.CompilerServices;
using Dataflow.Closures;
using Dataflow.Serialization;

namespace Dataflow.Surrogates;

/// <summary>The elements of arrays and collections: plain data by the codec of its type, all else value by value.</summary>
internal static class Elements<T>
{
    /// <summary>Whether elements are numbers, texts, or structs of such: a codec keeps all there is to know of them.</summary>
    public static readonly bool ArePlain = PlainData.Is(typeof(T));

    public static void Write(GraphWriter writer, ReadOnlySpan<T> items)
    {
        writer.Output.WriteVarUInt((uint)items.Length);
        if (ArePlain)
        {
            Codec<T>.Default.Write(writer.Output, items);
            return;
        }
        for (var i = 0; i < items.Length; i++) writer.WriteElement(typeof(T), items[i], i, canBePatched: false);
    }

    public static T[] Read(GraphReader graph, ref BlockReader reader)
    {
        var items = new T[reader.ReadVarUInt()];
        if (ArePlain)
        {
            Codec<T>.Default.Read(ref reader, items);
            return items;
        }
        for (var i = 0; i < items.Length; i++) items[i] = (T)graph.ReadValue(ref reader, typeof(T))!;
        return items;
    }
}

/// <summary>Tells data that has no identity and no code.</summary>
internal static class PlainData
{
    private static readonly ConditionalWeakTable<Type, StrongBox<bool>> Known = [];
    private static readonly HashSet<Type> Singles = [.. Codecs.Scalars.AllTypes.Where(static type => type.IsValueType)];

    public static bool Is(Type type) => Known.GetValue(type, static one => new StrongBox<bool>(Find(one))).Value;

    private static bool Find(Type type)
    {
        if (type == typeof(nint) || type == typeof(nuint) || type.IsPointer || type.IsFunctionPointer) return false;
        if (type == typeof(string) || type.IsPrimitive || type.IsEnum) return true;
        if (Singles.Contains(type)) return true;
        if (!type.IsValueType || type.IsByRefLike || !RuntimeCode.Brings(type.Assembly)) return false;
        if (Nullable.GetUnderlyingType(type) is { } inner) return Is(inner) && CodecRegistry.CanEncode(type, out _);
        if (!type.IsGenericType) return false;
        var isTuple = type.Name.StartsWith("ValueTuple`", StringComparison.Ordinal) || type.GetGenericTypeDefinition() == typeof(KeyValuePair<,>);
        return isTuple && Array.TrueForAll(type.GetGenericArguments(), Is) && CodecRegistry.CanEncode(type, out _);
    }
}
