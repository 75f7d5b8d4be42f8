using System.Reflection;
using System.Text;

namespace Dataflow.Serialization;

/// <summary>How types and fields are called in schemas, in type tables and in errors: as in C#, without assemblies and versions.</summary>
internal static class TypeNames
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(bool)] = "bool", [typeof(byte)] = "byte", [typeof(sbyte)] = "sbyte", [typeof(char)] = "char", [typeof(decimal)] = "decimal",
        [typeof(double)] = "double", [typeof(float)] = "float", [typeof(int)] = "int", [typeof(uint)] = "uint", [typeof(long)] = "long",
        [typeof(ulong)] = "ulong", [typeof(short)] = "short", [typeof(ushort)] = "ushort", [typeof(string)] = "string",
        [typeof(object)] = "object", [typeof(nint)] = "nint", [typeof(nuint)] = "nuint", [typeof(void)] = "void",
    };

    /// <summary>The name with namespaces, the same in every process that runs the same code.</summary>
    public static string Of(Type type) => Name(type, full: true);

    /// <summary>The name as a person would say it: <c>Dictionary&lt;string, int&gt;</c>.</summary>
    public static string Short(Type type) => Name(type, full: false);

    /// <summary>The full name of a generic type without its arguments.</summary>
    public static string WithoutArguments(Type type) => Own(type, full: true);

    /// <summary>A field as its author named it: the property behind a compiler-made field, the parameter behind a captured one.</summary>
    public static string Of(FieldInfo field)
    {
        // <Url>k__BackingField, <A>i__Field of anonymous types, <url>P of primary constructors.
        var name = field.Name;
        return name.StartsWith('<') && name.IndexOf('>') is > 1 and var end ? name[1..end] : name;
    }

    /// <summary>All instance fields, those of base classes first, each class's in the order of declaration.</summary>
    public static List<FieldInfo> FieldsOf(Type type)
    {
        var fields = new List<FieldInfo>();
        for (var declaring = type; declaring is not null; declaring = declaring.BaseType)
            fields.InsertRange(0, declaring
                .GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
                .OrderBy(field => field.MetadataToken));
        return fields;
    }

    private static string Name(Type type, bool full)
    {
        if (Keywords.TryGetValue(type, out var keyword))
            return keyword;
        if (type.IsArray)
            return Name(type.GetElementType()!, full) + (type.IsSZArray ? "[]" : $"[{new string(',', type.GetArrayRank() - 1)}]");
        if (type.IsPointer)
            return Name(type.GetElementType()!, full) + "*";
        if (type.IsGenericParameter || type.IsByRef || type.IsFunctionPointer)
            return type.Name;
        if (Nullable.GetUnderlyingType(type) is { } inner)
            return Name(inner, full) + "?";

        var arguments = type.GetGenericArguments().Select(argument => Name(argument, full)).ToArray();
        if (type.IsValueType && type.Name.StartsWith("ValueTuple`", StringComparison.Ordinal) && type.Namespace == "System")
            return $"({string.Join(", ", arguments)})";
        return arguments.Length == 0 ? Own(type, full) : $"{Own(type, full)}<{string.Join(", ", arguments)}>";
    }

    // Outer types stand before a full name; the arguments of generic ones stand with the innermost, as reflection has them.
    private static string Own(Type type, bool full)
    {
        var name = new StringBuilder(Plain(type));
        if (!full)
            return name.ToString();
        for (var outer = type.DeclaringType; outer is not null; outer = outer.DeclaringType)
            name.Insert(0, '.').Insert(0, Plain(outer));
        if (type.Namespace is { Length: > 0 } space)
            name.Insert(0, '.').Insert(0, space);
        return name.ToString();
    }

    // Without the tick and the number of arguments. Anonymous types of one assembly differ in a number before the tick.
    private static string Plain(Type type) => type.Name.IndexOf('`') is > 0 and var tick ? type.Name[..tick] : type.Name;
}
