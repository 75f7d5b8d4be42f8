using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Dataflow.Analyzers;

/// <summary>Tells whether a use of a variable is a write of it: of the variable itself or, for a struct, of a part of it.</summary>
/// <remarks>Changing what a variable refers to (an array's element, a list, an object's property) is a read of the variable.</remarks>
internal static class WriteTarget
{
    /// <summary>Whether this reference is assigned, counted up or down, or handed on as <c>ref</c> or <c>out</c>.</summary>
    public static bool Is(IOperation reference)
    {
        var parent = reference.Parent;
        switch (parent)
        {
            // The element of a tuple that is assigned to, however deep.
            case ITupleOperation or IDeclarationExpressionOperation:
                return Is(parent);
            case IAssignmentOperation assignment:
                return assignment.Target == reference;
            case IIncrementOrDecrementOperation:
                return true;
            case IArgumentOperation { Parameter.RefKind: RefKind.Ref or RefKind.Out }:
                return true;
            case IVariableInitializerOperation { Parent: IVariableDeclaratorOperation { Symbol.RefKind: RefKind.Ref } }:
                return true;
            case IFieldReferenceOperation part when part.Instance == reference && reference.Type is { IsValueType: true }:
                return Is(part);

            // A setter of a struct of the program's; whether one of .NET's changes the struct can't be told from outside.
            case IPropertyReferenceOperation part when part.Instance == reference && reference.Type is { IsValueType: true, IsTupleType: false } type
                && !type.DeclaringSyntaxReferences.IsEmpty:
                return Is(part);
            default:
                return false;
        }
    }

    /// <summary>The outermost operation around this one.</summary>
    public static IOperation Root(this IOperation operation)
    {
        while (operation.Parent is { } parent) operation = parent;
        return operation;
    }
}
