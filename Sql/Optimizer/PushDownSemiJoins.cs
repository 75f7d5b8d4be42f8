using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>Semi and anti joins, which only leave rows out, are done on the input of an inner join that they are about, before rows are paired.</summary>
public sealed class PushDownSemiJoins : IRule
{
    /// <inheritdoc/>
    public LogicalPlan Apply(LogicalPlan plan)
    {
        var inputs = plan.Inputs;
        if (inputs.Count > 0) plan = plan.WithInputs(inputs.ConvertAll(Apply));
        return plan is Join { Kind: JoinKind.Semi or JoinKind.Anti or JoinKind.NullAwareAnti, Condition: { } condition } join ? Push(join, condition, join.Left) : plan;
    }

    private static LogicalPlan Push(Join join, Expression condition, LogicalPlan left)
    {
        var needed = condition.References().Where(left.Output.Contains).Distinct().ToList();
        if (needed.Count > 0)
        {
            switch (left)
            {
                case Join { Kind: JoinKind.Inner } inner when needed.All(inner.Left.Output.Contains):
                    return new Join(JoinKind.Inner, Push(join, condition, inner.Left), inner.Right, inner.Condition);
                case Join { Kind: JoinKind.Inner } inner when needed.All(inner.Right.Output.Contains):
                    return new Join(JoinKind.Inner, inner.Left, Push(join, condition, inner.Right), inner.Condition);
                case Filter filter:
                    return filter with { Input = Push(join, condition, filter.Input) };
            }
        }
        return new Join(join.Kind, left, join.Right, condition);
    }
}
