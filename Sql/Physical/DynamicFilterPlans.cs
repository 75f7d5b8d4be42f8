using Dataflow.Sql.Expressions;
using Dataflow.Sql.Joins;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Physical;

/// <summary>
/// Brings a filter that becomes known while the query runs to the scans that can use it: through operators of the same task that only pass the column on,
/// or leave rows out by themselves.
/// </summary>
internal static class DynamicFilterPlans
{
    /// <summary>The plan with the filter in its scans; null if no scan can have it.</summary>
    /// <param name="plan">Rows of which those may be left out that the filter does not want.</param>
    /// <param name="column">The column that it is about.</param>
    /// <param name="slot">The filter.</param>
    public static PhysicalPlan? Push(PhysicalPlan plan, ColumnReference column, DynamicFilterSlot slot)
    {
        switch (plan)
        {
            case ScanExec { Table: not Records.IRddTable { TakesDynamicFilters: false } } scan:
                var place = scan.Columns.IndexOf(column);
                return place < 0 ? null : scan with { Dynamic = [.. scan.Dynamic, new ScanSlot(scan.Request.Fields[place], slot)] };
            case FilterExec filter:
                return Push(filter.Input, column, slot) is { } filtered ? filter with { Input = filtered } : null;
            case ProjectExec project:
                if (project.Items.FirstOrDefault(item => item.Column == column)?.Value is not ColumnReference source) return null;
                return Push(project.Input, source, slot) is { } projected ? project with { Input = projected } : null;

            // Rows of the left are looked at one by one.
            case HashJoinExec { IsShared: true } join when join.Left.Output.Contains(column):
                return Push(join.Left, column, slot) is { } left ? join with { Left = left } : null;
            case UnionExec union:
                var position = union.Columns.IndexOf(column);
                var pushed = union.Branches.ConvertAll(branch => Push(branch, branch.Output[position], slot));
                return pushed.All(branch => branch is null) ? null : union with { Branches = [.. pushed.Select((branch, i) => branch ?? union.Branches[i])] };
            default:
                return null;
        }
    }
}
