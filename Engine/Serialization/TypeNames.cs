using System.Text;

namespace Dataflow.Serialization;

/// <summary>How types are called in schemas, in type tables and in errors: as in C#, without assemblies and versions.</summary>
internal static class TypeNames
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(bool)] = "bool", [typeof(byte)] = "byte", [typeof(sbyte)] = "sbyte", [typeof(char)] = "char", [typeof(decimal)] = "decimal",
        [typeof(double)] = "double", [typeof(float)] = "float", [typeof(int)] = "int", [typeof(uint)] = "uint", [typeof(long)] = "long",
        [typeof(ulong)] = "ulong", [typeof(short)] = "short", [typeof(ushort)] = "ushort", [typeof(string)] = "string",
        [typeof(object)] = "object", [typeof(nint)] = "nint", [typeof(nuint)] = "nuint",
    };

    /// <summary>The name with namespaces, the same in every process that runs the same code.</summary>
    public static string Of(Type type) => Name(type, withNamespace: true);

    /// <summary>The name as a person would say it: <c>Dictionary&lt;string, int&gt;</c>.</summary>
    public static string Short(Type type) => Name(type, withNamespace: false);

    private static string Name(Type type, bool withNamespace)
    {
        if (Keywords.TryGetValue(type, out var keyword))
            return keyword;
        if (type.IsArray)
            return Name(type.GetElementType()!, withNamespace) + (type.IsSZArray ? "[]" : $"[{new string(',', type.GetArrayRank() - 1)}]");
        if (type.IsPointer)
            return Name(type.GetElementType()!, withNamespace) + "*";
        if (Nullable.GetUnderlyingType(type) is { } inner)
            return Name(inner, withNamespace) + "?";
        if (type.IsGenericParameter)
            return type.Name;

        var arguments = type.GetGenericArguments();
        if (type.IsGenericType && type.FullName?.StartsWith("System.ValueTuple`", StringComparison.Ordinal) == true)
            return $"({string.Join(", ", arguments.Select(argument => Name(argument, withNamespace)))})";

        // The arguments of an outer generic type stand with the innermost name; that is enough to tell types apart.
        var name = new StringBuilder();
        if (withNamespace && type.Namespace is { Length: > 0 } space)
            name.Append(space).Append('.');
        if (withNamespace || arguments.Length == 0)
            foreach (var outer in Outer(type))
                name.Append(Plain(outer)).Append('.');
        name.Append(Plain(type));
        if (arguments.Length > 0)
            name.Append('<').AppendJoin(", ", arguments.Select(argument => Name(argument, withNamespace))).Append('>');
        return name.ToString();

        IEnumerable<Type> Outer(Type of) =>
            withNamespace && of.DeclaringType is { } declaring ? Outer(declaring).Append(declaring) : [];
    }

    private static string Plain(Type type)
    {
        // Two anonymous types of one assembly differ in their number, which stands before the tick.
        var tick = type.Name.IndexOf('`');
        return tick < 0 ? type.Name : type.Name[..tick];
    }
}
