using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>=</c>, <c>&lt;&gt;</c>, <c>&lt;</c>, <c>&lt;=</c>, <c>&gt;</c> and <c>&gt;=</c>. NaN is equal to itself and larger than all other numbers.</summary>
internal sealed class ComparisonFunction(string name, Relation relation, string summary) : ScalarFunction(name)
{
    public override ValueList<string> Aliases => Name switch { "=" => ["=="], "<>" => ["!="], _ => [] };

    public override string Usage => $"a {Name} b";

    public override string Summary => summary;

    public override string Print(ValueList<Expression> arguments) => $"({arguments[0]} {Name} {arguments[1]})";

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 2 || TypeRules.Common(arguments[0], arguments[1]) is not { } common) return null;
        return IsComparable(common) ? new Signature([common, common], DataType.Boolean) : null;
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) =>
        Compile(relation, call.Arguments[0].Type, arguments, context);

    /// <summary>Whether values of a type have an order.</summary>
    internal static bool IsComparable(DataType type) => type.Physical <= PhysicalType.View;

    internal static Evaluator Compile(Relation relation, DataType type, Evaluator[] arguments, EvaluatorContext context) => type.Physical switch
    {
        PhysicalType.Bit => new CompareBitsEvaluator(relation, arguments, context),
        PhysicalType.Int8 => new CompareEvaluator<sbyte, Equal<sbyte>, Less<sbyte>>(relation, arguments, context),
        PhysicalType.Int16 => new CompareEvaluator<short, Equal<short>, Less<short>>(relation, arguments, context),
        PhysicalType.Int32 => new CompareEvaluator<int, Equal<int>, Less<int>>(relation, arguments, context),
        PhysicalType.Int64 => new CompareEvaluator<long, Equal<long>, Less<long>>(relation, arguments, context),
        PhysicalType.Int128 => new CompareWideEvaluator(relation, arguments, context),
        PhysicalType.Float32 => new CompareEvaluator<float, FloatEqual<float>, FloatLess<float>>(relation, arguments, context),
        PhysicalType.Float64 => new CompareEvaluator<double, FloatEqual<double>, FloatLess<double>>(relation, arguments, context),
        PhysicalType.View => new CompareViewsEvaluator(relation, arguments, context),
        _ => throw new InvalidOperationException($"Values of type {type} can't be compared. Please report this."),
    };
}
