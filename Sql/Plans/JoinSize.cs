using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Plans;

/// <summary>About how many rows an inner join gives: rows of both sides over the larger number of distinct keys, equality by equality.</summary>
internal static class JoinSize
{
    public static double Of(LogicalPlan left, double leftRows, LogicalPlan right, double rightRows, IEnumerable<Expression> conditions)
    {
        var rows = leftRows * rightRows;
        foreach (var condition in conditions)
        {
            if (condition is Call { Function.Name: "=", Arguments: [ColumnReference first, ColumnReference second] })
            {
                var (mine, theirs) = left.Output.Contains(first) ? (first, second) : (second, first);
                var leftDistinct = Cardinality.DistinctOf(left, mine, leftRows);
                var rightDistinct = Cardinality.DistinctOf(right, theirs, rightRows);
                rows /= Math.Max(1, Math.Max(leftDistinct, rightDistinct));
            }
            else
            {
                rows *= Cardinality.SelectivityOf(condition);
            }
        }
        return Math.Max(1, rows);
    }
}
