using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>
/// Semi joins that leave many rows out are done on the input of an inner join that they are about, before rows are paired. Others stay above, where fewer
/// rows come by.
/// </summary>
public sealed class PushDownSemiJoins : IRule
{
    // A part of the left's keys above which a semi join is not expected to leave out enough.
    private const double MostKept = 0.5;

    /// <inheritdoc/>
    public LogicalPlan Apply(LogicalPlan plan)
    {
        var inputs = plan.Inputs;
        if (inputs.Count > 0) plan = plan.WithInputs(inputs.ConvertAll(Apply));
        return plan is Join { Kind: JoinKind.Semi, Condition: { } condition } join && KeptBy(join, condition) <= MostKept ? SemiJoins.Push(join.Left, join.Right, condition) : plan;
    }

    private static double KeptBy(Join join, Expression condition)
    {
        var kept = 1.0;
        foreach (var conjunct in Conjuncts.Of(condition))
        {
            if (conjunct is not Call { Function.Name: "=", Arguments: [ColumnReference first, ColumnReference second] }) continue;
            var (mine, theirs) = join.Left.Output.Contains(first) ? (first, second) : (second, first);
            var left = Cardinality.DistinctOf(join.Left, mine, Cardinality.Of(join.Left));
            var right = Cardinality.DistinctOf(join.Right, theirs, Cardinality.Of(join.Right));

            // Keys that the right had before it was filtered count too: its filter is what leaves rows out.
            var all = Cardinality.DistinctOf(join.Right, theirs, double.MaxValue);
            kept = Math.Min(kept, right / Math.Max(left, all == double.MaxValue ? 1 : all));
        }
        return kept;
    }
}
