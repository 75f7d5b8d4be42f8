using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Dataflow.Analyzers;

/// <summary>
/// Walks the code of one lambda, and of the local functions that it calls, and reports each captured variable once for each rule, at the
/// first place that breaks it. Ordinary methods are not followed.
/// </summary>
/// <param name="context">Takes the reports.</param>
/// <param name="known">The types of the rules.</param>
/// <param name="subject">How messages begin: <c>The lambda given to Map</c>.</param>
internal sealed class CaptureWalk(OperationAnalysisContext context, KnownSymbols known, string subject)
{
    private readonly HashSet<ISymbol> _functions = new(SymbolEqualityComparer.Default);
    private readonly HashSet<(string Rule, string Name)> _said = [];

    /// <summary>Walks a lambda.</summary>
    public void Lambda(IAnonymousFunctionOperation lambda)
    {
        _functions.Add(lambda.Symbol);
        Run(lambda.Body);
    }

    /// <summary>Walks code that is, or is called by, the lambda.</summary>
    public void Run(IOperation operation)
    {
        switch (operation)
        {
            case INameOfOperation:
                return;
            case IInstanceReferenceOperation { ReferenceKind: InstanceReferenceKind.ContainingTypeInstance } self:
                This(self);
                return;
            case ILocalReferenceOperation { Local.IsConst: false } local when IsCaptured(local.Local):
                Variable(local, local.Local, local.Local.Type);
                return;
            case IParameterReferenceOperation parameter when IsFieldOfPrimaryConstructor(parameter.Parameter):
                Member(parameter, parameter.Parameter, parameter.Parameter.Type, parameter.Parameter.ContainingType);
                return;
            case IParameterReferenceOperation parameter when IsCaptured(parameter.Parameter):
                Variable(parameter, parameter.Parameter, parameter.Parameter.Type);
                return;
            case IInvocationOperation { TargetMethod.MethodKind: MethodKind.LocalFunction } call:
                Follow(call, call.TargetMethod);
                RunChildren(call, call.Instance);
                return;
            case IMethodReferenceOperation { Method.MethodKind: MethodKind.LocalFunction } reference:
                Follow(reference, reference.Method);
                return;
            case IInvocationOperation { Instance: IInstanceReferenceOperation } call when IsThis(call.Instance):
                Member(call, call.TargetMethod, null, call.Instance.Type);
                RunChildren(call, call.Instance);
                return;
            case IMemberReferenceOperation { Instance: IInstanceReferenceOperation } reference when IsThis(reference.Instance):
                Member(reference, reference.Member, reference is IMethodReferenceOperation ? null : reference.Type, reference.Instance.Type);
                RunChildren(reference, reference.Instance);
                return;
        }
        RunChildren(operation, null);
    }

    private void RunChildren(IOperation operation, IOperation? but)
    {
        foreach (var child in operation.ChildOperations)
        {
            if (child != but) Run(child);
        }
    }

    private static bool IsThis(IOperation? operation) => operation is IInstanceReferenceOperation { ReferenceKind: InstanceReferenceKind.ContainingTypeInstance };

    private void Follow(IOperation from, IMethodSymbol function)
    {
        function = function.OriginalDefinition;
        if (IsInside(function.ContainingSymbol) || !_functions.Add(function)) return;
        var body = from.Root().Descendants().OfType<ILocalFunctionOperation>()
            .FirstOrDefault(local => SymbolEqualityComparer.Default.Equals(local.Symbol, function))?.Body;
        if (body is not null) Run(body);
    }

    private bool IsCaptured(ISymbol variable) => !IsInside(variable.ContainingSymbol);

    private bool IsInside(ISymbol? scope)
    {
        for (; scope is IMethodSymbol; scope = scope.ContainingSymbol)
        {
            if (_functions.Contains(scope)) return true;
        }
        return false;
    }

    // A parameter of class C(int x), used by a method: a field of the object. In an initializer it is a parameter like others.
    private bool IsFieldOfPrimaryConstructor(IParameterSymbol parameter) =>
        parameter.ContainingSymbol is IMethodSymbol { MethodKind: MethodKind.Constructor } constructor
        && context.ContainingSymbol is IMethodSymbol method && !SymbolEqualityComparer.Default.Equals(method, constructor);

