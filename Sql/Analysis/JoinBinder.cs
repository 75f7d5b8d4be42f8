using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>Binds joins: ON, USING, NATURAL, and what names mean behind them.</summary>
/// <param name="context">What the statement is bound with.</param>
/// <param name="outer">The scope of the query around.</param>
/// <param name="commons">Names of WITH.</param>
internal sealed class JoinBinder(BindingContext context, Scope? outer, CommonTables commons)
{
    /// <summary>Binds a join of two sides that are bound.</summary>
    public (LogicalPlan Plan, IReadOnlyList<ScopeColumn> Columns) Bind(
        JoinSyntax join, (LogicalPlan Plan, IReadOnlyList<ScopeColumn> Columns) left, (LogicalPlan Plan, IReadOnlyList<ScopeColumn> Columns) right)
    {
        right = Apart(left.Plan, right);
        var binder = new ExpressionBinder(context, new Scope([.. left.Columns, .. right.Columns], outer), commons) { Clause = "a join's condition" };
        var names = join.IsNatural ? CommonNames(left.Columns, right.Columns) : join.Using;
        var pairs = names.ConvertAll(name => (Left: One(name, left.Columns, "left", join), Right: One(name, right.Columns, "right", join)));
        var condition = join.On is not null ? binder.BindCondition(join.On) : null;
        if (pairs.Count > 0) condition = binder.AllEqual(pairs.ConvertAll(pair => ((Expression)pair.Left.Column, (Expression)pair.Right.Column)), join.Position);
        var plan = new Join(join.Kind, left.Plan, right.Plan, condition);

        // Behind an outer join columns may be null that were not.
        var output = plan.Output.ToDictionary(column => column.Id);
        var leftColumns = left.Columns.Select(column => Behind(column, output)).ToArray();
        if (join.Kind is JoinKind.Semi or JoinKind.Anti) return (plan, leftColumns);
        var rightColumns = right.Columns.Select(column => Behind(column, output)).ToArray();
        return pairs.Count == 0 ? (plan, [.. leftColumns, .. rightColumns]) : Merged(join, plan, pairs, leftColumns, rightColumns);
    }

    /// <summary>The right side, with columns of its own where it is the left side again: a frame joined with itself.</summary>
    private static (LogicalPlan Plan, IReadOnlyList<ScopeColumn> Columns) Apart(LogicalPlan left, (LogicalPlan Plan, IReadOnlyList<ScopeColumn> Columns) right)
    {
        var ids = left.Parts().SelectMany(part => part.Output).Select(column => column.Id).ToHashSet();
        if (!right.Plan.Parts().Any(part => part.Output.Any(column => ids.Contains(column.Id)))) return right;
        var copy = FreshColumns.Copy(right.Plan);
        var places = right.Plan.Output.Select((column, i) => (column.Id, i)).DistinctBy(pair => pair.Id).ToDictionary(pair => pair.Id, pair => pair.i);
        return (copy, [.. right.Columns.Select(column => column with { Column = copy.Output[places[column.Column.Id]] with { Name = column.Column.Name } })]);
    }

    private static ScopeColumn Behind(ScopeColumn column, Dictionary<ColumnId, ColumnReference> output) =>
        output.TryGetValue(column.Column.Id, out var found) && found.Nullable != column.Column.Nullable ? column with { Column = column.Column.AsNullable() } : column;

    private static ValueList<string> CommonNames(IReadOnlyList<ScopeColumn> left, IReadOnlyList<ScopeColumn> right)
    {
        var names = right.Where(column => !column.IsMerged).Select(column => column.Column.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return [.. left.Where(column => !column.IsMerged && names.Contains(column.Column.Name)).Select(column => column.Column.Name)];
    }

    private ScopeColumn One(string name, IReadOnlyList<ScopeColumn> columns, string side, JoinSyntax join)
    {
        var found = columns.Where(column => !column.IsMerged && string.Equals(column.Column.Name, name, StringComparison.OrdinalIgnoreCase)).ToArray();
        if (found.Length == 1) return found[0];
        if (found.Length > 1)
        {
            throw context.Error(
                "AMBIGUOUS_REFERENCE",
                $"'{name}' can be {string.Join(" or ", found.Select(column => column.Display))} of the join's {side} side.",
                join.Position);
        }
        throw context.Error(
            "UNRESOLVED_USING_COLUMN_FOR_JOIN",
            $"The join's {side} side has no column '{name}'. It has: {Suggest.Some([.. columns.Select(column => column.Display)])}."
                + Suggest.Hint(name, columns.Select(column => column.Column.Name)),
            join.Position);
    }

    /// <summary>USING leaves one column of each pair: the side's that always has a value, or whichever has one.</summary>
    private (LogicalPlan Plan, IReadOnlyList<ScopeColumn> Columns) Merged(
        JoinSyntax join, LogicalPlan plan, ValueList<(ScopeColumn Left, ScopeColumn Right)> pairs, IReadOnlyList<ScopeColumn> left, IReadOnlyList<ScopeColumn> right)
    {
        var ids = pairs.SelectMany(pair => new[] { pair.Left.Column.Id, pair.Right.Column.Id }).ToHashSet();
        List<ScopeColumn> first = [];
        List<NamedExpression> added = [];
        foreach (var (a, b) in pairs)
        {
            if (join.Kind != JoinKind.Full)
            {
                var side = join.Kind == JoinKind.Right ? right : left;
                first.Add(side.First(column => column.Column.Id == (join.Kind == JoinKind.Right ? b : a).Column.Id && !column.IsMerged));
                continue;
            }
            var binder = new ExpressionBinder(context, new Scope([]), commons) { Clause = "USING" };
            var item = NamedExpression.New(binder.FirstOf(a.Column.AsNullable(), b.Column.AsNullable(), join.Position), a.Column.Name);
            added.Add(item);
            first.Add(new ScopeColumn(item.Column, null));
        }
        if (added.Count > 0) plan = new Project([.. plan.Output.Select(NamedExpression.Pass), .. added], plan);
        var rest = left.Concat(right).Where(column => !first.Contains(column))
            .Select(column => ids.Contains(column.Column.Id) ? column with { IsMerged = true } : column);
        return (plan, [.. first, .. rest]);
    }
}
