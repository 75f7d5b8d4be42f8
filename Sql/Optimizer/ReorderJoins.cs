using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>
/// Inner joins are done in the order that is likely to make the fewest rows on the way: by dynamic programming over connected sets up to
/// <see cref="MostExact"/> inputs (G. Moerkotte and T. Neumann, "Analysis of Two Existing and One New Dynamic Programming Algorithm", 2006), greedily beyond.
/// Columns that conditions make equal to each other are so in any order: of <c>a = b</c> and <c>b = c</c> follows <c>a = c</c>.
/// </summary>
public sealed class ReorderJoins : IRule
{
    /// <summary>Inputs up to which all orders are looked at.</summary>
    public const int MostExact = 11;

    /// <inheritdoc/>
    public LogicalPlan Apply(LogicalPlan plan)
    {
        if (plan is not Join { Kind: JoinKind.Inner } join) return plan.Inputs.Count == 0 ? plan : plan.WithInputs(plan.Inputs.ConvertAll(Apply));
        List<LogicalPlan> inputs = [];
        List<Expression> conditions = [];
        Flatten(join, inputs, conditions);
        for (var i = 0; i < inputs.Count; i++) inputs[i] = Apply(inputs[i]);
        if (inputs.Count == 2 || inputs.Count > 60) return Rebuild(inputs, conditions);
        var graph = new JoinGraph(inputs, conditions);
        var best = inputs.Count <= MostExact ? graph.Exact() : graph.Greedy();
        return Conjuncts.All(conditions.Where(condition => !graph.IsUsed(condition))) is { } rest ? new Filter(rest, best) : best;
    }

    private static void Flatten(LogicalPlan plan, List<LogicalPlan> inputs, List<Expression> conditions)
    {
        switch (plan)
        {
            case Join { Kind: JoinKind.Inner } join:
                Flatten(join.Left, inputs, conditions);
                Flatten(join.Right, inputs, conditions);
                conditions.AddRange(Conjuncts.Of(join.Condition));
                break;
            default:
                inputs.Add(plan);
                break;
        }
    }

    private static LogicalPlan Rebuild(List<LogicalPlan> inputs, List<Expression> conditions)
    {
        var result = inputs[0];
        var left = conditions;
        foreach (var input in inputs.Skip(1))
        {
            HashSet<ColumnReference> columns = [.. result.Output, .. input.Output];
            var on = left.Where(condition => condition.References().All(columns.Contains)).ToList();
            left = left.Except(on).ToList();
            result = new Join(JoinKind.Inner, result, input, Conjuncts.All(on));
        }
        return result;
    }
}
