using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Plans;

/// <summary>Copies plans so that the copy shares no column with the original: what a second use of a view, and both sides of a self-join, need.</summary>
internal sealed class FreshColumns
{
    private readonly Dictionary<ColumnId, ColumnId> _ids = [];

    private readonly Func<ColumnId> _next;

    private FreshColumns(Func<ColumnId> next) => _next = next;

    /// <summary>A copy of a plan, whose output has the same names and types under new ids. Columns of queries around it stay.</summary>
    public static LogicalPlan Copy(LogicalPlan plan) => Copy(plan, ColumnId.New);

    /// <summary>The same with ids of the caller's.</summary>
    public static LogicalPlan Copy(LogicalPlan plan, Func<ColumnId> next)
    {
        var copy = new FreshColumns(next);
        copy.Collect(plan);
        return copy.Map(plan);
    }

    private void Collect(LogicalPlan plan)
    {
        foreach (var part in plan.Parts())
        {
            foreach (var column in part.Output)
            {
                if (!_ids.ContainsKey(column.Id)) _ids.Add(column.Id, _next());
            }
        }
    }

    private LogicalPlan Map(LogicalPlan plan) => plan.Rewrite(part => (part.Expressions.Any(IsConcerned) ? part.MapExpressions(Map) : part).MapColumns(Map));

    // Tables of literals are passed over: they may be long.
    private static bool IsConcerned(Expression expression) =>
        expression is not Literal && expression.Parts().Any(part => part is ColumnReference or OuterReference or SubqueryExpression);

    private Expression Map(Expression expression) => expression.Rewrite(part =>
    {
        switch (part)
        {
            case ColumnReference column:
                return Map(column);
            case OuterReference outer:
                return new OuterReference(Map(outer.Column)) { Position = outer.Position };
            case SubqueryExpression subquery:
                Collect(subquery.Plan);
                return subquery.WithPlan(Map(subquery.Plan));
            default:
                return part;
        }
    });

    private ColumnReference Map(ColumnReference column) => _ids.TryGetValue(column.Id, out var id)
        ? new ColumnReference(id, column.Name, column.Type, column.Nullable) { Qualifier = column.Qualifier, Position = column.Position }
        : column;
}
