using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Dataflow.Analyzers;

/// <summary>The types of the engine and of .NET that the rules speak of, as one compilation knows them.</summary>
internal sealed class KnownSymbols
{
    private readonly INamedTypeSymbol _driverOnly;
    private readonly INamedTypeSymbol? _runsInDriver;
    private readonly INamedTypeSymbol? _runsInTasks;

    private KnownSymbols(Compilation compilation, INamedTypeSymbol driverOnly)
    {
        _driverOnly = driverOnly;
        _runsInDriver = compilation.GetTypeByMetadataName("Dataflow.RunsInDriverAttribute");
        _runsInTasks = compilation.GetTypeByMetadataName("Dataflow.RunsInTasksAttribute");
        Rdd = compilation.GetTypeByMetadataName("Dataflow.Rdd");
        Context = compilation.GetTypeByMetadataName("Dataflow.DataflowContext");
        Travel = new TravelRules(compilation);
        Enumerable = compilation.GetSpecialType(SpecialType.System_Collections_Generic_IEnumerable_T);
        KeyValuePair = compilation.GetTypeByMetadataName("System.Collections.Generic.KeyValuePair`2");
    }

    public INamedTypeSymbol? Rdd { get; }

    public INamedTypeSymbol? Context { get; }

    public TravelRules Travel { get; }

    private INamedTypeSymbol Enumerable { get; }

    private INamedTypeSymbol? KeyValuePair { get; }

    /// <summary>Null for a program that does not know the engine.</summary>
    public static KnownSymbols? Of(Compilation compilation) =>
        compilation.GetTypeByMetadataName("Dataflow.Closures.IDriverOnly") is { } driverOnly ? new KnownSymbols(compilation, driverOnly) : null;

    /// <summary>Whether what is given for this parameter runs in tasks.</summary>
    /// <remarks>Of the engine's verbs, those of its contexts and Rdds, every delegate does that is not marked; of anybody else's, those that are.</remarks>
    public bool RunsInTasks(IInvocationOperation call, IParameterSymbol parameter)
    {
        if (Has(parameter, _runsInTasks)) return true;
        if (parameter.Type.TypeKind != TypeKind.Delegate) return false;
        var verb = call.TargetMethod;
        return SymbolEqualityComparer.Default.Equals(verb.ContainingAssembly, _driverOnly.ContainingAssembly) && !Has(parameter, _runsInDriver)
            && (IsDriverOnly(verb.ContainingType) || IsDriverOnly(call.Instance?.Type) || verb.Parameters.Any(other => IsDriverOnly(other.Type)));
    }

    public bool IsDriverOnly(ITypeSymbol? type) => type is not null && type.Is(_driverOnly);

    /// <summary>The driver-only type that a value of this type is, or is a sequence, array or tuple of; null if there is none.</summary>
    public ITypeSymbol? DriverOnlyIn(ITypeSymbol type) => DriverOnlyIn(type, depth: 4);

    private ITypeSymbol? DriverOnlyIn(ITypeSymbol type, int depth)
    {
        if (IsDriverOnly(type)) return type;
        if (depth == 0) return null;
        if (type is IArrayTypeSymbol array) return DriverOnlyIn(array.ElementType, depth - 1);
        if (type is not INamedTypeSymbol { IsGenericType: true } named || type.TypeKind == TypeKind.Delegate) return null;
        if (named.IsTupleType || named.Is(Enumerable) || named.Is(KeyValuePair)) return InAny(named, depth - 1);
        foreach (var face in named.AllInterfaces)
        {
            if (SymbolEqualityComparer.Default.Equals(face.OriginalDefinition, Enumerable) && InAny(face, depth - 1) is { } held) return held;
        }
        return null;
    }

    private ITypeSymbol? InAny(INamedTypeSymbol generic, int depth) =>
        generic.TypeArguments.Select(argument => DriverOnlyIn(argument, depth)).FirstOrDefault(held => held is not null);

    private static bool Has(ISymbol symbol, INamedTypeSymbol? attribute) => attribute is not null
        && symbol.GetAttributes().Any(one => SymbolEqualityComparer.Default.Equals(one.AttributeClass, attribute));
}
