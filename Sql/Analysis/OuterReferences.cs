using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>The columns that a subquery reads of the queries around it.</summary>
internal static class OuterReferences
{
    /// <summary>The plan with each outer column replaced by what a function gives for it; the same object if none is another.</summary>
    public static LogicalPlan Map(LogicalPlan plan, Func<ColumnReference, ColumnReference> map) => plan.Rewrite(part =>
    {
        var isChanged = false;
        var mapped = part.MapExpressions(expression => expression.Rewrite(each =>
        {
            switch (each)
            {
                case OuterReference outer when map(outer.Column) is var column && column.Id != outer.Column.Id:
                    isChanged = true;
                    return new OuterReference(column) { Position = outer.Position };
                case SubqueryExpression subquery when Map(subquery.Plan, map) is var inner && !ReferenceEquals(inner, subquery.Plan):
                    isChanged = true;
                    return subquery.WithPlan(inner);
                default:
                    return each;
            }
        }));
        return isChanged ? mapped : part;
    });
}
