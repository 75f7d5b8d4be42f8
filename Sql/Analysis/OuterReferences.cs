using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>The columns that a subquery reads of the queries around it.</summary>
internal static class OuterReferences
{
    /// <summary>Whether a plan reads columns that are not its own.</summary>
    public static bool Any(LogicalPlan plan)
    {
        List<ColumnReference> read = [];
        var own = new HashSet<ColumnId>();
        Collect(plan);
        return read.Exists(column => !own.Contains(column.Id));

        void Collect(LogicalPlan at)
        {
            foreach (var part in at.Parts())
            {
                foreach (var column in part.Output) own.Add(column.Id);
                foreach (var each in part.Expressions.SelectMany(expression => expression.Parts()))
                {
                    if (each is OuterReference outer) read.Add(outer.Column);
                    else if (each is SubqueryExpression subquery) Collect(subquery.Plan);
                }
            }
        }
    }

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
