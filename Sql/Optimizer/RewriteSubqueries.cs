using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>
/// Subqueries become joins. EXISTS and IN that must be true become semi joins, NOT EXISTS and NOT IN anti joins, those below OR mark joins; queries that
/// stand for a value become joins that give at most one row.
/// </summary>
/// <remarks>What a subquery says of the query around it is pulled up into the join's condition (<see cref="Correlation"/>). After T. Neumann and
/// A. Kemper, "Unnesting Arbitrary Queries" (2015), where equalities decide; other forms are refused by name.</remarks>
public sealed class RewriteSubqueries : IRule
{
    /// <inheritdoc/>
    public LogicalPlan Apply(LogicalPlan plan) => plan.Rewrite(part =>
    {
        if (!part.Expressions.Any(HasSubquery)) return part is CommonTable common ? Rewritten(common) : part;
        return part switch
        {
            Filter filter => RewriteFilter(filter),
            Join { Condition: not null } join => RewriteFilterOfJoin(join),
            { Inputs: [var input] } => RewriteOne(part, input),
            _ => throw new QueryException("UNSUPPORTED_SUBQUERY", $"A subquery can't stand here yet: {part.Describe()}"),
        };
    });

    private readonly Dictionary<CommonDefinition, CommonDefinition> _common = new(ReferenceEqualityComparer.Instance);

    private static bool HasSubquery(Expression expression) => expression.Parts().Any(part => part is SubqueryExpression);

    private CommonTable Rewritten(CommonTable common)
    {
        if (!_common.TryGetValue(common.Definition, out var rewritten))
        {
            var plan = Apply(common.Definition.Plan);
            rewritten = ReferenceEquals(plan, common.Definition.Plan) ? common.Definition : new CommonDefinition(common.Definition.Name, plan);
            _common.Add(common.Definition, rewritten);
            _common.TryAdd(rewritten, rewritten);
        }
        return ReferenceEquals(rewritten, common.Definition) ? common : common with { Definition = rewritten };
    }

    private LogicalPlan RewriteFilter(Filter filter)
    {
        var input = filter.Input;
        List<Expression> plain = [];
        foreach (var conjunct in Conjuncts.Of(filter.Condition))
        {
            if (!HasSubquery(conjunct))
            {
                plain.Add(conjunct);
                continue;
            }
            var isNot = conjunct is Call { Function.Name: "not" };
            var inner = isNot ? ((Call)conjunct).Arguments[0] : conjunct;
            if (inner is ExistsSubquery exists) input = Exists(input, exists, isNot ? JoinKind.Anti : JoinKind.Semi, null);
            else if (inner is InSubquery @in) input = In(input, @in, isNot);
            else plain.Add(Values(conjunct, ref input));
        }
        var result = Conjuncts.All(plain) is { } all ? new Filter(all, input) : input;
        return Only(result, filter.Output);
    }

    // Only an inner join's condition may be computed after it.
    private LogicalPlan RewriteFilterOfJoin(Join join) => join.Kind == JoinKind.Inner
        ? RewriteFilter(new Filter(join.Condition!, new Join(JoinKind.Inner, join.Left, join.Right, null)))
        : throw new QueryException("UNSUPPORTED_SUBQUERY", "A subquery can't stand in the condition of an outer join yet: move it into WHERE, or into a derived table.");

    private LogicalPlan RewriteOne(LogicalPlan part, LogicalPlan input)
    {
        var changed = part.MapExpressions(expression => HasSubquery(expression) ? Values(expression, ref input) : expression);
        return Only(changed.WithInputs([input]), part.Output);
    }

    private static LogicalPlan Only(LogicalPlan plan, ValueList<ColumnReference> output) =>
        plan.Output.Equals(output) ? plan : new Project(output.ConvertAll(NamedExpression.Pass), plan);

    // Replaces subqueries by columns of joins with the input.
    private Expression Values(Expression expression, ref LogicalPlan input)
    {
        var rows = input;
        var result = expression.Rewrite(part =>
        {
            switch (part)
            {
                case ScalarSubquery scalar:
                    (rows, var value) = Scalar(rows, scalar);
                    return value;
                case ExistsSubquery exists:
                    var mark = new ColumnReference("exists", DataType.Boolean, false);
                    rows = Exists(rows, exists, JoinKind.Mark, mark);
                    return mark;
                case InSubquery @in:
                    var found = new ColumnReference("in", DataType.Boolean, @in.Nullable);
                    rows = InJoin(rows, @in, JoinKind.Mark, found);
                    return found;
                default:
                    return part;
            }
        });
        input = rows;
        return result;
    }

    private Join Exists(LogicalPlan input, ExistsSubquery exists, JoinKind kind, ColumnReference? mark)
    {
        var (plan, conditions) = Correlation.PullUp(Apply(exists.Plan));
        return new Join(kind, input, plan, Conjuncts.All(conditions), mark);
    }

    private Join In(LogicalPlan input, InSubquery @in, bool isNot)
    {
        if (!isNot) return InJoin(input, @in, JoinKind.Semi, null);
        return InJoin(input, @in, @in.Nullable ? JoinKind.NullAwareAnti : JoinKind.Anti, null);
    }

    private Join InJoin(LogicalPlan input, InSubquery @in, JoinKind kind, ColumnReference? mark)
    {
        var (plan, conditions) = Correlation.PullUp(Apply(@in.Plan));
        if (conditions.Count > 0 && (kind == JoinKind.NullAwareAnti || (kind == JoinKind.Mark && mark!.Nullable)))
        {
            throw new QueryException(
                "UNSUPPORTED_SUBQUERY", "NOT IN with a subquery that reads the query around it can't be computed yet where values may be null. "
                + "Write NOT EXISTS, or say IS NOT NULL of both sides.");
        }
        var equal = BuiltinFunctions.Registry.FindScalar("=")!;
        var matches = @in.Operands.Select((operand, i) => (Expression)new Call(equal, [operand, plan.Output[i]], DataType.Boolean));
        return new Join(kind, input, plan, Conjuncts.All(matches.Concat(conditions)), mark);
    }

    private (LogicalPlan Rows, Expression Value) Scalar(LogicalPlan input, ScalarSubquery scalar)
    {
        var subquery = Apply(scalar.Plan);
        var (plan, conditions) = Correlation.PullUp(subquery);
        var value = plan.Output[0];

        // An aggregate without keys has a value also where no row is: count(*) is 0 there, and no join gives that row.
        var empty = conditions.Count == 0 ? null : Correlation.ValueOfNothing(subquery);
        if (empty is null) return (new Join(JoinKind.Single, input, plan, Conjuncts.All(conditions)), value.AsNullable());
        var isThere = NamedExpression.New(Literal.True, "is there");
        var marked = new Project([.. plan.Output.Select(NamedExpression.Pass), isThere], plan);
        var isNull = new Call(BuiltinFunctions.Registry.FindScalar("isnull")!, [isThere.Column.AsNullable()], DataType.Boolean);
        return (new Join(JoinKind.Single, input, marked, Conjuncts.All(conditions)), new Case([isNull, empty], value.AsNullable()));
    }
}
