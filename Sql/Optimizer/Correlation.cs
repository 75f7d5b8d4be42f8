using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>What a subquery says of the query around it, taken out of it.</summary>
internal static class Correlation
{
    /// <summary>Takes the conditions that read outer columns out of a subquery.</summary>
    /// <returns>The subquery without them, whose output begins with its own columns and goes on with those that the conditions need; and the
    /// conditions, over columns of both.</returns>
    /// <exception cref="QueryException">Outer columns are read where no condition can be taken out.</exception>
    public static (LogicalPlan Plan, List<Expression> Conditions) PullUp(LogicalPlan plan)
    {
        List<Expression> conditions = [];
        var pulled = Pull(plan, conditions);
        if (pulled.Parts().Any(part => part.Expressions.Any(IsOuter))) throw Unsupported("reads the query around it in a place that is not a condition");
        return (pulled, conditions);
    }

    /// <summary>The value of a subquery's first column where it has no rows to aggregate; null if it has no row then, or the value is NULL.</summary>
    public static Expression? ValueOfNothing(LogicalPlan plan)
    {
        var value = Of(plan, plan.Output[0]);
        return value is null or Literal { Value: null } ? null : value;
    }

    private static Expression? Of(LogicalPlan plan, ColumnReference column)
    {
        switch (plan)
        {
            case Project project:
                var item = project.Items.First(each => each.Column == column).Value;
                var isKnown = true;
                var value = item.Rewrite(part =>
                {
                    if (part is not ColumnReference reference) return part;
                    var below = Of(project.Input, reference);
                    isKnown &= below is not null;
                    return below ?? part;
                });

                // A constant says nothing of whether there is a row.
                return isKnown && item.References().Any() && !value.Parts().Any(part => part is Literal { Value: null }) ? value : null;
            case Aggregate { Keys.Count: 0 } aggregate:
                var call = (AggregateCall)aggregate.Aggregates.First(each => each.Column == column).Value;
                return call.Function.IsNullable ? Literal.NullOf(call.Type) : new Literal(0L, call.Type);
            default:
                return null;
        }
    }

    private static LogicalPlan Pull(LogicalPlan plan, List<Expression> conditions)
    {
        switch (plan)
        {
            case Filter filter:
            {
                var input = Pull(filter.Input, conditions);
                List<Expression> own = [];
                foreach (var conjunct in Conjuncts.Of(filter.Condition)) (IsOuter(conjunct) ? conditions : own).Add(conjunct);
                for (var i = 0; i < conditions.Count; i++) conditions[i] = Unwrap(conditions[i]);
                return Conjuncts.All(own) is { } all ? new Filter(all, input) : input;
            }
            case Project project:
            {
                var input = Pull(project.Input, conditions);
                var needed = Needed(conditions, input, project.Output);
                return new Project([.. project.Items, .. needed.Select(NamedExpression.Pass)], input);
            }
            case Join { Kind: JoinKind.Inner } join:
            {
                var result = new Join(JoinKind.Inner, Pull(join.Left, conditions), Pull(join.Right, conditions), null);
                List<Expression> own = [];
                foreach (var conjunct in Conjuncts.Of(join.Condition))
                {
                    if (IsOuter(conjunct)) conditions.Add(Unwrap(conjunct));
                    else own.Add(conjunct);
                }
                return result.WithCondition(Conjuncts.All(own));
            }
            case Join { Kind: JoinKind.Left or JoinKind.Semi or JoinKind.Anti or JoinKind.Single or JoinKind.Mark or JoinKind.NullAwareAnti } join:
                return new Join(join.Kind, Pull(join.Left, conditions), join.Right, join.Condition, join.MarkColumn);
            case Aggregate aggregate:
                return PullAggregate(aggregate, conditions);
            case Sort sort:
                return sort with { Input = Pull(sort.Input, conditions) };
            case Limit when !IsFree(plan):
                throw Unsupported("has a LIMIT and reads the query around it");
            default:
                return plan;
        }
    }

    // Each value of what is compared with outer columns is a group of its own.
    private static Aggregate PullAggregate(Aggregate aggregate, List<Expression> conditions)
    {
        List<Expression> below = [];
        var input = Pull(aggregate.Input, below);
        if (below.Count == 0) return (Aggregate)aggregate.WithInputs([input]);
        var inside = input.Output.ToHashSet();
        List<NamedExpression> keys = [.. aggregate.Keys];
        foreach (var condition in below)
        {
            if (condition is not Call { Function.Name: "=", Arguments: [var first, var second] } equality)
                throw Unsupported("compares with the query around it by something else than '=' below an aggregate");
            var isFirst = first.References().Any() && first.References().All(inside.Contains) && !second.References().Any(inside.Contains);
            var isSecond = second.References().Any() && second.References().All(inside.Contains) && !first.References().Any(inside.Contains);
            if (!isFirst && !isSecond) throw Unsupported("compares its own and outer columns in one side of '=' below an aggregate");
            var own = isFirst ? first : second;
            var key = keys.FirstOrDefault(each => each.Value == own);
            if (key is null)
            {
                key = own is ColumnReference column ? new NamedExpression(column, new ColumnReference(column.Name, column.Type, column.Nullable)) : NamedExpression.New(own, "correlated");
                keys.Add(key);
            }
            conditions.Add(equality with { Arguments = isFirst ? [key.Column, second] : [first, key.Column] });
        }
        return new Aggregate([.. keys], aggregate.Aggregates, input);
    }

    private static IEnumerable<ColumnReference> Needed(List<Expression> conditions, LogicalPlan input, ValueList<ColumnReference> output) =>
        conditions.SelectMany(condition => condition.References()).Distinct().Where(column => input.Output.Contains(column) && !output.Contains(column)).ToList();

    private static bool IsFree(LogicalPlan plan) => !plan.Parts().Any(part => part.Expressions.Any(IsOuter));

    private static bool IsOuter(Expression expression) => expression.Parts().Any(part => part is OuterReference);

    private static Expression Unwrap(Expression expression) => expression.Rewrite(part => part is OuterReference outer ? outer.Column : part);

    private static QueryException Unsupported(string what) => new(
        "UNSUPPORTED_SUBQUERY", $"A subquery {what}, which can't be computed yet. Write it as a join with a derived table.");
}