    private void Variable(IOperation reference, ISymbol variable, ITypeSymbol type)
    {
        if (WriteTarget.Is(reference))
            Report(Rules.Writes, reference, variable.Name, "the captured variable", variable.Name, type.Named(), "", Instead(variable.Name, type));
        else
            _ = DriverOnly(reference, variable.Name, type) || CannotTravel(reference, variable.Name, type);
    }

    /// <param name="reference">The use of the member.</param>
    /// <param name="member">The member of <c>this</c>.</param>
    /// <param name="type">Of its value; null for a method.</param>
    /// <param name="self">The type of <c>this</c>.</param>
    private void Member(IOperation reference, ISymbol member, ITypeSymbol? type, ITypeSymbol? self)
    {
        var owner = self as INamedTypeSymbol ?? member.ContainingType;
        var name = $"this.{(member is IPropertySymbol { IsIndexer: true } ? "this[]" : member.Name)}";
        if (type is not null && HasAField(member) && WriteTarget.Is(reference))
        {
            Report(Rules.Writes, reference, name, "the field", name, type.Named(), " of the object", Instead(member.Name, type));
            return;
        }
        if (type is not null && (DriverOnly(reference, name, type) || CannotTravel(reference, name, type))) return;
        if (DriverOnly(reference, "this", owner)) return;

        var next = member switch
        {
            IMethodSymbol => $"Make '{member.Name}' static, or a local function, and give it what it needs",
            IEventSymbol => "Events are raised in the driver; use an accumulator",
            IPropertySymbol { IsIndexer: true } => "Copy what the lambda needs to a local variable before this verb, and use that",
            _ => $"Copy '{member.Name}' to a local variable before this verb, and use that",
        };
        Whole(reference, name, owner, next);
    }

    private void This(IInstanceReferenceOperation self)
    {
        if (self.Type is INamedTypeSymbol owner && !DriverOnly(self, "this", owner))
            Whole(self, "this", owner, "Copy what the lambda needs to local variables before this verb, and use these");
    }

    // Records are values: they are made to be sent around.
    private void Whole(IOperation reference, string name, INamedTypeSymbol owner, string next)
    {
        if (!owner.IsRecord) Report(Rules.TakesThis, reference, name, name, owner.Named(), next);
    }

    private bool DriverOnly(IOperation reference, string name, ITypeSymbol type)
    {
        if (known.DriverOnlyIn(type) is not { } held) return false;
        var (why, next) = held.Is(known.Rdd) ? ("Rdds live in the driver only", "Collect it first, broadcast it, or join the two Rdds")
            : held.Is(known.Context) ? ("contexts live in the driver only", "Do that part before this verb, in the driver, and capture or broadcast its result")
            : ($"a {held.Named()} lives in the driver only", "Take what the lambda needs from it before this verb, and capture that");
        Report(Rules.UsesDriverOnly, reference, name, name, type.Named(), why, next);
        return true;
    }

    private bool CannotTravel(IOperation reference, string name, ITypeSymbol type)
    {
        if (known.Travel.Against(type) is not var (why, next)) return false;
        Report(Rules.CannotTravel, reference, name, name, type.Short(), why, next);
        return true;
    }

    private static bool HasAField(ISymbol member) => member is IFieldSymbol or IParameterSymbol
        || (member is IPropertySymbol && member.ContainingType.GetMembers().Any(
            field => field is IFieldSymbol { AssociatedSymbol: { } of } && SymbolEqualityComparer.Default.Equals(of, member.OriginalDefinition)));

    private static string Instead(string name, ITypeSymbol type) => type.IsInteger()
        ? $"Use context.Counter(\"{name}\") or an Accumulator instead"
        : "Use an Accumulator instead";

    private void Report(DiagnosticDescriptor rule, IOperation at, string key, params object[] arguments)
    {
        if (_said.Add((rule.Id, key))) context.ReportDiagnostic(Diagnostic.Create(rule, at.Syntax.GetLocation(), [subject, .. arguments]));
    }
}
