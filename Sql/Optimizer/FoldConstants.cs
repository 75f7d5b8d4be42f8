using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>Expressions of literals become literals, and conditions that are known lose what they decide. What fails stays: only running the query says so.</summary>
public sealed class FoldConstants : IRule
{
    // Larger values are left to tasks, whose memory has a budget; and plans travel to all of them.
    private const int MostBytes = 1 << 20;

    /// <inheritdoc/>
    public LogicalPlan Apply(LogicalPlan plan)
    {
        // Most queries have nothing to compute: memory is taken when the first expression asks for it.
        TaskArena? arena = null;
        try
        {
            return plan.Rewrite(part => Simplify(part.Expressions.Any(CanFold) ? part.MapExpressions(expression => expression.Rewrite(each => Fold(each, Context))) : part));
        }
        finally
        {
            arena?.Dispose();
        }

        EvaluatorContext Context() => new(arena ??= TaskArena.OfDriver(MostBytes), new SessionSettings());
    }

    /// <summary>An expression whose parts without columns are literals, as far as they can be computed.</summary>
    internal static Expression Folded(Expression expression)
    {
        if (!CanFold(expression)) return expression;
        using var arena = TaskArena.OfDriver(MostBytes);
        var context = new EvaluatorContext(arena, new SessionSettings());
        return expression.Rewrite(part => Fold(part, () => context));
    }

    private static LogicalPlan Simplify(LogicalPlan plan) => plan switch
    {
        Filter { Condition: Literal { Value: true } } filter => filter.Input,
        _ => plan,
    };

    private static bool CanFold(Expression expression) => expression.Parts().Any(part => part.Children.Count > 0 && (IsConstant(part) || part is Call { Function.Name: "and" or "or" }));

    // What depends on the session is computed where the query runs.
    private static bool IsConstant(Expression expression) =>
        expression is Call or Cast or Case or InList && expression.IsDeterministic && expression.Children.All(child => child is Literal) && !IsOfSession(expression);

    private static bool IsOfSession(Expression expression) =>
        expression.Type.Kind == TypeKind.Timestamp || expression.Children.Any(child => child.Type.Kind == TypeKind.Timestamp) || expression is Call { Arguments.Count: 0 };

    private static Expression Fold(Expression expression, Func<EvaluatorContext> context)
    {
        if (expression is Call { Function.Name: "and" or "or", Arguments: [var left, var right] } logic) return Decide(logic, left, right);
        if (!IsConstant(expression)) return expression;
        try
        {
            var row = new ColumnBatch([]);
            row.Set(1);
            var value = LiteralOf(ExpressionCompiler.Compile(expression, [], context()).Evaluate(row), expression.Type);
            return value is null ? expression : value with { Position = expression.Position };
        }
        catch (QueryException)
        {
            return expression;
        }
    }

    private static Expression Decide(Call logic, Expression left, Expression right)
    {
        var decides = logic.Function.Name == "and" ? Literal.False : Literal.True;
        var leaves = logic.Function.Name == "and" ? Literal.True : Literal.False;
        if (left == decides || right == decides) return decides;
        if (left == leaves) return right;
        return right == leaves ? left : logic;
    }

    private static unsafe Literal? LiteralOf(ColumnVector vector, DataType type)
    {
        if (vector.IsNull(0)) return Literal.NullOf(type);
        return type.Physical switch
        {
            PhysicalType.Bit => new Literal(vector.Bit(0), type),
            PhysicalType.Int8 => new Literal(vector.Value<sbyte>(0), type),
            PhysicalType.Int16 => new Literal(vector.Value<short>(0), type),
            PhysicalType.Int32 => new Literal(vector.Value<int>(0), type),
            PhysicalType.Int64 when type.Kind == TypeKind.Decimal => new Literal((Int128)vector.Value<long>(0), type),
            PhysicalType.Int64 => new Literal(vector.Value<long>(0), type),
            PhysicalType.Int128 => new Literal(vector.Value<Int128>(0), type),
            PhysicalType.Float32 => new Literal(vector.Value<float>(0), type),
            PhysicalType.Float64 => new Literal(vector.Value<double>(0), type),
            PhysicalType.View when type.Kind == TypeKind.String => new Literal(StringView.TextOf((StringView*)vector.ValueAt(0)), type),
            PhysicalType.View => new Literal(StringView.BytesOf((StringView*)vector.ValueAt(0)).ToArray(), type),
            _ => null,
        };
    }
}
