using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>Columns that nobody reads are not made: scans read fewer fields, joins and aggregates keep fewer columns.</summary>
public sealed class PruneColumns : IRule
{
    /// <inheritdoc/>
    public LogicalPlan Apply(LogicalPlan plan) => Prune(plan, [.. plan.Output]);

    private static LogicalPlan Prune(LogicalPlan plan, HashSet<ColumnReference> wanted)
    {
        switch (plan)
        {
            case Scan scan:
                return PruneScan(scan, wanted);
            case Project project:
            {
                ValueList<NamedExpression> items = [.. project.Items.Where(item => wanted.Contains(item.Column))];
                return new Project(items, Prune(project.Input, [.. items.SelectMany(item => item.Value.References())]));
            }
            case Aggregate aggregate:
            {
                ValueList<NamedExpression> aggregates = [.. aggregate.Aggregates.Where(item => wanted.Contains(item.Column))];
                return new Aggregate(aggregate.Keys, aggregates, Prune(aggregate.Input, [.. aggregate.Keys.Concat(aggregates).SelectMany(item => item.Value.References())]));
            }
            case SessionAggregate session:
            {
                ValueList<NamedExpression> aggregates = [.. session.Aggregates.Where(item => wanted.Contains(item.Column))];
                HashSet<ColumnReference> below = [.. session.Time.References(), .. session.Keys.Concat(aggregates).SelectMany(item => item.Value.References())];
                return new SessionAggregate(session.Keys, session.Time, session.GapMicroseconds, session.Start, session.End, aggregates, Prune(session.Input, below));
            }
            case Plans.Window window:
            {
                ValueList<NamedExpression> items = [.. window.Items.Where(item => wanted.Contains(item.Column))];
                if (items.Count == 0) return Prune(window.Input, wanted);
                return new Plans.Window(items, Prune(window.Input, [.. wanted, .. items.SelectMany(item => item.Value.References())]));
            }
            case Union union:
                return PruneUnion(union, wanted);
            case Filter or Sort or Limit:
            {
                HashSet<ColumnReference> below = [.. wanted, .. plan.References];
                return Only(plan.WithInputs([Prune(plan.Inputs[0], below)]), wanted);
            }
            case Join join:
            {
                HashSet<ColumnReference> below = [.. wanted, .. join.References];
                return Only(plan.WithInputs([Prune(join.Left, below), Prune(join.Right, below)]), wanted);
            }
            case Expand expand:
                return PruneExpand(expand, wanted);
            case SplitRows split:
            {
                ValueList<ColumnReference> passed = [.. split.Passed.Where(wanted.Contains)];
                return Only(split with { Passed = passed, Input = Prune(split.Input, [split.Text, .. passed]) }, wanted);
            }
            case { PassesColumns: true }:
            {
                HashSet<ColumnReference> below = [.. wanted, .. plan.References];
                return Only(plan.WithInputs([Prune(plan.Inputs[0], below)]), wanted);
            }
            default:
                // Of a kind that may read all it is given, or where columns go by position.
                return plan.Inputs.Count == 0 ? plan : plan.WithInputs(plan.Inputs.ConvertAll(input => Prune(input, [.. input.Output])));
        }
    }

    // A column that a condition needed, and nobody above does.
    private static LogicalPlan Only(LogicalPlan plan, HashSet<ColumnReference> wanted) => plan.Output.All(wanted.Contains)
        ? plan
        : new Project([.. plan.Output.Where(wanted.Contains).Select(NamedExpression.Pass)], plan);

    private static Scan PruneScan(Scan scan, HashSet<ColumnReference> wanted)
    {
        var kept = Enumerable.Range(0, scan.Columns.Count).Where(i => wanted.Contains(scan.Columns[i])).ToList();
        return kept.Count == scan.Columns.Count ? scan : scan with { Fields = [.. kept.Select(i => scan.Fields[i])], Columns = [.. kept.Select(i => scan.Columns[i])] };
    }

    private static Union PruneUnion(Union union, HashSet<ColumnReference> wanted)
    {
        var kept = Enumerable.Range(0, union.Columns.Count).Where(i => wanted.Contains(union.Columns[i])).ToList();
        var branches = union.Branches.ConvertAll(branch =>
        {
            ValueList<ColumnReference> columns = [.. kept.Select(i => branch.Output[i])];
            var pruned = Prune(branch, [.. columns]);
            return pruned.Output.SequenceEqual(columns) ? pruned : new Project(columns.ConvertAll(NamedExpression.Pass), pruned);
        });
        return new Union(branches, [.. kept.Select(i => union.Columns[i])]);
    }

    private static Expand PruneExpand(Expand expand, HashSet<ColumnReference> wanted)
    {
        var kept = Enumerable.Range(0, expand.Columns.Count).Where(i => wanted.Contains(expand.Columns[i])).ToList();
        ValueList<ValueList<Expression>> projections = expand.Projections.ConvertAll(list => new ValueList<Expression>(kept.Select(i => list[i])));
        var below = Prune(expand.Input, [.. projections.SelectMany(list => list).SelectMany(expression => expression.References())]);
        return new Expand(projections, [.. kept.Select(i => expand.Columns[i])], below);
    }
}
