using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>Puts semi joins as far below as what they read goes.</summary>
internal static class SemiJoins
{
    /// <summary>A plan without rows that have no match.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="right">Where matches are looked for.</param>
    /// <param name="condition">When rows match.</param>
    public static LogicalPlan Push(LogicalPlan plan, LogicalPlan right, Expression condition)
    {
        var needed = condition.References().Where(plan.Output.Contains).Distinct().ToList();
        switch (plan)
        {
            case Join { Kind: JoinKind.Inner } join when needed.All(join.Left.Output.Contains):
                return new Join(JoinKind.Inner, Push(join.Left, right, condition), join.Right, join.Condition);
            case Join { Kind: JoinKind.Inner } join when needed.All(join.Right.Output.Contains):
                return new Join(JoinKind.Inner, join.Left, Push(join.Right, right, condition), join.Condition);
            case Filter filter:
                return filter with { Input = Push(filter.Input, right, condition) };
            case Project project when SourcesOf(project.Items, needed) is { } sources:
                return new Project(project.Items, Push(project.Input, right, Over(condition, sources)));
            case Aggregate aggregate when SourcesOf(aggregate.Keys, needed) is { } sources:
                return new Aggregate(aggregate.Keys, aggregate.Aggregates, Push(aggregate.Input, right, Over(condition, sources)));
            default:
                return new Join(JoinKind.Semi, plan, right, condition);
        }
    }

    // Columns that are passed on as they are.
    private static Dictionary<ColumnReference, ColumnReference>? SourcesOf(ValueList<NamedExpression> items, List<ColumnReference> needed)
    {
        var sources = new Dictionary<ColumnReference, ColumnReference>();
        foreach (var column in needed)
        {
            if (items.FirstOrDefault(item => item.Column == column)?.Value is not ColumnReference source) return null;
            sources[column] = source;
        }
        return sources;
    }

    private static Expression Over(Expression condition, Dictionary<ColumnReference, ColumnReference> sources) =>
        condition.Rewrite(part => part is ColumnReference column && sources.TryGetValue(column, out var source) ? source : part);
}
