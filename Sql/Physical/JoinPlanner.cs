using Dataflow.Sql.Expressions;
using Dataflow.Sql.Joins;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Physical;

/// <summary>Chooses how joins are computed: which side becomes a table, and whether all tasks share it.</summary>
internal static class JoinPlanner
{
    /// <summary>What a row takes in a table, beside itself.</summary>
    internal const long BytesOfRow = 24;

    private const int MostPartitions = 512;
    private const int LeastFrameRows = 256;

    /// <param name="join">The join.</param>
    /// <param name="needed">The columns that are wanted of it; null for all.</param>
    /// <param name="planner">Plans its sides.</param>
    public static PhysicalPlan Plan(Join join, IReadOnlySet<ColumnReference>? needed, Planner planner) => join.Kind switch
    {
        // The plan above finds columns by id, so their order may change.
        JoinKind.Right => Build(new Join(JoinKind.Left, join.Right, join.Left, join.Condition), needed, planner),
        JoinKind.Inner when Cardinality.Of(join.Left) < Cardinality.Of(join.Right) => Build(new Join(JoinKind.Inner, join.Right, join.Left, join.Condition), needed, planner),
        _ => Build(join, needed, planner),
    };

    private static PhysicalPlan Build(Join join, IReadOnlySet<ColumnReference>? needed, Planner planner)
    {
        var keys = JoinKeys.Of(join);
        var left = planner.Plan(join.Left);
        var right = planner.Plan(join.Right);
        ValueList<ColumnReference> kept = [.. join.Left.Output.Concat(join.Right.Output).Where(column => needed?.Contains(column) ?? true), .. keys.Others?.References() ?? []];

        // A table that all tasks share can't tell which of its rows none of them met.
        var build = Cardinality.Of(join.Right) * (BytesOfRow + Cardinality.WidthOf(join.Right));
        if (join.Kind != JoinKind.Full && (NeedsWholeTable(join.Kind, join.MarkColumn, keys.Left.Count) || build <= planner.Options.SharedBuildBytes))
        {
            var (withKeys, columns) = WithColumns(right, keys.Right);
            var filters = new DynamicFilterSlot?[keys.Left.Count];
            for (var i = 0; i < filters.Length && join.Kind is JoinKind.Inner or JoinKind.Semi; i++)
            {
                if (keys.NullSafe.Count > 0 && keys.NullSafe[i]) continue;
                if (keys.Left[i] is not ColumnReference column) continue;
                var slot = new DynamicFilterSlot($"{column} = {columns[i]}");
                if (DynamicFilterPlans.Push(left, column, slot) is not { } filtered) continue;
                left = filtered;
                filters[i] = slot;
            }
            return new HashJoinExec(join.Kind, left, withKeys, keys.Left, columns, keys.Others, IsShared: true, join.MarkColumn)
            {
                NullSafeKeys = keys.NullSafe,
                Filters = [.. filters],
                Kept = kept,
            };
        }

        // As many as fit into tables; but a task that places rows has some of each partition at hand.
        var open = planner.Options.PartitionBytes / (LeastFrameRows * Math.Max(Cardinality.WidthOf(join.Left), Cardinality.WidthOf(join.Right)));
        var fewest = planner.PartitionsFor();
        var partitions = PartitionsOf(build, planner.Options, fewest, Math.Clamp(open, fewest, MostPartitions));
        var (placedLeft, leftKeys) = Place(left, keys.Left, planner, partitions);
        var (placedRight, rightKeys) = Place(right, keys.Right, planner, partitions);
        return new HashJoinExec(join.Kind, placedLeft, placedRight, [.. leftKeys], rightKeys, keys.Others, IsShared: false, join.MarkColumn)
        {
            NullSafeKeys = keys.NullSafe,
            Kept = kept,
        };
    }

    /// <summary>Whether a join can't be parted by keys: a part of its table can't tell whether there is a null, or any row at all.</summary>
    internal static bool NeedsWholeTable(JoinKind kind, ColumnReference? mark, int keys) =>
        kind == JoinKind.NullAwareAnti || (kind == JoinKind.Mark && mark is { Nullable: true }) || keys == 0;

    /// <summary>Into how many partitions a join is parted.</summary>
    /// <param name="build">Bytes of the side that becomes tables.</param>
    /// <param name="options">How large a partition should be.</param>
    /// <param name="fewest">Not fewer.</param>
    /// <param name="most">Not more.</param>
    internal static int PartitionsOf(double build, PlannerOptions options, int fewest, double most = MostPartitions) =>
        (int)Math.Clamp(build / options.PartitionBytes, fewest, Math.Max(fewest, most));

    private static (PhysicalPlan Plan, ValueList<ColumnReference> Keys) Place(PhysicalPlan plan, ValueList<Expression> keys, Planner planner, int partitions)
    {
        var (input, columns) = WithColumns(plan, keys);
        return (planner.ByKeys(input, columns, partitions), columns);
    }

    // Keys that are not columns are computed beside them.
    internal static (PhysicalPlan Plan, ValueList<ColumnReference> Keys) WithColumns(PhysicalPlan plan, ValueList<Expression> keys)
    {
        var added = keys.Where(key => key is not ColumnReference).Distinct().Select((key, i) => NamedExpression.New(key, $"join key {i}")).ToList();
        var columns = keys.ConvertAll(key => key as ColumnReference ?? added.First(each => each.Value == key).Column);
        return (added.Count == 0 ? plan : new ProjectExec([.. plan.Output.Select(NamedExpression.Pass), .. added], plan), columns);
    }
}
