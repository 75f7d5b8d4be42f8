using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>isnull</c> and <c>isnotnull</c>.</summary>
internal sealed class NullTestFunction(string name) : ScalarFunction(name)
{
    public override string Usage => $"{Name}(value)";

    public override string Summary => Name == "isnull" ? "Whether the value is null." : "Whether the value is not null.";

    public override bool IsNullable(ValueList<Expression> arguments) => false;

    public override string Print(ValueList<Expression> arguments) => $"({arguments[0]} IS {(Name == "isnull" ? "" : "NOT ")}NULL)";

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        arguments.Count == 1 ? new Signature([arguments[0].Type], DataType.Boolean) : null;

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) =>
        new IsNullEvaluator(Name == "isnotnull", arguments[0], context);
}

/// <summary><c>&lt;=&gt;</c>.</summary>
internal sealed class NullSafeEqualFunction() : ScalarFunction("<=>")
{
    public override ValueList<string> Aliases => ["equal_null"];

    public override string Usage => "a <=> b";

    public override string Summary => "Whether both are equal, or both null; never null.";

    public override bool IsNullable(ValueList<Expression> arguments) => false;

    public override string Print(ValueList<Expression> arguments) => $"({arguments[0]} <=> {arguments[1]})";

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 2 || TypeRules.Common(arguments[0], arguments[1]) is not { } common) return null;
        return ComparisonFunction.IsComparable(common) ? new Signature([common, common], DataType.Boolean) : null;
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        var (left, right) = (new GivenEvaluator(), new GivenEvaluator());
        var equal = ComparisonFunction.Compile(Relation.Equal, call.Arguments[0].Type, [left, right], context);
        return new NullSafeEqualEvaluator(arguments[0], arguments[1], left, right, equal, context);
    }
}

/// <summary><c>coalesce</c>, also as <c>nvl</c> and <c>ifnull</c>.</summary>
internal sealed class CoalesceFunction(string name, int most) : ScalarFunction(name)
{
    public override string Usage => most == 2 ? $"{Name}(value, other)" : $"{Name}(value[, value ...])";

    public override string Summary => "The first value that is not null.";

    public override bool IsNullable(ValueList<Expression> arguments) => arguments.All(argument => argument.Nullable);

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count < (most == 2 ? 2 : 1) || arguments.Count > most || TypeRules.Common(arguments) is not { } common) return null;
        return new Signature(arguments.ConvertAll(_ => common), common);
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new CoalesceEvaluator(call.Type, arguments, context);
}

/// <summary><c>if</c>.</summary>
internal sealed class IfFunction() : ScalarFunction("if")
{
    public override ValueList<string> Aliases => ["iff"];

    public override string Usage => "if(condition, value, other)";

    public override string Summary => "The value if the condition is true, else the other.";

    public override bool IsNullable(ValueList<Expression> arguments) => arguments[1].Nullable || arguments[2].Nullable;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 3 || arguments[0].Type.Kind is not (TypeKind.Boolean or TypeKind.Null)) return null;
        return TypeRules.Common(arguments[1], arguments[2]) is { } common ? new Signature([DataType.Boolean, common, common], common) : null;
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) =>
        new CaseEvaluator(call.Type, [(arguments[0], arguments[1])], arguments[2], context);
}

/// <summary><c>nvl2</c>.</summary>
internal sealed class Nvl2Function() : ScalarFunction("nvl2")
{
    public override string Usage => "nvl2(test, value, other)";

    public override string Summary => "The value if the test is not null, else the other.";

    public override bool IsNullable(ValueList<Expression> arguments) => arguments[1].Nullable || arguments[2].Nullable;

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        arguments.Count == 3 && TypeRules.Common(arguments[1], arguments[2]) is { } common ? new Signature([arguments[0].Type, common, common], common) : null;

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) =>
        new CaseEvaluator(call.Type, [(new IsNullEvaluator(true, arguments[0], context), arguments[1])], arguments[2], context);
}

/// <summary><c>nullif</c>.</summary>
internal sealed class NullIfFunction() : ScalarFunction("nullif")
{
    public override string Usage => "nullif(value, other)";

    public override string Summary => "Null if both are equal, else the value.";

    public override bool IsNullable(ValueList<Expression> arguments) => true;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 2 || TypeRules.Common(arguments[0], arguments[1]) is not { } common || !ComparisonFunction.IsComparable(common)) return null;
        return new Signature([common, common], common);
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        var given = new GivenEvaluator();
        return new NullIfEvaluator(arguments[0], given, ComparisonFunction.Compile(Relation.Equal, call.Type, [given, arguments[1]], context), context);
    }
}

/// <summary><c>greatest</c> and <c>least</c>.</summary>
internal sealed class GreatestFunction(string name) : ScalarFunction(name)
{
    public override string Usage => $"{Name}(value, value[, value ...])";

    public override string Summary => $"The {(Name == "greatest" ? "largest" : "smallest")} value; nulls are passed over.";

    public override bool IsNullable(ValueList<Expression> arguments) => arguments.All(argument => argument.Nullable);

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count < 2 || TypeRules.Common(arguments) is not { } common || !ComparisonFunction.IsComparable(common)) return null;
        return new Signature(arguments.ConvertAll(_ => common), common);
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        var (best, next) = (new GivenEvaluator(), new GivenEvaluator());
        var better = ComparisonFunction.Compile(Name == "greatest" ? Relation.Greater : Relation.Less, call.Type, [next, best], context);
        return new GreatestEvaluator(call.Type, arguments, best, next, better, context);
    }
}
