using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Plans;

/// <summary>
/// About how many rows an inner join gives: rows of both sides over the number of distinct keys. Of several keys there are no more combinations than the
/// smaller table has rows, however many values each key has by itself.
/// </summary>
internal static class JoinSize
{
    /// <summary>Of two plans.</summary>
    public static double Of(LogicalPlan left, double leftRows, LogicalPlan right, double rightRows, IEnumerable<Expression> conditions) => Of(
        leftRows, rightRows, conditions, left.Output.Contains, column => Cardinality.DistinctOf(left, column, leftRows), column => Cardinality.DistinctOf(right, column, rightRows),
        columns => Cardinality.TableRowsOf(left, columns), columns => Cardinality.TableRowsOf(right, columns));

    /// <summary>Of two sides that need not be plans yet.</summary>
    /// <param name="leftRows">Rows of the left side.</param>
    /// <param name="rightRows">Rows of the right side.</param>
    /// <param name="conditions">What the join is on.</param>
    /// <param name="isLeft">Whether a column is the left side's.</param>
    /// <param name="leftDistinct">How many values a column of the left side has.</param>
    /// <param name="rightDistinct">How many values a column of the right side has.</param>
    /// <param name="leftTable">Rows of the one table that columns of the left side come from; null if they come from several.</param>
    /// <param name="rightTable">The same of the right side.</param>
    public static double Of(
        double leftRows,
        double rightRows,
        IEnumerable<Expression> conditions,
        Func<ColumnReference, bool> isLeft,
        Func<ColumnReference, double> leftDistinct,
        Func<ColumnReference, double> rightDistinct,
        Func<IReadOnlyList<ColumnReference>, double?> leftTable,
        Func<IReadOnlyList<ColumnReference>, double?> rightTable)
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
            var (mine, theirs) = isLeft(first) ? (first, second) : (second, first);
            var distinct = Math.Max(1, Math.Max(leftDistinct(mine), rightDistinct(theirs)));
            product *= distinct;
            largest = Math.Max(largest, distinct);
            leftKeys.Add(mine);
            rightKeys.Add(theirs);
        }
        if (leftKeys.Count > 1)
        {
            var combinations = Math.Min(leftTable(leftKeys) ?? product, rightTable(rightKeys) ?? product);
            product = Math.Max(largest, Math.Min(product, combinations));
        }
        return Math.Max(1, rows / product);
    }
}
