using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>Binds UNION, INTERSECT and EXCEPT: branches get columns of common types; the first one's names stay.</summary>
/// <param name="context">What the statement is bound with.</param>
/// <param name="bind">Binds a branch.</param>
internal sealed class SetBinder(BindingContext context, Func<BodySyntax, LogicalPlan> bind)
{
    /// <summary>Binds a set operation.</summary>
    public LogicalPlan Bind(SetSyntax set)
    {
        if (set.Kind != SetKind.Union)
        {
            var sides = Alike([bind(set.Left), bind(set.Right)], set);
            var isExcept = set.Kind == SetKind.Except;
            return new SetOperation(isExcept, set.KeepsDuplicates, sides[0], sides[1]);
        }
        // A chain of UNION ALL is one union, however long.
        List<LogicalPlan> branches = [];
        BodySyntax left = set;
        while (left is SetSyntax { Kind: SetKind.Union } union && union.KeepsDuplicates == set.KeepsDuplicates)
        {
            branches.Add(bind(union.Right));
            left = union.Left;
        }
        branches.Add(bind(left));
        branches.Reverse();
        var plan = Combine(Alike(branches, set));
        return set.KeepsDuplicates ? plan : Distinct(plan);
    }

    /// <summary>A union of branches whose columns have equal types.</summary>
    public static Union Combine(IReadOnlyList<LogicalPlan> branches) => new(
        [.. branches],
        [.. branches[0].Output.Select((column, i) => new ColumnReference(column.Name, column.Type, branches.Any(branch => branch.Output[i].Nullable)))]);

    /// <summary>Each row once.</summary>
    public static Aggregate Distinct(LogicalPlan plan) => new(plan.Output.ConvertAll(NamedExpression.Pass), [], plan);

    /// <summary>The branches, with copies for those that are another one again: a frame united with itself.</summary>
    private static IEnumerable<LogicalPlan> Apart(IReadOnlyList<LogicalPlan> branches)
    {
        var ids = new HashSet<ColumnId>();
        foreach (var branch in branches)
        {
            var own = branch.Parts().SelectMany(part => part.Output).Select(column => column.Id).ToHashSet();
            yield return ids.Overlaps(own) ? FreshColumns.Copy(branch) : branch;
            ids.UnionWith(own);
        }
    }

    private IReadOnlyList<LogicalPlan> Alike(IReadOnlyList<LogicalPlan> branches, SetSyntax set)
    {
        var operation = set.Kind.ToString().ToUpperInvariant();
        var width = branches[0].Output.Count;
        var types = new DataType[width];
        for (var number = 1; number < branches.Count; number++)
        {
            if (branches[number].Output.Count == width) continue;
            throw context.Error(
                "NUM_COLUMNS_MISMATCH",
                $"{operation}: the first query has {width} columns, query {number + 1} has {branches[number].Output.Count}.",
                set.Position);
        }
        for (var i = 0; i < width; i++)
        {
            types[i] = TypeCoercion.Common(branches.Select(branch => branch.Output[i].Type)) ?? throw context.Error(
                "INCOMPATIBLE_COLUMN_TYPE",
                $"{operation}: column {i + 1} ('{branches[0].Output[i].Name}') has types that do not go together: "
                    + $"{string.Join(", ", branches.Select(branch => branch.Output[i].Type.SqlName).Distinct())}.",
                set.Position);
        }
        return [.. Apart(branches).Select(branch => Cast(branch, types))];
    }

    private LogicalPlan Cast(LogicalPlan branch, DataType[] types)
    {
        if (branch.Output.Select(column => column.Type).SequenceEqual(types)) return branch;
        return new Project(
            [
                .. branch.Output.Select((column, i) => column.Type == types[i]
                    ? NamedExpression.Pass(column)
                    : NamedExpression.New(LiteralConversion.Cast(column, types[i], context.Session), column.Name)),
            ],
            branch);
    }
}
