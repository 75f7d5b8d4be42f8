using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>+</c>, <c>-</c> and <c>*</c> of numbers, times and intervals; out of range is an error.</summary>
internal sealed class ArithmeticFunction(char sign, string summary) : ScalarFunction(sign.ToString())
{
    public override string Usage => $"a {Name} b";

    public override string Summary => summary;

    public override bool MayFail => true;

    public override string Print(ValueList<Expression> arguments) => $"({arguments[0]} {Name} {arguments[1]})";

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 2) return null;
        if (TimeArithmetic.Resolve(sign, arguments) is { } signature) return signature;
        if (NumberOperands.Of(arguments) is not { } operands) return null;
        var (left, right) = operands;
        if (left is DecimalType l && right is DecimalType r) return new Signature([l, r], sign == '*' ? TypeRules.Product(l, r) : TypeRules.Sum(l, r));
        return new Signature([left, right], left);
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        var (type, position) = (call.Type, call.Position.Start);
        if (TimeArithmetic.Compile(sign, call, arguments, context) is { } time) return time;
        if (type is DecimalType wide) return new DecimalEvaluator(sign, wide, arguments, context, position);
        return (sign, type.Kind) switch
        {
            ('+', TypeKind.TinyInt) => new IntegerEvaluator<sbyte, Add<sbyte>>(Name, type, arguments, context, position),
            ('+', TypeKind.SmallInt) => new IntegerEvaluator<short, Add<short>>(Name, type, arguments, context, position),
            ('+', TypeKind.Int) => new IntegerEvaluator<int, Add<int>>(Name, type, arguments, context, position),
            ('+', TypeKind.BigInt) => new IntegerEvaluator<long, Add<long>>(Name, type, arguments, context, position),
            ('+', TypeKind.Float) => new UncheckedEvaluator<float, Add<float>>(type, arguments, context),
            ('+', TypeKind.Double) => new UncheckedEvaluator<double, Add<double>>(type, arguments, context),
            ('-', TypeKind.TinyInt) => new IntegerEvaluator<sbyte, Subtract<sbyte>>(Name, type, arguments, context, position),
            ('-', TypeKind.SmallInt) => new IntegerEvaluator<short, Subtract<short>>(Name, type, arguments, context, position),
            ('-', TypeKind.Int) => new IntegerEvaluator<int, Subtract<int>>(Name, type, arguments, context, position),
            ('-', TypeKind.BigInt) => new IntegerEvaluator<long, Subtract<long>>(Name, type, arguments, context, position),
            ('-', TypeKind.Float) => new UncheckedEvaluator<float, Subtract<float>>(type, arguments, context),
            ('-', TypeKind.Double) => new UncheckedEvaluator<double, Subtract<double>>(type, arguments, context),
            ('*', TypeKind.TinyInt) => new IntegerEvaluator<sbyte, Multiply<sbyte>>(Name, type, arguments, context, position),
            ('*', TypeKind.SmallInt) => new IntegerEvaluator<short, Multiply<short>>(Name, type, arguments, context, position),
            ('*', TypeKind.Int) => new IntegerEvaluator<int, Multiply<int>>(Name, type, arguments, context, position),
            ('*', TypeKind.BigInt) => new IntegerEvaluator<long, Multiply<long>>(Name, type, arguments, context, position),
            ('*', TypeKind.Float) => new UncheckedEvaluator<float, Multiply<float>>(type, arguments, context),
            ('*', TypeKind.Double) => new UncheckedEvaluator<double, Multiply<double>>(type, arguments, context),
            _ => throw new InvalidOperationException($"{Name} can't give {type}. Please report this."),
        };
    }
}

/// <summary>Which types the operands of arithmetic get.</summary>
internal static class NumberOperands
{
    /// <summary>Two decimals, each of its own precision, or twice the wider type; null if an operand is no number.</summary>
    public static (DataType Left, DataType Right)? Of(ValueList<Expression> arguments)
    {
        var (left, right) = (arguments[0], arguments[1]);
        var (leftType, rightType) = (left.Type, right.Type);
        if (leftType.Kind == TypeKind.Null && rightType.Kind == TypeKind.Null) return (DataType.Double, DataType.Double);
        if (leftType.Kind == TypeKind.Null) leftType = rightType;
        if (rightType.Kind == TypeKind.Null) rightType = leftType;
        if (leftType.Kind == TypeKind.String) leftType = FromText(rightType);
        if (rightType.Kind == TypeKind.String) rightType = FromText(leftType);
        if (!leftType.IsNumber || !rightType.IsNumber) return null;
        if (leftType is DecimalType && rightType.IsInteger) return (leftType, right.Type.IsInteger ? TypeRules.AsDecimal(right) : TypeRules.AsDecimal(rightType));
        if (rightType is DecimalType && leftType.IsInteger) return (left.Type.IsInteger ? TypeRules.AsDecimal(left) : TypeRules.AsDecimal(leftType), rightType);
        if (leftType is DecimalType && rightType is DecimalType) return (leftType, rightType);
        var common = TypeRules.Common(leftType, rightType)!;
        return (common, common);
    }

    private static DataType FromText(DataType other) => other.IsInteger ? DataType.BigInt : DataType.Double;
}
