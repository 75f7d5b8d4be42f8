using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>A query of WITH that is read once becomes part of who reads it.</summary>
public sealed class InlineCommonTables : IRule
{
    /// <inheritdoc/>
    public LogicalPlan Apply(LogicalPlan plan)
    {
        var uses = new Dictionary<CommonDefinition, int>(ReferenceEqualityComparer.Instance);
        Count(plan, uses);
        return Inline(plan, uses);
    }

    private static void Count(LogicalPlan plan, Dictionary<CommonDefinition, int> uses)
    {
        foreach (var part in plan.Parts())
        {
            if (part is CommonTable common)
            {
                uses[common.Definition] = uses.GetValueOrDefault(common.Definition) + 1;
                if (uses[common.Definition] == 1) Count(common.Definition.Plan, uses);
            }
            foreach (var subquery in part.Expressions.SelectMany(expression => expression.Parts()).OfType<SubqueryExpression>()) Count(subquery.Plan, uses);
        }
    }

    private static LogicalPlan Inline(LogicalPlan plan, Dictionary<CommonDefinition, int> uses) => plan.Rewrite(part =>
    {
        if (part is CommonTable common && uses[common.Definition] == 1)
        {
            var definition = Inline(common.Definition.Plan, uses);
            return new Project([.. common.Columns.Zip(definition.Output, (column, source) => new NamedExpression(source, column))], definition);
        }
        return part.Expressions.Any(HasSubquery) ? part.MapExpressions(expression => expression.Rewrite(each => each is SubqueryExpression subquery
            ? subquery.WithPlan(Inline(subquery.Plan, uses))
            : each)) : part;
    });

    private static bool HasSubquery(Expression expression) => expression.Parts().Any(part => part is SubqueryExpression);
}
