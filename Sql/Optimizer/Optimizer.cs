using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>A rewrite of plans that keeps their answer. Plans of kinds it does not know it leaves where they are.</summary>
public interface IRule
{
    /// <summary>The plan, or a better one with the same output.</summary>
    LogicalPlan Apply(LogicalPlan plan);
}

/// <summary>Applies rules in order.</summary>
/// <remarks>
/// Subqueries become joins first, since no other rule looks into them. Filters go down before joins are ordered, because what they leave decides the order,
/// and again after it, because join conditions have moved. Columns are pruned when everything has its place; what scans can use is told them last.
/// </remarks>
public sealed class QueryOptimizer
{
    private readonly IRule[] _rules;

    /// <summary>The built-in rules.</summary>
    /// <param name="more">Rules that come after them.</param>
    public QueryOptimizer(params IRule[] more) => _rules =
    [
        new InlineCommonTables(),
        new RewriteSubqueries(),
        new FoldConstants(),
        new FactorDisjunctions(),
        new PushDownFilters(),
        new PushDownSemiJoins(),
        new PushDownFilters(),
        new ReorderJoins(),
        new PushDownFilters(),
        new PruneColumns(),
        new ReduceByFewRows(),
        new PushIntoScans(),
        .. more,
    ];

    private QueryOptimizer(IRule[] rules, bool only) => _rules = only ? rules : [];

    /// <summary>These rules and no others.</summary>
    internal static QueryOptimizer Of(params IRule[] rules) => new(rules, only: true);

    /// <summary>The optimised plan.</summary>
    /// <param name="plan">A bound plan.</param>
    /// <param name="trace">Told of each rule that changed it.</param>
    public LogicalPlan Optimise(LogicalPlan plan, Action<string, LogicalPlan>? trace = null) =>
        Optimise(plan, trace, new Dictionary<CommonDefinition, CommonDefinition>(ReferenceEqualityComparer.Instance));

    private LogicalPlan Optimise(LogicalPlan plan, Action<string, LogicalPlan>? trace, Dictionary<CommonDefinition, CommonDefinition> common)
    {
        foreach (var rule in _rules)
        {
            var next = rule.Apply(plan);
            if (!ReferenceEquals(next, plan)) trace?.Invoke(rule.GetType().Name, next);
            plan = next;
        }

        // What several parts read is a plan of its own; all of them get the same one.
        return plan.Rewrite(part =>
        {
            if (part is not CommonTable table) return part;
            if (!common.TryGetValue(table.Definition, out var definition))
            {
                definition = new CommonDefinition(table.Definition.Name, Optimise(table.Definition.Plan, trace, common));
                common.Add(table.Definition, definition);
            }
            return table with { Definition = definition };
        });
    }
}
