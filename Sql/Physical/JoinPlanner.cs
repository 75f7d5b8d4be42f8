using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Rows;

namespace Dataflow.Sql.Physical;

/// <summary>Chooses how joins are computed: which side becomes a table, and whether all tasks share it.</summary>
internal static class JoinPlanner
{
    public static PhysicalPlan Plan(Join join, Planner planner) => join.Kind switch
    {
        // The plan above finds columns by id, so their order may change.
        JoinKind.Right => Build(new Join(JoinKind.Left, join.Right, join.Left, join.Condition), planner),
        JoinKind.Inner when Cardinality.Of(join.Left) < Cardinality.Of(join.Right) => Build(new Join(JoinKind.Inner, join.Right, join.Left, join.Condition), planner),
        _ => Build(join, planner),
    };

    private static PhysicalPlan Build(Join join, Planner planner)
    {
        var keys = JoinKeys.Of(join);
        var left = planner.Plan(join.Left);
        var right = planner.Plan(join.Right);

        // A table that all tasks share can't tell which of its rows none of them met; a part of one can't tell whether there is a null, or any row at all.
        var needsAll = join.Kind == JoinKind.NullAwareAnti || join is { Kind: JoinKind.Mark, MarkColumn.Nullable: true } || keys.Left.Count == 0;
        if (join.Kind != JoinKind.Full && (needsAll || Cardinality.Of(join.Right) <= planner.Options.SharedBuildRows))
        {
            return new HashJoinExec(join.Kind, left, right, keys.Left, keys.Right, keys.Others, IsShared: true, join.MarkColumn) 
            {
                NullSafeKeys = keys.NullSafe,
                Layout = LayoutOf(join.Right, keys.Right),
            };
        }
        var (placedLeft, leftKeys) = Place(left, keys.Left, planner);
        var (placedRight, rightKeys) = Place(right, keys.Right, planner);
        var placed = new HashJoinExec(join.Kind, placedLeft, placedRight, leftKeys, rightKeys, keys.Others, IsShared: false, join.MarkColumn) { NullSafeKeys = keys.NullSafe };
        return Trim(placed, join.Output);
    }

    private static KeyLayout? LayoutOf(LogicalPlan plan, ValueList<Expression> keys) =>
        KeyLayout.Of([.. keys.Select(key => key.Type)], [.. keys.Select(key => Cardinality.BoundsOf(plan, key))], Cardinality.Of(plan));

    private static (PhysicalPlan Plan, ValueList<Expression> Keys) Place(PhysicalPlan plan, ValueList<Expression> keys, Planner planner)
    {
        var added = keys.Where(key => key is not ColumnReference).Select((key, i) => NamedExpression.New(key, $"join key {i}")).ToList();
        var columns = keys.Select(key => key as ColumnReference ?? added.First(each => each.Value == key).Column).ToList();
        var input = added.Count == 0 ? plan : new ProjectExec([.. plan.Output.Select(NamedExpression.Pass), .. added], plan);
        return (planner.ByKeys(input, columns), [.. columns]);
    }

    private static PhysicalPlan Trim(PhysicalPlan plan, ValueList<ColumnReference> output) =>
        plan.Output.Count == output.Count ? plan : new ProjectExec(output.ConvertAll(NamedExpression.Pass), plan);
}
