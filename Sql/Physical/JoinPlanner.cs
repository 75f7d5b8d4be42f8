using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

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
        if (IsReducing(join, keys)) (left, right) = Reduced(left, right, keys, planner);

        // A table that all tasks share can't tell which of its rows none of them met.
        if (join.Kind != JoinKind.Full && (keys.Left.Count == 0 || Cardinality.Of(join.Right) <= planner.Options.SharedBuildRows))
        {
            return new HashJoinExec(join.Kind, left, right, keys.Left, keys.Right, keys.Others, IsShared: true, join.MarkColumn) { NullSafeKeys = keys.NullSafe };
        }
        var (placedLeft, leftKeys) = Place(left, keys.Left, planner);
        var (placedRight, rightKeys) = Place(right, keys.Right, planner);
        var placed = new HashJoinExec(join.Kind, placedLeft, placedRight, leftKeys, rightKeys, keys.Others, IsShared: false, join.MarkColumn) { NullSafeKeys = keys.NullSafe };
        return Trim(placed, join.Output);
    }

    // A few rows that look for matches among many.
    private static bool IsReducing(Join join, JoinKeys keys)
    {
        const double Many = 100_000;
        const double TimesFewer = 8;
        if (keys.Left.Count == 0 || join.Kind is not (JoinKind.Semi or JoinKind.Anti or JoinKind.Left or JoinKind.Single)) return false;
        var rows = Cardinality.Of(join.Right);
        return rows >= Many && Cardinality.Of(join.Left) * TimesFewer <= rows;
    }

    // Of the many only those are kept whose keys the few have.
    private static (PhysicalPlan Left, PhysicalPlan Right) Reduced(PhysicalPlan left, PhysicalPlan right, JoinKeys keys, Planner planner)
    {
        // Read twice, computed once.
        left = new ExchangeExec(new RoundRobinDistribution(planner.PartitionsFor()), left);
        var wanted = keys.Left.Select((key, i) => NamedExpression.New(key, $"join key {i}")).ToList();
        var reduced = new HashJoinExec(
            JoinKind.Semi, right, new ProjectExec([.. wanted], left), keys.Right, [.. wanted.Select(key => key.Column)], null, IsShared: true) { NullSafeKeys = keys.NullSafe };
        return (left, reduced);
    }

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
