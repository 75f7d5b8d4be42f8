using System.Collections.Concurrent;
using System.Reflection;
using Dataflow.Codecs;
using Dataflow.Diagnostics;
using Dataflow.Errors;

namespace Dataflow.Serialization;

/// <summary>
/// The types that open members (interfaces, abstract and unsealed classes, object) may hold when elements of one root type are written or
/// read. A name in the data is only ever looked up here; it never reaches the runtime's own look-up of types.
/// </summary>
/// <remarks>
/// Known are: all types the root type is made of; registered ones; the declared type's own derived types in its own assembly; for
/// interfaces of .NET the collections and single values that implement them.
/// </remarks>
internal sealed class TypeScope(CodecSet set, TypeShape root)
{
    private static readonly ConcurrentDictionary<Assembly, Type[]> TypesOfAssembly = new();

    private readonly HashSet<Type> _graph = [.. root.Reachable().Select(shape => shape.Type)];
    private readonly ConcurrentDictionary<Type, Candidates> _candidates = new();

    /// <summary>Whether the root type is made of this one too, so that its scope need not be entered.</summary>
    public bool Covers(Type type) => _graph.Contains(type);

    /// <summary>Whether any value other than null can stand in a member of this type.</summary>
    public bool Knows(Type declared) => declared == typeof(object) || Of(declared).Types.Count > 0;

    /// <summary>
    /// The codec for a value of type <paramref name="actual"/> in a member of type <paramref name="declared"/>; null if not known.
    /// </summary>
    public SubtypeCodec? Find(Type declared, Type actual) => Of(declared).Types.Contains(actual) ? set.Subtype(actual) : null;

    /// <summary>The codec for the type of that name and format; null if not known.</summary>
    public SubtypeCodec? Find(Type declared, string name, ulong hash)
    {
        // Two assemblies may have types of the same name: the format decides, as it must fit anyway.
        foreach (var type in Of(declared).ByName[name])
            if (set.Subtype(type) is var subtype && subtype.Codec.SchemaHash == hash) return subtype;
        return null;
    }

    private Candidates Of(Type declared)
    {
        var registered = set.RegisteredSubtypes;
        if (_candidates.TryGetValue(declared, out var known) && known.Registered == registered)
            return known;

        var all = _graph.Concat(registered).Concat(Containers.LikelyFor(declared))
            .Concat(CodeOrigin.IsPlatform(declared.Assembly) ? Scalars.AllTypes : Derived(declared))
            .Where(type => !type.IsAbstract && Nullable.GetUnderlyingType(type) is null && declared.IsAssignableFrom(type))
            .ToHashSet();
        return _candidates[declared] = new Candidates(registered, all, all.ToLookup(TypeNames.Of));
    }

    // A hierarchy kept in one assembly needs no registration. Generic classes are closed over the declared type's own arguments.
    private static IEnumerable<Type> Derived(Type declared)
    {
        foreach (var type in TypesOfAssembly.GetOrAdd(declared.Assembly, Loadable))
        {
            if (!type.IsGenericTypeDefinition)
                yield return type;
            else if (declared.IsGenericType && Close(type, declared.GetGenericArguments()) is { } closed)
                yield return closed;
        }
    }

    private static Type? Close(Type definition, Type[] arguments)
    {
        if (definition.GetGenericArguments().Length != arguments.Length)
            return null;
        try
        {
            return definition.MakeGenericType(arguments);
        }
        catch (ArgumentException)
        {
            // The arguments break a constraint, so no value of that type exists.
            return null;
        }
    }

    private static Type[] Loadable(Assembly assembly)
    {
        try
        {
            return assembly.GetTypes();
        }
        catch (ReflectionTypeLoadException partly)
        {
            // Types whose own dependencies are missing can't have values here.
            return [.. partly.Types.OfType<Type>()];
        }
    }

    private sealed record Candidates(Type[] Registered, HashSet<Type> Types, ILookup<string, Type> ByName);
}

/// <summary>A type that stood in for a declared one, and its codec.</summary>
/// <param name="Type">The value's own type.</param>
/// <param name="Codec">The codec of exactly that type.</param>
/// <param name="CountsDepth">Whether the codec itself counts how deep values nest.</param>
internal sealed record SubtypeCodec(Type Type, IBoxedCodec Codec, bool CountsDepth);
