namespace Dataflow.Errors;

/// <summary>Names types in messages as C# writes them: <c>Rdd&lt;int&gt;</c>, <c>(int, string)</c>, <c>double[]</c>; a lone primitive as <c>Int32</c>.</summary>
internal static class TypeName
{
    /// <summary>The type's name without its namespace.</summary>
    public static string Of(Type type) => type.IsPrimitive || type == typeof(string) ? type.Name : Inner(type);

    private static string Inner(Type type)
    {
        if (type.IsByRef || type.IsPointer)
            return Inner(type.GetElementType()!) + (type.IsPointer ? "*" : "");
        if (type.IsArray)
            return $"{Inner(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        if (Nullable.GetUnderlyingType(type) is { } value)
            return Inner(value) + "?";
        if (Keyword(type) is { } keyword)
            return keyword;
        if (type.Name.StartsWith("<>f__Anonymous", StringComparison.Ordinal))
            return "anonymous type";
        if (!type.IsGenericType)
            return type.Name;

        var arguments = string.Join(", ", type.GetGenericArguments().Select(Inner));
        if (type.Name.StartsWith("ValueTuple`", StringComparison.Ordinal))
            return $"({arguments})";
        var arity = type.Name.IndexOf('`');
        return arity < 0 ? type.Name : $"{type.Name[..arity]}<{arguments}>";
    }

    private static string? Keyword(Type type) => type.IsEnum ? null : Type.GetTypeCode(type) switch
    {
        TypeCode.Boolean => "bool",
        TypeCode.Byte => "byte",
        TypeCode.SByte => "sbyte",
        TypeCode.Char => "char",
        TypeCode.Int16 => "short",
        TypeCode.UInt16 => "ushort",
        TypeCode.Int32 => "int",
        TypeCode.UInt32 => "uint",
        TypeCode.Int64 => "long",
        TypeCode.UInt64 => "ulong",
        TypeCode.Single => "float",
        TypeCode.Double => "double",
        TypeCode.Decimal => "decimal",
        TypeCode.String => "string",
        _ => type == typeof(object) ? "object" : null,
    };
}
