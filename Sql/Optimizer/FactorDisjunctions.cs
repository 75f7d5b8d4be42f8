using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>
/// <c>(a AND b) OR (a AND c)</c> becomes <c>a AND (b OR c)</c>, so that joins find their keys; and what every branch says of one relation alone is
/// added as a condition of that relation, which filters before the join.
/// </summary>
public sealed class FactorDisjunctions : IRule
{
    /// <inheritdoc/>
    public LogicalPlan Apply(LogicalPlan plan) => plan.Rewrite(part => part switch
    {
        Filter filter => filter with { Condition = Factor(filter.Condition) },
        Join { Condition: { } condition } join => new Join(join.Kind, join.Left, join.Right, Factor(condition), join.MarkColumn),
        _ => part,
    });

    private static Expression Factor(Expression condition)
    {
        List<Expression> all = [];
        foreach (var conjunct in Conjuncts.Of(condition))
        {
            if (conjunct is Call { Function.Name: "or" } or) all.AddRange(Factored(or));
            else all.Add(conjunct);
        }
        return Conjuncts.All(all) ?? condition;
    }

    private static IEnumerable<Expression> Factored(Call or)
    {
        var branches = Branches(or).Select(branch => Conjuncts.Of(branch).ToList()).ToList();
        var common = branches[0].Where(each => branches.All(branch => branch.Contains(each))).Distinct().ToList();
        foreach (var each in common) yield return each;
        var rests = branches.Select(branch => branch.Where(each => !common.Contains(each)).ToList()).ToList();
        if (rests.Any(rest => rest.Count == 0)) yield break;
        yield return Any(or, rests.Select(rest => Conjuncts.All(rest)!));

        // By the table that columns came from: what a filter of it alone may say.
        var tables = rests[0].SelectMany(each => each.References()).Select(column => column.Qualifier).Distinct().ToList();
        if (tables.Count < 2) yield break;
        foreach (var table in tables)
        {
            var own = rests.Select(rest => Conjuncts.All(rest.Where(each =>
                each.References().Any() && each.References().All(column => column.Qualifier == table)))).ToList();
            if (own.All(each => each is not null)) yield return Any(or, own!);
        }
    }

    private static IEnumerable<Expression> Branches(Expression condition) =>
        condition is Call { Function.Name: "or" } or ? or.Arguments.SelectMany(Branches) : [condition];

    private static Expression Any(Call or, IEnumerable<Expression> branches) => branches.Aggregate((left, right) => new Call(or.Function, [left, right], DataType.Boolean));
}
