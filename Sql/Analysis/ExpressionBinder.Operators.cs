using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;

namespace Dataflow.Sql.Analysis;

internal sealed partial class ExpressionBinder
{
    private Expression Operator(OperatorSyntax operation)
    {
        switch (operation.Name)
        {
            case "and" or "or":
                return Connected(operation);
            case "not":
                return Apply("not", [AsBoolean(Bind(operation.Operands[0]), operation.Operands[0])], operation);
            case "isnull" or "isnotnull":
                return Apply(operation.Name, [Bind(operation.Operands[0])], operation);
            case "negative" or "~":
                var operand = Bind(operation.Operands[0]);
                if (operand.Type.Kind == TypeKind.String) operand = Convert(operand, operation.Name == "~" ? DataType.BigInt : DataType.Double);
                return operation.Name == "negative" && operand is Literal { Type.Kind: TypeKind.YearMonthInterval or TypeKind.DayTimeInterval }
                    ? Negated(operand, operation)
                    : Apply(operation.Name, [operand], operation);
        }
        var left = Bind(operation.Operands[0]);
        var right = Bind(operation.Operands[1]);
        return operation.Name switch
        {
            "=" or "<>" or "<" or "<=" or ">" or ">=" or "<=>" => Compare(operation.Name, left, right, operation),
            "&" or "|" or "^" => Bits(operation, left, right),
            _ => Arithmetic(operation.Name, left, right, operation),
        };
    }

    /// <summary>AND and OR: long chains become balanced trees, so that thousands of conditions do not nest thousands deep.</summary>
    private Expression Connected(OperatorSyntax operation)
    {
        List<ExpressionSyntax> operands = [];
        ExpressionSyntax left = operation;
        while (left is OperatorSyntax chain && chain.Name == operation.Name)
        {
            operands.Add(chain.Operands[1]);
            left = chain.Operands[0];
        }
        operands.Add(left);
        operands.Reverse();
        var bound = operands.Select(Bind).ToArray();
        for (var i = 0; i < bound.Length; i++)
        {
            if (bound[i].Type.Kind is not (TypeKind.Boolean or TypeKind.Null or TypeKind.String)) throw Mismatch(operation.Name, bound[0], bound[Math.Max(i, 1)], operation);
            bound[i] = AsBoolean(bound[i], operands[i]);
        }
        return Balanced(bound, operation);
    }

    private Expression Balanced(ReadOnlySpan<Expression> operands, OperatorSyntax operation)
    {
        if (operands.Length == 1) return operands[0];
        var half = operands.Length <= 4 ? operands.Length - 1 : operands.Length / 2;
        return Apply(operation.Name, [Balanced(operands[..half], operation), Balanced(operands[half..], operation)], operation);
    }

    private Expression AsBoolean(Expression expression, ExpressionSyntax at) => expression.Type.Kind switch
    {
        TypeKind.Boolean => expression,
        TypeKind.Null or TypeKind.String => Convert(expression, DataType.Boolean),
        _ => throw Error("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", $"A condition is boolean; '{SyntaxText.NameOf(at)}' is {expression.Type}.", at),
    };

    private Expression Compare(string name, Expression left, Expression right, ExpressionSyntax at)
    {
        if (_coercion.Alike(left, right) is not var (a, b)) throw Mismatch(name, left, right, at);
        if (!TypeCoercion.IsOrdered(a.Type)) throw Error("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", $"Values of {a.Type} can't be compared.", at);
        return Apply(name, [a, b], at);
    }

    private Expression Bits(OperatorSyntax operation, Expression left, Expression right)
    {
        if (TypeRules.Common(left.Type, right.Type) is not { } type || !(type.IsInteger || type.Kind == TypeKind.Null))
            throw Mismatch(operation.Name, left, right, operation);
        return Apply(operation.Name, [Convert(left, type), Convert(right, type)], operation);
    }

    private Expression Arithmetic(string name, Expression left, Expression right, ExpressionSyntax at)
    {
        if (Temporal(name, left, right, at) is { } temporal) return temporal;
        return _coercion.Numbers(name, left, right) is var (a, b) ? Apply(name, [a, b], at) : throw Mismatch(name, left, right, at);
    }

    /// <summary>Calls an operator on operands that are alike.</summary>
    private Expression Apply(string name, ValueList<Expression> operands, ExpressionSyntax at)
    {
        var function = context.Scalar(name, at.Position);
        return context.TryCall(function, operands, at.Position) ?? throw Mismatch(name, operands, at);
    }

    private QueryException Mismatch(string name, Expression left, Expression right, ExpressionSyntax at) => Mismatch(name, [left, right], at);

    private QueryException Mismatch(string name, ValueList<Expression> operands, ExpressionSyntax at)
    {
        var types = string.Join(" and ", operands.Select(operand => operand.Type.SqlName));
        var reason = operands.Count == 1 ? "UNEXPECTED_INPUT_TYPE" : name == "in" ? "DATA_DIFF_TYPES" : operands[0].Type == operands[^1].Type ? "BINARY_OP_WRONG_TYPE" : "BINARY_OP_DIFF_TYPES";
        return Error($"DATATYPE_MISMATCH.{reason}", $"'{name}' does not take {types}. Cast to types that go together.", at);
    }
}
