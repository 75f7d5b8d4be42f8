using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>
/// Subqueries become joins. EXISTS and IN that must be true become semi joins, NOT EXISTS and NOT IN anti joins, those below OR mark joins; queries that
/// stand for a value become joins that give at most one row. Joins with LATERAL become ordinary ones.
/// </summary>
/// <remarks>Conditions of a subquery that read the query around it are pulled up into the join's condition where that can be done (<see cref="Correlation"/>);
/// else it is computed for all values that it may be asked about (<see cref="DependentJoin"/>).</remarks>
public sealed class RewriteSubqueries : IRule
{
    /// <inheritdoc/>
    public LogicalPlan Apply(LogicalPlan plan) => plan.Rewrite(part =>
    {
        if (part is Join side && Correlation.OuterColumns(side.Right, side.Left.Output).Count > 0) part = Lateral(side);
        if (!part.Expressions.Any(HasSubquery)) return part;
        return part switch
        {
            Filter filter => RewriteFilter(filter),
            Join { Condition: not null } join => RewriteJoin(join),
            Values values => RewriteValues(values),
            { Inputs: [var input] } => RewriteOne(part, input),
            _ => throw new QueryException("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.ACCESSING_OUTER_QUERY_COLUMN_IS_NOT_ALLOWED", $"A subquery can't stand here yet: {part.Describe()}"),
        };
    });

    private static bool HasSubquery(Expression expression) => expression.Parts().Any(part => part is SubqueryExpression);

    private LogicalPlan RewriteFilter(Filter filter)
    {
        // Conditions without a subquery first: they leave fewer rows, and fewer values, that subqueries are asked about.
        var simple = Conjuncts.All(Conjuncts.Of(filter.Condition).Where(conjunct => !HasSubquery(conjunct)));
        var input = simple is null ? filter.Input : new Filter(simple, filter.Input);
        List<Expression> plain = [];
        foreach (var conjunct in Conjuncts.Of(filter.Condition).Where(HasSubquery))
        {
            var isNot = conjunct is Call { Function.Name: "not" };
            var inner = isNot ? ((Call)conjunct).Arguments[0] : conjunct;
            if (inner is ExistsSubquery exists) input = Exists(input, exists, isNot ? JoinKind.Anti : JoinKind.Semi, null);
            else if (inner is InSubquery @in && !@in.Operands.Any(HasSubquery)) input = In(input, @in, isNot ? JoinKind.Anti : JoinKind.Semi, null);
            else plain.Add(Values(conjunct, ref input));
        }
        var result = Conjuncts.All(plain) is { } all ? new Filter(all, input) : input;
        return Only(result, filter.Output);
    }

    // Only an inner join's condition may be computed after it.
    private LogicalPlan RewriteJoin(Join join) => join.Kind == JoinKind.Inner
        ? RewriteFilter(new Filter(join.Condition!, new Join(JoinKind.Inner, join.Left, join.Right, null)))
        : Only(OuterJoinSubqueries.Rewrite(join, HasSubquery, Values, RewriteFilter), join.Output);

    // The right side reads the left one's columns: it is asked for each of its rows.
    private static LogicalPlan Lateral(Join join)
    {
        var (plan, conditions, _) = Unnest(join.Left, join.Right, false);
        return Only(new Join(join.Kind, join.Left, plan, Conjuncts.All(conditions.Concat(Conjuncts.Of(join.Condition)))), join.Output);
    }

    private LogicalPlan RewriteValues(Values values)
    {
        var rows = values.Rows.ConvertAll<LogicalPlan>(row => new Project([.. row.Select((value, i) => NamedExpression.New(value, values.Columns[i].Name))], Plans.Values.OneRow));
        return Apply(new Union(rows, values.Columns));
    }

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
                    rows = In(rows, @in, JoinKind.Mark, found);
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
        // Which rows there are, and how many, says nothing of whether there are some.
        var subquery = Apply(exists.Plan);
        while (subquery is Sort or Limit { Offset: 0, Count: null or > 0 }) subquery = subquery.Inputs[0];
        var (plan, conditions, _) = Unnest(input, subquery, false);
        return new Join(kind, input, plan, Conjuncts.All(conditions), mark);
    }

    private LogicalPlan In(LogicalPlan input, InSubquery @in, JoinKind kind, ColumnReference? mark)
    {
        var (plan, conditions, _) = Unnest(input, Apply(@in.Plan), false);
        var equal = BuiltinFunctions.Registry.FindScalar("=")!;
        var matches = @in.Operands.Select((operand, i) => (Expression)new Call(equal, [operand, plan.Output[i]], DataType.Boolean)).ToList();
        if (!@in.Nullable || kind == JoinKind.Semi) return new Join(kind, input, plan, Conjuncts.All(matches.Concat(conditions)), mark);

        // The join itself knows what nulls of one key mean, if there is nothing beside it.
        if (conditions.Count == 0 && @in.Operands is [var only] && only.References().Any())
            return new Join(kind == JoinKind.Anti ? JoinKind.NullAwareAnti : kind, input, plan, matches[0], mark);
        var match = Conjuncts.All(matches)!;
        return kind == JoinKind.Anti
            ? new Join(JoinKind.Anti, input, plan, Conjuncts.All(conditions.Append(OpenMatch.MayBe(match))))
            : OpenMatch.Mark(input, plan, match, conditions, mark!);
    }

    private (LogicalPlan Rows, Expression Value) Scalar(LogicalPlan input, ScalarSubquery scalar)
    {
        var subquery = Apply(scalar.Plan);
        var (plan, conditions, isGrouped) = Unnest(input, subquery, true);
        var value = plan.Output[0];

        // An aggregate without keys has a value also where no row is: count(*) is 0 there, and no join gives that row.
        var empty = isGrouped ? Correlation.ValueOfNothing(subquery) : null;
        if (empty is null) return (new Join(JoinKind.Single, input, plan, Conjuncts.All(conditions)), value.AsNullable());
        var isThere = NamedExpression.New(Literal.True, "is there");
        var marked = new Project([.. plan.Output.Select(NamedExpression.Pass), isThere], plan);
        var isNull = new Call(BuiltinFunctions.Registry.FindScalar("isnull")!, [isThere.Column.AsNullable()], DataType.Boolean);
        return (new Join(JoinKind.Single, input, marked, Conjuncts.All(conditions)), new Case([isNull, empty], value.AsNullable()));
    }

    // The subquery without references to the query around it, and what its rows must fulfil instead.
    private static (LogicalPlan Plan, List<Expression> Conditions, bool IsGrouped) Unnest(LogicalPlan input, LogicalPlan subquery, bool isScalar)
    {
        if (Correlation.TryPullUp(subquery, input.Output, isScalar) is { } pulled) return (pulled.Plan, pulled.Conditions, pulled.Conditions.Count > 0);
        var (plan, conditions) = DependentJoin.Unnest(input, subquery);
        return (plan, conditions, false);
    }
}
