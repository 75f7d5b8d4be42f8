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
        return Inline(plan, uses, new Dictionary<CommonDefinition, CommonDefinition>(ReferenceEqualityComparer.Instance));
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

    private static LogicalPlan Inline(LogicalPlan plan, Dictionary<CommonDefinition, int> uses, Dictionary<CommonDefinition, CommonDefinition> shared) => plan.Rewrite(part =>
    {
        if (part is CommonTable common && uses[common.Definition] == 1)
        {
            var definition = Inline(common.Definition.Plan, uses, shared);
            return new Project([.. common.Columns.Zip(definition.Output, (column, source) => new NamedExpression(source, column))], definition);
        }
        if (part is CommonTable many)
        {
            // All uses of one that is kept go on sharing it.
            if (!shared.TryGetValue(many.Definition, out var kept))
            {
                var inside = Inline(many.Definition.Plan, uses, shared);
                kept = ReferenceEquals(inside, many.Definition.Plan) ? many.Definition : new CommonDefinition(many.Definition.Name, inside);
                shared.Add(many.Definition, kept);
            }
            return ReferenceEquals(kept, many.Definition) ? many : many with { Definition = kept };
        }
        return part.Expressions.Any(HasSubquery) ? part.MapExpressions(expression => expression.Rewrite(each => each is SubqueryExpression subquery
            ? subquery.WithPlan(Inline(subquery.Plan, uses, shared))
            : each)) : part;
    });

    private static bool HasSubquery(Expression expression) => expression.Parts().Any(part => part is SubqueryExpression);
}
