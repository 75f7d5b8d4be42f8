using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>
/// Subqueries in the condition of a join that keeps rows without match. One that reads one side only is computed there. One that reads both is
/// computed for each row of one side with all values of the other that it may be asked about.
/// </summary>
internal static class OuterJoinSubqueries
{
    /// <summary>Replaces subqueries of an expression by columns, which it adds to a plan.</summary>
    public delegate Expression Values(Expression expression, ref LogicalPlan input);

    /// <summary>The join without subqueries; it may have columns more.</summary>
    /// <param name="join">The join.</param>
    /// <param name="hasSubquery">Whether an expression has a subquery.</param>
    /// <param name="values">Replaces subqueries by columns.</param>
    /// <param name="filter">Rewrites a filter with subqueries.</param>
    public static LogicalPlan Rewrite(Join join, Func<Expression, bool> hasSubquery, Values values, Func<Filter, LogicalPlan> filter)
    {
        var (left, right) = (join.Left, join.Right);
        List<Expression> on = [];
        List<Expression> ofBoth = [];
        foreach (var conjunct in Conjuncts.Of(join.Condition))
        {
            var isOfBoth = false;
            var value = conjunct.Rewrite(part =>
            {
                if (part is not SubqueryExpression subquery || isOfBoth) return part;
                var readsLeft = Reads(subquery, join.Left).Count > 0;
                var readsRight = Reads(subquery, join.Right).Count > 0;
                isOfBoth |= readsLeft && readsRight;
                if (isOfBoth) return part;
                return readsRight ? values(part, ref right) : values(part, ref left);
            });
            if (isOfBoth) ofBoth.Add(conjunct);
            else on.Add(value);
        }
        if (ofBoth.Count > 0)
        {
            if (join.Kind == JoinKind.Full)
                throw new QueryException("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.ACCESSING_OUTER_QUERY_COLUMN_IS_NOT_ALLOWED", "A subquery in the condition of a full join can't read both sides of it: move it into a derived table.");
            if (join.Kind == JoinKind.Right) left = OfBoth(left, join.Right);
            else right = OfBoth(right, join.Left);
        }
        return new Join(join.Kind, left, right, Conjuncts.All(on), join.MarkColumn);

        LogicalPlan OfBoth(LogicalPlan side, LogicalPlan other)
        {
            var columns = ofBoth.SelectMany(conjunct => Reads(conjunct, other)).Distinct().ToList();
            var (domain, copies) = DependentJoin.DomainOf(other, columns);
            var map = columns.Zip(copies).ToDictionary(pair => pair.First, pair => pair.Second);
            on.AddRange(DependentJoin.Same(columns, copies));
            return filter(new Filter(Conjuncts.All(ofBoth.Select(conjunct => Renamed(conjunct, map)))!, new Join(JoinKind.Inner, side, domain, null)));
        }
    }

    // Columns of a plan that an expression reads, in its subqueries too.
    private static List<ColumnReference> Reads(Expression expression, LogicalPlan plan)
    {
        HashSet<ColumnReference> wanted = [.. plan.Output];
        return [.. expression.Parts().SelectMany(part => part switch
        {
            ColumnReference column when wanted.Contains(column) => [column],
            SubqueryExpression subquery => Correlation.OuterColumns(subquery.Plan, plan.Output),
            _ => Enumerable.Empty<ColumnReference>(),
        }).Distinct()];
    }

    private static Expression Renamed(Expression expression, Dictionary<ColumnReference, ColumnReference> map) => expression.Rewrite(part => part switch
    {
        ColumnReference column when map.TryGetValue(column, out var copy) => copy,
        OuterReference outer when map.TryGetValue(outer.Column, out var copy) => new OuterReference(copy) { Position = outer.Position },
        SubqueryExpression subquery => subquery.WithPlan(subquery.Plan.Rewrite(plan => plan.MapExpressions(each => Renamed(each, map)))),
        _ => part,
    });
}
