using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>/</c>: a decimal of decimals, double of all other numbers.</summary>
internal sealed class DivideFunction() : ScalarFunction("/")
{
    public override string Usage => "a / b";

    public override string Summary => "The quotient; dividing by zero is an error.";

    public override bool MayFail => true;

    public override string Print(ValueList<Expression> arguments) => $"({arguments[0]} / {arguments[1]})";

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 2) return null;
        if (TimeArithmetic.Resolve('/', arguments) is { } signature) return signature;
        if (NumberOperands.Of(arguments) is not { } operands) return null;
        return operands is (DecimalType left, DecimalType right)
            ? new Signature([left, right], TypeRules.Quotient(left, right))
            : new Signature([DataType.Double, DataType.Double], DataType.Double);
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        if (TimeArithmetic.Compile('/', call, arguments, context) is { } time) return time;
        return call.Type is DecimalType type
            ? new DecimalDivideEvaluator(type, arguments, context, call.Position.Start)
            : new FloatDivideEvaluator(arguments, context, call.Position.Start);
    }
}

/// <summary><c>%</c>, <c>pmod</c> and <c>div</c>.</summary>
internal sealed class RemainderFunction(string name, string summary) : ScalarFunction(name)
{
    public override ValueList<string> Aliases => Name == "%" ? ["mod"] : [];

    public override string Usage => Name == "pmod" ? "pmod(a, b)" : $"a {Name} b";

    public override string Summary => summary;

    public override bool MayFail => true;

    public override string Print(ValueList<Expression> arguments) => Name == "pmod" ? base.Print(arguments) : $"({arguments[0]} {Name.ToUpperInvariant()} {arguments[1]})";

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 2 || NumberOperands.Of(arguments) is not { } operands) return null;
        var (left, right) = operands;
        if (left is DecimalType l && right is DecimalType r) return new Signature([l, r], Name == "div" ? DataType.BigInt : TypeRules.Remainder(l, r));
        if (Name == "div") return left.IsInteger ? new Signature([DataType.BigInt, DataType.BigInt], DataType.BigInt) : null;
        return new Signature([left, right], left);
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        var (type, position) = (call.Type, call.Position.Start);
        if (call.Arguments[0].Type is DecimalType) return new DecimalRemainderEvaluator(Name, type, arguments, context, position);
        return (Name, type.Kind) switch
        {
            ("div", _) => new DivisionEvaluator<long, WholeQuotient<long>>(Name, type, arguments, context, position),
            ("%", TypeKind.TinyInt) => new DivisionEvaluator<sbyte, Remainder<sbyte>>(Name, type, arguments, context, position),
            ("%", TypeKind.SmallInt) => new DivisionEvaluator<short, Remainder<short>>(Name, type, arguments, context, position),
            ("%", TypeKind.Int) => new DivisionEvaluator<int, Remainder<int>>(Name, type, arguments, context, position),
            ("%", TypeKind.BigInt) => new DivisionEvaluator<long, Remainder<long>>(Name, type, arguments, context, position),
            ("%", TypeKind.Float) => new DivisionEvaluator<float, Remainder<float>>(Name, type, arguments, context, position),
            ("%", _) => new DivisionEvaluator<double, Remainder<double>>(Name, type, arguments, context, position),
            (_, TypeKind.TinyInt) => new DivisionEvaluator<sbyte, PositiveRemainder<sbyte>>(Name, type, arguments, context, position),
            (_, TypeKind.SmallInt) => new DivisionEvaluator<short, PositiveRemainder<short>>(Name, type, arguments, context, position),
            (_, TypeKind.Int) => new DivisionEvaluator<int, PositiveRemainder<int>>(Name, type, arguments, context, position),
            (_, TypeKind.BigInt) => new DivisionEvaluator<long, PositiveRemainder<long>>(Name, type, arguments, context, position),
            (_, TypeKind.Float) => new DivisionEvaluator<float, PositiveRemainder<float>>(Name, type, arguments, context, position),
            _ => new DivisionEvaluator<double, PositiveRemainder<double>>(Name, type, arguments, context, position),
        };
    }
}
