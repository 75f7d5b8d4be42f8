using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Plans;

/// <summary>
/// About how many rows an inner join gives: rows of both sides over the number of distinct keys. Of several keys there are no more combinations than the
/// smaller table has rows, however many values each key has by itself.
/// </summary>
internal static class JoinSize
{
    public static double Of(LogicalPlan left, double leftRows, LogicalPlan right, double rightRows, IEnumerable<Expression> conditions)
    {
        var rows = leftRows * rightRows;
        var product = 1.0;
        var largest = 1.0;
        List<ColumnReference> leftKeys = [];
        List<ColumnReference> rightKeys = [];
        foreach (var condition in conditions)
        {
            if (condition is not Call { Function.Name: "=", Arguments: [ColumnReference first, ColumnReference second] })
            {
                rows *= Cardinality.SelectivityOf(condition);
                continue;
            }
            var (mine, theirs) = left.Output.Contains(first) ? (first, second) : (second, first);
            var distinct = Math.Max(1, Math.Max(Cardinality.DistinctOf(left, mine, leftRows), Cardinality.DistinctOf(right, theirs, rightRows)));
            product *= distinct;
            largest = Math.Max(largest, distinct);
            leftKeys.Add(mine);
            rightKeys.Add(theirs);
        }
        if (leftKeys.Count > 1)
        {
            var combinations = Math.Min(Cardinality.TableRowsOf(left, leftKeys) ?? product, Cardinality.TableRowsOf(right, rightKeys) ?? product);
            product = Math.Max(largest, Math.Min(product, combinations));
        }
        return Math.Max(1, rows / product);
    }
}
