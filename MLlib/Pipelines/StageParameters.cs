using System.Collections;
using System.Collections.Concurrent;
using System.Reflection;

namespace Dataflow.MLlib;

/// <summary>The parameters of stages: public init-only properties of plain types, in the order they are declared, those of base types first.</summary>
internal static class StageParameters
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<PropertyInfo>> Known = new();
    private static readonly ConcurrentDictionary<Type, object?> Defaults = new();

    public static IReadOnlyList<PropertyInfo> Of(Type stage) => Known.GetOrAdd(stage, static type =>
    {
        var depth = new Dictionary<Type, int>();
        for (var (at, level) = (type, 0); at is not null; at = at.BaseType, level--) depth[at] = level;
        return [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.SetMethod is { IsPublic: true } && IsPlain(property.PropertyType))
            .OrderBy(property => depth[property.DeclaringType!]).ThenBy(property => property.MetadataToken)];
    });

    /// <summary>A stage with all defaults; null if it can't be made without data.</summary>
    public static object? DefaultsOf(Type stage) => Defaults.GetOrAdd(stage, static type =>
        type.GetConstructor(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance, []) is { } make ? make.Invoke([]) : null);

    /// <summary>Whether two values of a parameter are the same; lists by their elements.</summary>
    public static bool AreEqual(object? left, object? right) => left is IEnumerable first and not string && right is IEnumerable second
        ? first.Cast<object?>().SequenceEqual(second.Cast<object?>())
        : Equals(left, right);

    /// <summary>Whether values of a type can be written as JSON and read back.</summary>
    public static bool IsPlain(Type type)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        if (plain.IsPrimitive || plain.IsEnum || plain == typeof(string) || plain == typeof(decimal)) return true;
        return ElementOf(plain) is { } element && IsPlain(element);
    }

    /// <summary>What a list is a list of; null for other types.</summary>
    public static Type? ElementOf(Type type)
    {
        if (type.IsArray && type.GetArrayRank() == 1) return type.GetElementType();
        return type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueList<>) ? type.GetGenericArguments()[0] : null;
    }
}
