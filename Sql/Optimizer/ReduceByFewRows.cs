using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>
/// Where a few rows look for matches among many, only those of the many are computed whose keys the few have: the few are computed once, kept, and
/// become a semi join as far below as their keys go, below aggregates too.
/// </summary>
public sealed class ReduceByFewRows : IRule
{
    private const double Many = 100_000;
    private const double TimesFewer = 8;

    /// <inheritdoc/>
    public LogicalPlan Apply(LogicalPlan plan) => plan.Rewrite(part =>
        part is Join { Kind: JoinKind.Semi or JoinKind.Anti or JoinKind.Left or JoinKind.Single, Condition: not null } join ? Reduce(join) : part);

    private static LogicalPlan Reduce(Join join)
    {
        // What the right reads counts, not what an aggregate makes of it.
        var many = Cardinality.Of(Source(join.Right));
        if (many < Many || Cardinality.Of(join.Left) * TimesFewer > many || IsFew(join.Right)) return join;
        var left = join.Left.Output.ToHashSet();
        var right = join.Right.Output.ToHashSet();
        List<(ColumnReference Left, ColumnReference Right, Call Equality)> keys = [];
        foreach (var conjunct in Conjuncts.Of(join.Condition))
        {
            if (conjunct is not Call { Function.Name: "=", Arguments: [ColumnReference first, ColumnReference second] } equality) continue;
            if (left.Contains(first) && right.Contains(second)) keys.Add((first, second, equality));
            else if (left.Contains(second) && right.Contains(first)) keys.Add((second, first, equality));
        }
        if (keys.Count == 0) return join;

        var few = new CommonDefinition("few rows", join.Left);
        var kept = join.Left.Output.ConvertAll(Fresh);
        var wanted = join.Left.Output.ConvertAll(Fresh);
        var again = new Project([.. join.Left.Output.Zip(kept, (column, source) => new NamedExpression(source, column))], new CommonTable(few, kept));
        var condition = Conjuncts.All(keys.Select(key => key.Equality with { Arguments = [key.Right, wanted[IndexOf(join.Left.Output, key.Left)]] }))!;
        return new Join(join.Kind, again, SemiJoins.Push(join.Right, new CommonTable(few, wanted), condition), join.Condition, join.MarkColumn);
    }

    // A common table is computed already, and what it has was kept once.
    private static bool IsFew(LogicalPlan plan) => plan.Parts().Any(part => part is CommonTable);

    private static LogicalPlan Source(LogicalPlan plan) => plan switch
    {
        Project project => Source(project.Input),
        Filter filter => Source(filter.Input),
        Aggregate { Keys.Count: > 0 } aggregate => Source(aggregate.Input),
        _ => plan,
    };

    private static ColumnReference Fresh(ColumnReference column) => new(column.Name, column.Type, column.Nullable);

    private static int IndexOf(ValueList<ColumnReference> columns, ColumnReference column)
    {
        for (var i = 0; ; i++)
        {
            if (columns[i] == column) return i;
        }
    }
}
