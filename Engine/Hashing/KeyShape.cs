using System.Collections;
using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using Dataflow.Closures;
using Dataflow.Serialization;

namespace Dataflow.Hashing;

/// <summary>How the keys of a type are hashed.</summary>
internal enum KeyKind
{
    /// <summary>By <see cref="BuiltInHashes"/>.</summary>
    BuiltIn,

    /// <summary>By its underlying number.</summary>
    Enum,

    /// <summary>By its value, if it has one.</summary>
    Optional,

    /// <summary>By a function that the user registered.</summary>
    Registered,

    /// <summary>Member by member: tuples, anonymous types, records, and structs without an Equals of their own.</summary>
    Members,

    /// <summary>Not at all.</summary>
    Refused,
}

/// <summary>What makes two values of a type equal, found out once per type from its members and from who wrote its Equals.</summary>
/// <param name="Type">The type.</param>
/// <param name="Kind">How it is hashed.</param>
/// <param name="Members">The fields that its equality compares, base classes first; for optional types none.</param>
/// <param name="IsRecordClass">Whether values may be of derived types, and compare their run-time type.</param>
/// <param name="IsPlainStruct">Whether .NET compares it by reflection, which <see cref="KeyEquality{TKey}"/> replaces.</param>
/// <param name="Refusal">What is wrong and what to do, to follow the name of the type.</param>
internal sealed record KeyShape(
    Type Type, KeyKind Kind, FieldInfo[] Members, bool IsRecordClass = false, bool IsPlainStruct = false, string? Refusal = null)
{
    private static readonly ConcurrentDictionary<Type, KeyShape> Known = new();

    /// <summary>The shape of a type. Refusals are looked at anew, since a hash may have been registered in between.</summary>
    public static KeyShape Of(Type type)
    {
        if (Known.TryGetValue(type, out var known))
            return known;
        var shape = Look(type);
        return shape.Kind == KeyKind.Refused ? shape : Known.GetOrAdd(type, shape);
    }

    /// <summary>Whether hashes of this type were or may have been given out.</summary>
    public static bool IsInUse(Type type) => Known.ContainsKey(type);

    /// <summary>The first part that can't be hashed, with its path from this type (empty for the type itself); null if all can.</summary>
    public (string Path, KeyShape Shape)? FirstRefusal() => FirstRefusal("", []);

    private (string Path, KeyShape Shape)? FirstRefusal(string path, HashSet<Type> seen)
    {
        if (Kind == KeyKind.Refused)
            return (path, this);
        if (!seen.Add(Type))
            return null;
        if (Kind == KeyKind.Optional)
            return Of(Nullable.GetUnderlyingType(Type)!).FirstRefusal(path, seen);
        foreach (var member in Members)
            if (Of(member.FieldType).FirstRefusal(path.Length == 0 ? NameOf(member) : $"{path}.{NameOf(member)}", seen) is { } refusal)
                return refusal;
        return null;
    }

    private static string NameOf(FieldInfo field) =>
        field.Name.StartsWith("m_", StringComparison.Ordinal) ? field.Name[2..] : CompilerNames.Variable(field);

    private static KeyShape Look(Type type)
    {
        if (BuiltInHashes.Knows(type))
            return new KeyShape(type, KeyKind.BuiltIn, []);
        if (StableHash.IsRegistered(type))
            return new KeyShape(type, KeyKind.Registered, []);
        if (type.IsEnum)
            return new KeyShape(type, KeyKind.Enum, []);
        if (Nullable.GetUnderlyingType(type) is not null)
            return new KeyShape(type, KeyKind.Optional, []);
        if (IsTuple(type) || IsAnonymous(type))
            return new KeyShape(type, KeyKind.Members, FieldsOf(type), IsPlainStruct: IsKeyValuePair(type));
        if (HasCompilerMadeEquality(type))
            return new KeyShape(type, KeyKind.Members, FieldsOf(type), IsRecordClass: !type.IsValueType);
        if (type.IsValueType && !HasOwnEquals(type) && !type.IsDefined(typeof(InlineArrayAttribute)))
            return new KeyShape(type, KeyKind.Members, FieldsOf(type), IsPlainStruct: true);

        // A key type registers its hash in its static constructor, which may not have run yet.
        if (!type.IsPointer && !type.IsFunctionPointer)
            RuntimeHelpers.RunClassConstructor(type.TypeHandle);
        return StableHash.IsRegistered(type)
            ? new KeyShape(type, KeyKind.Registered, [])
            : new KeyShape(type, KeyKind.Refused, [], Refusal: WhyRefused(type));
    }

    private static bool IsTuple(Type type) =>
        type.IsGenericType && (type.IsAssignableTo(typeof(ITuple)) || IsKeyValuePair(type)) && type.Assembly == typeof(object).Assembly;

    private static bool IsKeyValuePair(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(KeyValuePair<,>);

    // F# gives its anonymous records such names too, but compares arrays inside them by content.
    private static bool IsAnonymous(Type type) =>
        type.Name.StartsWith("<>f__AnonymousType", StringComparison.Ordinal) && !type.IsAssignableTo(typeof(IStructuralEquatable));

    private static bool HasCompilerMadeEquality(Type type)
    {
        if (type == typeof(object))
            return false;
        for (var level = type; level is not null && level != typeof(object) && level != typeof(ValueType); level = level.BaseType)
        {
            var equals = level.GetMethod(nameof(Equals), Own, [level]);
            if (equals is null || !equals.IsDefined(typeof(CompilerGeneratedAttribute)) || level.IsAssignableTo(typeof(IStructuralEquatable)))
                return false;
            if (level.IsValueType)
                continue;

            // A user who writes the EqualityContract decides which derived types are equal.
            if (level.GetMethod("<Clone>$", Own) is null
                || level.GetProperty("EqualityContract", Own)?.GetMethod?.IsDefined(typeof(CompilerGeneratedAttribute)) != true)
                return false;
        }
        return true;
    }

    private static bool HasOwnEquals(Type type) =>
        type.IsAssignableTo(typeof(IEquatable<>).MakeGenericType(type))
        || type.GetMethod(nameof(Equals), [typeof(object)])!.DeclaringType is var declaring && declaring != typeof(object) && declaring != typeof(ValueType);

    private static FieldInfo[] FieldsOf(Type type)
    {
        var inherited = type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType) ? FieldsOf(parent) : [];

        // In order of declaration, which reflection does not promise by itself.
        return [.. inherited, .. type.GetFields(Own).OrderBy(field => field.MetadataToken)];
    }

    private const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static string WhyRefused(Type type)
    {
        var name = TypeNames.Short(type);
        if (type == typeof(byte[]))
            return "is an array, and arrays are equal only to themselves. Use Convert.ToHexString(bytes), or a tuple of numbers when the length is fixed";
        if (type.IsArray || type.IsDefined(typeof(InlineArrayAttribute)))
            return "is an array, and arrays are equal only to themselves. Use a string (string.Join), or a tuple when the length is fixed";
        if (type.IsPointer || type.IsFunctionPointer)
            return "is a pointer, which means nothing in another process";
        if (type.IsAssignableTo(typeof(Delegate)))
            return "is a delegate, and functions can't be compared across processes. Use a name or a number for what it does";
        if (type.IsAssignableTo(typeof(IEnumerable)))
            return "is a collection, and collections are equal only to themselves. Use a string (string.Join), or a tuple when the length is fixed";
        if (type.IsInterface || type == typeof(object))
            return "may hold values of any type, each with an equality of its own. Declare the concrete type";
        if (HasOwnEquals(type))
            return "has an Equals of its own, so which of its parts make two values equal is not known, and its GetHashCode may differ between "
                + $"processes. Register a hash that is the same everywhere, in its static constructor: StableHash.Register<{name}>(key => ...), "
                + "or use a tuple of the parts that matter";
        return "is a class without Equals, so each object is equal only to itself, and after a shuffle every object is a new one. "
            + "Make it a record, or use what identifies it";
    }
}
