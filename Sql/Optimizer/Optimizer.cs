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

    /// <summary>The same rules without those that compute a part once and read it in several places, which a stream can't be.</summary>
    internal QueryOptimizer ForStreams() => new([.. _rules.Where(rule => rule is not ReduceByFewRows)], only: true);

    /// <summary>These rules and no others.</summary>
    internal static QueryOptimizer Of(params IRule[] rules) => new(rules, only: true);

    /// <summary>The optimised plan.</summary>
    /// <param name="plan">A bound plan.</param>
    /// <param name="trace">Told of each rule that changed it.</param>
    public LogicalPlan Optimise(LogicalPlan plan, Action<string, LogicalPlan>? trace = null) =>
        Optimise(plan, _rules, trace, new Dictionary<CommonDefinition, CommonDefinition>(ReferenceEqualityComparer.Instance));

    // What several places read is optimised by itself, once, before it is asked how large it is.
    private static LogicalPlan Optimise(LogicalPlan plan, IRule[] rules, Action<string, LogicalPlan>? trace, Dictionary<CommonDefinition, CommonDefinition> shared)
    {
        foreach (var rule in rules)
        {
            var next = rule.Apply(plan);
            if (!ReferenceEquals(next, plan)) trace?.Invoke(rule.GetType().Name, next);
            plan = rule is InlineCommonTables ? next : next.Rewrite(part => part is CommonTable common ? WithOptimised(common, rules, shared) : part);
        }
        return plan;
    }

    private static CommonTable WithOptimised(CommonTable common, IRule[] rules, Dictionary<CommonDefinition, CommonDefinition> shared)
    {
        if (!shared.TryGetValue(common.Definition, out var optimised))
        {
            IRule[] own = [.. rules.Where(rule => rule is not InlineCommonTables)];
            optimised = new CommonDefinition(common.Definition.Name, Optimise(common.Definition.Plan, own, null, shared));
            shared.Add(common.Definition, optimised);
            shared.Add(optimised, optimised);
        }
        return ReferenceEquals(common.Definition, optimised) ? common : common with { Definition = optimised };
    }
}
