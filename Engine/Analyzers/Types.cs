using Microsoft.CodeAnalysis;

namespace Dataflow.Analyzers;

/// <summary>Questions about types.</summary>
internal static class Types
{
    /// <summary>Whether a type is another, extends it or implements it, whatever their type arguments.</summary>
    public static bool Is(this ITypeSymbol type, INamedTypeSymbol? other)
    {
        if (other is null) return false;
        if (type is ITypeParameterSymbol parameter) return parameter.ConstraintTypes.Any(constraint => constraint.Is(other));
        for (ITypeSymbol? at = type; at is not null; at = at.BaseType)
        {
            if (SymbolEqualityComparer.Default.Equals(at.OriginalDefinition, other)) return true;
        }
        return type.AllInterfaces.Any(face => SymbolEqualityComparer.Default.Equals(face.OriginalDefinition, other));
    }

    /// <summary>A primitive by the name .NET has for it, (Int32), which stands out as a type; all others as C# writes them, (Rdd&lt;int&gt;).</summary>
    public static string Named(this ITypeSymbol type) =>
        type.SpecialType is SpecialType.System_Boolean or SpecialType.System_Char or SpecialType.System_Single or SpecialType.System_Double
            or SpecialType.System_IntPtr or SpecialType.System_UIntPtr || type.IsInteger()
            ? type.Name
            : type.Short();

    /// <summary>As C# writes it, without the names of tuples' elements and the marks of nullable references: objects don't have them.</summary>
    public static string Short(this ITypeSymbol type) => type switch
    {
        IArrayTypeSymbol array => $"{array.ElementType.Short()}[{new string(',', array.Rank - 1)}]",
        INamedTypeSymbol { IsTupleType: true } tuple => $"({string.Join(", ", tuple.TupleElements.Select(element => element.Type.Short()))})",
        INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } maybe => $"{maybe.TypeArguments[0].Short()}?",
        INamedTypeSymbol { IsGenericType: true, IsAnonymousType: false } generic =>
            $"{generic.Name}<{string.Join(", ", generic.TypeArguments.Select(argument => argument.Short()))}>",
        _ => type.WithNullableAnnotation(NullableAnnotation.None).ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat),
    };

    /// <summary>Whether a counter counts such numbers.</summary>
    public static bool IsInteger(this ITypeSymbol type) => type.SpecialType
        is SpecialType.System_SByte or SpecialType.System_Byte or SpecialType.System_Int16 or SpecialType.System_UInt16
        or SpecialType.System_Int32 or SpecialType.System_UInt32 or SpecialType.System_Int64 or SpecialType.System_UInt64;
}
