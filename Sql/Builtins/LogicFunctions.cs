using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>and</c> and <c>or</c>, of two or more.</summary>
internal sealed class AndOrFunction(string name) : ScalarFunction(name)
{
    public override string Usage => $"a {Name.ToUpperInvariant()} b";

    public override string Summary => Name == "and" ? "Whether both are true." : "Whether one of both is true.";

    public override string Print(ValueList<Expression> arguments) => $"({string.Join($" {Name.ToUpperInvariant()} ", arguments)})";

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count < 2 || arguments.Any(argument => argument.Type.Kind is not (TypeKind.Boolean or TypeKind.Null))) return null;
        return new Signature(arguments.ConvertAll(_ => DataType.Boolean), DataType.Boolean);
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new LogicEvaluator(Name == "and", arguments, context);
}

/// <summary><c>not</c>.</summary>
internal sealed class NotFunction() : ScalarFunction("not")
{
    public override ValueList<string> Aliases => ["!"];

    public override string Usage => "NOT a";

    public override string Summary => "True for false, false for true.";

    public override string Print(ValueList<Expression> arguments) => $"(NOT {arguments[0]})";

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        arguments.Count == 1 && arguments[0].Type.Kind is TypeKind.Boolean or TypeKind.Null ? new Signature([DataType.Boolean], DataType.Boolean) : null;

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new NotEvaluator(arguments, context);
}
