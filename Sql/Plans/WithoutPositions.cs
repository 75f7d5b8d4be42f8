using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Plans;

/// <summary>Forgets where in a text the expressions of a plan stood: a view is read by queries of other texts, in which those places are something else.</summary>
internal sealed class WithoutPositions
{
    private readonly Dictionary<CommonDefinition, CommonDefinition> _definitions = new(ReferenceEqualityComparer.Instance);

    private WithoutPositions() { }

    /// <summary>The same plan.</summary>
    public static LogicalPlan Of(LogicalPlan plan) => new WithoutPositions().Map(plan);

    private LogicalPlan Map(LogicalPlan plan) => plan.Rewrite(part =>
    {
        if (part is CommonTable common) return common with { Definition = Map(common.Definition) };
        return part.Expressions.Any(expression => expression.Parts().Any(each => each.Position.Start >= 0 || each is SubqueryExpression))
            ? part.MapExpressions(Map) : part;
    });

    private CommonDefinition Map(CommonDefinition definition)
    {
        if (!_definitions.TryGetValue(definition, out var mapped)) _definitions[definition] = mapped = new CommonDefinition(definition.Name, Map(definition.Plan));
        return mapped;
    }

    private Expression Map(Expression expression) => expression.Rewrite(part =>
    {
        if (part is SubqueryExpression subquery) part = subquery.WithPlan(Map(subquery.Plan));
        return part.Position.Start < 0 ? part : part with { Position = new TextPosition(-1) };
    });
}
