using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>
/// Gives each place of a subquery a copy of its own. Binding repeats expressions: HAVING and ORDER BY those of the select list, BETWEEN its operand. Two
/// joins of one plan would have two columns of one id.
/// </summary>
internal sealed class SeparateSubqueries
{
    private readonly HashSet<LogicalPlan> _seen = new(ReferenceEqualityComparer.Instance);

    private SeparateSubqueries() { }

    /// <summary>The plan without repeated subqueries; the same object if there are none.</summary>
    public static LogicalPlan Apply(LogicalPlan plan) => new SeparateSubqueries().Visit(plan);

    private LogicalPlan Visit(LogicalPlan plan) => plan.Rewrite(part =>
    {
        if (!part.Expressions.Any(expression => expression.Parts().Any(each => each is SubqueryExpression))) return part;
        var isChanged = false;
        var changed = part.MapExpressions(expression => expression.Rewrite(each =>
        {
            if (each is not SubqueryExpression subquery) return each;
            var own = Visit(_seen.Add(subquery.Plan) ? subquery.Plan : FreshColumns.Copy(subquery.Plan));
            if (ReferenceEquals(own, subquery.Plan)) return each;
            isChanged = true;
            return subquery.WithPlan(own);
        }));
        return isChanged ? changed : part;
    });
}
