using System.Collections.Immutable;
using Dataflow.Serialization;

namespace Dataflow.Codecs;

/// <summary>A collection we know by content.</summary>
/// <param name="Codec">The type of its codec, closed over its element types or still open, as the collection is.</param>
/// <param name="Paths">How a path goes on from it to each of its element types.</param>
internal sealed record Container(Type Codec, string[] Paths);

/// <summary>The collections we know by content: which codec each has, and which of them an interface may hold.</summary>
internal static class Containers
{
    private static readonly Container Optional = new(typeof(NullableCodec<>), [""]);

    /// <summary>The container that a type is, its codec closed over its element types; null if it is none we know.</summary>
    public static Container? Find(Type type)
    {
        if (!type.IsGenericType || type.Namespace is not { } space || !space.StartsWith("System", StringComparison.Ordinal))
            return null;
        var definition = type.GetGenericTypeDefinition();
        var known = definition == typeof(Nullable<>) ? Optional
            : type.Name.StartsWith("ValueTuple`", StringComparison.Ordinal) ? null
            : Table.Known.GetValueOrDefault(definition);
        return known is null ? null : known with { Codec = known.Codec.MakeGenericType(type.GetGenericArguments()) };
    }

    /// <summary>The codec type of an array.</summary>
    public static Type CodecOfArray(Type array) => array.IsSZArray
        ? typeof(ArrayCodec<>).MakeGenericType(array.GetElementType()!)
        : typeof(GridCodec<,>).MakeGenericType(array, array.GetElementType()!);

    /// <summary>Whether the collection sorts by its first element type.</summary>
    public static bool NeedsOrder(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() is var definition
        && (definition == typeof(SortedSet<>) || definition == typeof(SortedDictionary<,>));

    /// <summary>Whether the collection enumerates by hash code; the others keep the order in which they were filled, or sort.</summary>
    public static bool OrdersByHashCode(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() is var definition
        && (definition == typeof(ImmutableHashSet<>) || definition == typeof(ImmutableDictionary<,>));

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
            foreach (var definition in Table.Known.Keys)
                if (definition.GetGenericArguments().Length == 1) all.Add(definition.MakeGenericType(arguments));
            if (arguments[0].IsGenericType && arguments[0].GetGenericTypeDefinition() == typeof(KeyValuePair<,>))
                arguments = arguments[0].GetGenericArguments();
        }
        if (arguments.Length == 2)
            foreach (var definition in Table.Known.Keys)
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

    // Apart, so that a program whose elements are numbers and tuples loads none of the assemblies named here.
    private static class Table
    {
        private static readonly string[] Items = ["[]"], Pairs = [".Keys[]", ".Values[]"];

        public static readonly Dictionary<Type, Container> Known = new()
        {
            [typeof(List<>)] = new(typeof(ListCodec<>), Items),
            [typeof(Queue<>)] = new(typeof(QueueCodec<>), Items),
            [typeof(Stack<>)] = new(typeof(StackCodec<>), Items),
            [typeof(HashSet<>)] = new(typeof(HashSetCodec<>), Items),
            [typeof(SortedSet<>)] = new(typeof(SortedSetCodec<>), Items),
            [typeof(Memory<>)] = new(typeof(MemoryCodec<>), Items),
            [typeof(ReadOnlyMemory<>)] = new(typeof(ReadOnlyMemoryCodec<>), Items),
            [typeof(ImmutableArray<>)] = new(typeof(ImmutableArrayCodec<>), Items),
            [typeof(ImmutableList<>)] = new(typeof(ImmutableListCodec<>), Items),
            [typeof(ImmutableHashSet<>)] = new(typeof(ImmutableHashSetCodec<>), Items),
            [typeof(Dictionary<,>)] = new(typeof(DictionaryCodec<,>), Pairs),
            [typeof(SortedDictionary<,>)] = new(typeof(SortedDictionaryCodec<,>), Pairs),
            [typeof(ImmutableDictionary<,>)] = new(typeof(ImmutableDictionaryCodec<,>), Pairs),
        };
    }
}
