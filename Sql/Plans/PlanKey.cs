using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Plans;

/// <summary>Makes plans that compute the same in the same way equal by value: columns get numbers in the order in which they are met.</summary>
internal static class PlanKey
{
    /// <summary>A plan to compare with others; not one to run.</summary>
    public static LogicalPlan Of(LogicalPlan plan)
    {
        // What several places read is as good as written out at each.
        var written = plan.Rewrite(part => part is CommonTable common
            ? new Project([.. common.Columns.Zip(common.Definition.Plan.Output, (column, source) => new NamedExpression(source, column))], common.Definition.Plan)
            : part);
        var next = 0;
        return FreshColumns.Copy(written, () => new ColumnId(--next));
    }
}
