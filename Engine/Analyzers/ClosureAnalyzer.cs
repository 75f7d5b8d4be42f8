using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Dataflow.Analyzers;

/// <summary>Finds the lambdas that are given to Dataflow's verbs, and has each one's captures looked at.</summary>
/// <remarks>
/// A lambda counts where it is written as an argument, is a local function or a method by name, or is the value that a local variable of a
/// delegate type starts with.
/// </remarks>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class ClosureAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } =
        [Rules.Writes, Rules.UsesDriverOnly, Rules.TakesThis, Rules.CannotTravel];

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(static start =>
        {
            if (KnownSymbols.Of(start.Compilation) is { } known) start.RegisterOperationAction(call => Look(call, known), OperationKind.Invocation);
        });
    }

    private static void Look(OperationAnalysisContext context, KnownSymbols known)
    {
        var call = (IInvocationOperation)context.Operation;
        foreach (var argument in call.Arguments)
        {
            if (argument.Parameter is { } parameter && known.RunsInTasks(call, parameter)) Look(context, known, call.TargetMethod.Name, argument.Value);
        }
    }

    private static void Look(OperationAnalysisContext context, KnownSymbols known, string verb, IOperation value)
    {
        switch (value)
        {
            case IDelegateCreationOperation made:
                Look(context, known, verb, made.Target);
                break;
            case IConversionOperation { OperatorMethod: null } converted:
                Look(context, known, verb, converted.Operand);
                break;
            case IConditionalOperation { WhenFalse: { } otherwise } choice:
                Look(context, known, verb, choice.WhenTrue);
                Look(context, known, verb, otherwise);
                break;
            case ILocalReferenceOperation local when FirstValue(local) is { } first:
                Look(context, known, verb, first);
                break;
            case IAnonymousFunctionOperation lambda:
                new CaptureWalk(context, known, $"The lambda given to {verb}").Lambda(lambda);
                break;
            case IMethodReferenceOperation { Method: { MethodKind: MethodKind.LocalFunction } function } reference:
                new CaptureWalk(context, known, $"The local function '{function.Name}' given to {verb}").Run(reference);
                break;
            case IMethodReferenceOperation reference:
                new CaptureWalk(context, known, $"The method '{reference.Method.Name}' given to {verb}").Run(reference);
                break;
        }
    }

    // A lambda that a variable starts with; what other values it is given later is not followed.
    private static IOperation? FirstValue(ILocalReferenceOperation local) => local.Root().Descendants()
        .OfType<IVariableDeclaratorOperation>()
        .FirstOrDefault(declared => SymbolEqualityComparer.Default.Equals(declared.Symbol, local.Local))
        ?.GetVariableInitializer()?.Value is IDelegateCreationOperation made ? made : null;
}
