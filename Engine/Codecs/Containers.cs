using System.Collections.Immutable;
using Dataflow.Serialization;

namespace Dataflow.Codecs;

/// <summary>The collections we know by content: which codec each has, and which of them an interface may hold.</summary>
internal static class Containers
{
    private static readonly string[] Items = ["[]"], Pairs = [".Keys[]", ".Values[]"];

    private static readonly Dictionary<Type, (Type Codec, string[] Paths)> Known = new()
    {
        [typeof(Nullable<>)] = (typeof(NullableCodec<>), [""]),
        [typeof(List<>)] = (typeof(ListCodec<>), Items),
        [typeof(Queue<>)] = (typeof(QueueCodec<>), Items),
        [typeof(Stack<>)] = (typeof(StackCodec<>), Items),
        [typeof(HashSet<>)] = (typeof(HashSetCodec<>), Items),
        [typeof(SortedSet<>)] = (typeof(SortedSetCodec<>), Items),
        [typeof(Memory<>)] = (typeof(MemoryCodec<>), Items),
        [typeof(ReadOnlyMemory<>)] = (typeof(ReadOnlyMemoryCodec<>), Items),
        [typeof(ImmutableArray<>)] = (typeof(ImmutableArrayCodec<>), Items),
        [typeof(ImmutableList<>)] = (typeof(ImmutableListCodec<>), Items),
        [typeof(ImmutableHashSet<>)] = (typeof(ImmutableHashSetCodec<>), Items),
        [typeof(Dictionary<,>)] = (typeof(DictionaryCodec<,>), Pairs),
        [typeof(SortedDictionary<,>)] = (typeof(SortedDictionaryCodec<,>), Pairs),
        [typeof(ImmutableDictionary<,>)] = (typeof(ImmutableDictionaryCodec<,>), Pairs),
    };

    /// <summary>The codec type of a collection, closed over its element types, and the path to each of them; null if it is none we know.</summary>
    public static (Type Codec, string[] Paths)? Find(Type type) =>
        type.IsGenericType && Known.TryGetValue(type.GetGenericTypeDefinition(), out var known)
            ? (known.Codec.MakeGenericType(type.GetGenericArguments()), known.Paths)
            : null;

    /// <summary>The codec type of an array.</summary>
    public static Type CodecOfArray(Type array) => array.IsSZArray
        ? typeof(ArrayCodec<>).MakeGenericType(array.GetElementType()!)
        : typeof(GridCodec<,>).MakeGenericType(array, array.GetElementType()!);

    /// <summary>Whether the collection sorts by its first element type.</summary>
    public static bool NeedsOrder(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() is var definition
        && (definition == typeof(SortedSet<>) || definition == typeof(SortedDictionary<,>));

    /// <summary>The collections that a member of this interface type may hold, the likeliest first; none for other types.</summary>
    public static IEnumerable<Type> LikelyFor(Type declared)
    {
        if (!declared.IsInterface || !declared.IsGenericType || declared.Namespace?.StartsWith("System.Collections", StringComparison.Ordinal) != true)
            return [];

        var arguments = declared.GetGenericArguments();
        var all = new List<Type>();
        if (arguments.Length == 1)
        {
            all.Add(arguments[0].MakeArrayType());
            foreach (var definition in Known.Keys)
                if (definition.GetGenericArguments().Length == 1 && definition != typeof(Nullable<>)) all.Add(definition.MakeGenericType(arguments));
            if (arguments[0].IsGenericType && arguments[0].GetGenericTypeDefinition() == typeof(KeyValuePair<,>))
                arguments = arguments[0].GetGenericArguments();
        }
        if (arguments.Length == 2)
            foreach (var definition in Known.Keys)
                if (definition.GetGenericArguments().Length == 2) all.Add(definition.MakeGenericType(arguments));
        return all.Where(declared.IsAssignableFrom);
    }

    /// <summary>Refuses a collection of a class derived from the declared one, whose own fields would be lost.</summary>
    public static void RefuseDerived<T>(T collection)
    {
        if (collection!.GetType() != typeof(T))
            throw new CodecException(
                $"{TypeNames.Short(collection.GetType())} can't be encoded where {TypeNames.Short(typeof(T))} is declared: it derives from it, and what it "
                + $"adds would be lost; next: copy its elements into a {TypeNames.Short(typeof(T))}.");
    }
}
