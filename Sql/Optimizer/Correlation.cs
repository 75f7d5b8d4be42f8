using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>Takes the conditions that read columns of the query around it out of a subquery: the cheap way to make it a join, where there is one.</summary>
internal sealed class Correlation
{
    private readonly HashSet<ColumnReference> _outer;

    private Correlation(IEnumerable<ColumnReference> outer) => _outer = [.. outer];

    /// <summary>Takes conditions out.</summary>
    /// <param name="plan">The subquery.</param>
    /// <param name="outer">The columns of the query around it. References to queries still further out stay.</param>
    /// <param name="allowsLoneAggregate">Whether an aggregate without keys may be grouped by what it is compared with: it has no row then where it would have had
    /// one, which <see cref="ValueOfNothing"/> makes good for subqueries that stand for a value.</param>
    /// <returns>The subquery without them, whose output begins with its own columns and goes on with those that the conditions need; and the
    /// conditions, over columns of both. Null if it reads outer columns where no condition can be taken out.</returns>
    public static (LogicalPlan Plan, List<Expression> Conditions)? TryPullUp(LogicalPlan plan, IEnumerable<ColumnReference> outer, bool allowsLoneAggregate)
    {
        var correlation = new Correlation(outer);
        List<Expression> conditions = [];
        var pulled = correlation.Pull(plan, conditions, allowsLoneAggregate);
        return pulled is null || !correlation.IsFree(pulled) ? null : (pulled, conditions);
    }

    /// <summary>Columns of the query around that a subquery reads, each once.</summary>
    public static List<ColumnReference> OuterColumns(LogicalPlan plan, IEnumerable<ColumnReference> outer)
    {
        HashSet<ColumnReference> wanted = [.. outer];
        HashSet<ColumnReference> found = [];
        Collect(plan);
        return [.. found];

        void Collect(LogicalPlan each)
        {
            foreach (var expression in each.Parts().SelectMany(part => part.Expressions).SelectMany(expression => expression.Parts()))
            {
                if (expression is OuterReference reference && wanted.Contains(reference.Column)) found.Add(reference.Column);
                else if (expression is SubqueryExpression subquery) Collect(subquery.Plan);
            }
        }
    }

    /// <summary>The value of a subquery's first column where an aggregate without keys has no rows; null if it has no such aggregate, or the value is NULL.</summary>
    public static Expression? ValueOfNothing(LogicalPlan plan) => Of(plan, plan.Output[0]) is { } value && value is not Literal { Value: null } ? value : null;

    private static Expression? Of(LogicalPlan plan, ColumnReference column)
    {
        switch (plan)
        {
            case Project project when HasLoneAggregate(project.Input):
                var item = project.Items.First(each => each.Column == column).Value;
                return item.Rewrite(part => part is ColumnReference reference ? Of(project.Input, reference)! : part);
            case Aggregate { Keys.Count: 0 } aggregate:
                return OfNoRows(aggregate, column);
            default:
                return null;
        }
    }

    /// <summary>What an aggregate of no rows is.</summary>
    public static Literal OfNoRows(Aggregate aggregate, ColumnReference column)
    {
        var call = (AggregateCall)aggregate.Aggregates.First(each => each.Column == column).Value;
        return call.Function.IsNullable ? Literal.NullOf(call.Type) : new Literal(0L, call.Type);
    }

    private static bool HasLoneAggregate(LogicalPlan plan) => plan is Aggregate { Keys.Count: 0 } || (plan is Project project && HasLoneAggregate(project.Input));

    // Null if conditions can't be taken out.
    private LogicalPlan? Pull(LogicalPlan plan, List<Expression> conditions, bool allowsLoneAggregate)
    {
        switch (plan)
        {
            case Filter filter:
            {
                if (Pull(filter.Input, conditions, false) is not { } input) return null;
                List<Expression> own = [];
                foreach (var conjunct in Conjuncts.Of(filter.Condition)) (IsOuter(conjunct) ? conditions : own).Add(Unwrap(conjunct));
                return Conjuncts.All(own) is { } all ? new Filter(all, input) : input;
            }
            case Project project:
            {
                if (Pull(project.Input, conditions, allowsLoneAggregate) is not { } input) return null;
                var needed = Needed(conditions, input, project.Output);
                return new Project([.. project.Items, .. needed.Select(NamedExpression.Pass)], input);
            }
            case Join { Kind: JoinKind.Inner } join:
            {
                if (Pull(join.Left, conditions, false) is not { } left || Pull(join.Right, conditions, false) is not { } right) return null;
                List<Expression> own = [];
                foreach (var conjunct in Conjuncts.Of(join.Condition)) (IsOuter(conjunct) ? conditions : own).Add(Unwrap(conjunct));
                return new Join(JoinKind.Inner, left, right, Conjuncts.All(own));
            }
            case Join { Kind: JoinKind.Left or JoinKind.Semi or JoinKind.Anti or JoinKind.Single or JoinKind.Mark or JoinKind.NullAwareAnti } join:
                return Pull(join.Left, conditions, false) is { } kept ? new Join(join.Kind, kept, join.Right, join.Condition, join.MarkColumn) : null;
            case Aggregate aggregate:
                return PullAggregate(aggregate, conditions, allowsLoneAggregate);
            case Sort sort:
                return Pull(sort.Input, conditions, false) is { } sorted ? sort with { Input = sorted } : null;
            default:
                return IsFree(plan) ? plan : null;
        }
    }

    // Each value of what is compared with outer columns is a group of its own.
    private Aggregate? PullAggregate(Aggregate aggregate, List<Expression> conditions, bool allowsLoneAggregate)
    {
        List<Expression> below = [];
        if (Pull(aggregate.Input, below, false) is not { } input) return null;
        if (below.Count == 0) return (Aggregate)aggregate.WithInputs([input]);
        if (aggregate.Keys.Count == 0 && !allowsLoneAggregate) return null;
        var inside = input.Output.ToHashSet();
        List<NamedExpression> keys = [.. aggregate.Keys];
        foreach (var condition in below)
        {
            if (condition is not Call { Function.Name: "=", Arguments: [var first, var second] } equality) return null;
            var isFirst = first.References().Any() && first.References().All(inside.Contains) && !second.References().Any(inside.Contains);
            var isSecond = second.References().Any() && second.References().All(inside.Contains) && !first.References().Any(inside.Contains);
            if (!isFirst && !isSecond) return null;
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

    private bool IsFree(LogicalPlan plan) => !plan.Parts().Any(part => part.Expressions.Any(IsOuter));

    private bool IsOuter(Expression expression) => expression.Parts().Any(part => part is OuterReference outer && _outer.Contains(outer.Column));

    private Expression Unwrap(Expression expression) => expression.Rewrite(part => part is OuterReference outer && _outer.Contains(outer.Column) ? outer.Column : part);
}
