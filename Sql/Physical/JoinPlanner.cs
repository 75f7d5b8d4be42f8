using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Physical;

/// <summary>Chooses how joins are computed: which side becomes a table, and whether all tasks share it.</summary>
internal static class JoinPlanner
{
    public static PhysicalPlan Plan(Join join, Planner planner)
    {
        if (join.Kind == JoinKind.Right) return Swapped(join, JoinKind.Left, planner);
        if (join.Kind == JoinKind.Inner && Cardinality.Of(join.Left) < Cardinality.Of(join.Right)) return Swapped(join, JoinKind.Inner, planner);
        var (leftKeys, rightKeys, rest) = Split(join);
        var left = planner.Plan(join.Left);
        var right = planner.Plan(join.Right);
        if (Reduced(join, leftKeys, left, right, planner) is { } reducer) (left, right) = (reducer.Left, reducer.Reduce(right, leftKeys, rightKeys));
        if (join.Kind != JoinKind.Full && (leftKeys.Count == 0 || Cardinality.Of(join.Right) <= planner.Options.SharedBuildRows))
            return new HashJoinExec(join.Kind, left, right, leftKeys, rightKeys, rest, IsShared: true, join.MarkColumn);
        var (placedLeft, newLeftKeys) = Place(left, leftKeys, planner);
        var (placedRight, newRightKeys) = Place(right, rightKeys, planner);
        return Trim(new HashJoinExec(join.Kind, placedLeft, placedRight, newLeftKeys, newRightKeys, rest, IsShared: false, join.MarkColumn), join.Output);
    }

    // The plan above finds columns by id, so their order may change; only joins whose output is that of both sides are swapped.
    private static PhysicalPlan Swapped(Join join, JoinKind kind, Planner planner)
    {
        var swapped = new Join(kind == JoinKind.Inner ? JoinKind.Left : kind, join.Right, join.Left, join.Condition);
        if (kind != JoinKind.Inner) return Plan(swapped, planner);
        var (leftKeys, rightKeys, rest) = Split(swapped);
        var left = planner.Plan(swapped.Left);
        var right = planner.Plan(swapped.Right);
        if (leftKeys.Count == 0 || Cardinality.Of(swapped.Right) <= planner.Options.SharedBuildRows)
            return new HashJoinExec(JoinKind.Inner, left, right, leftKeys, rightKeys, rest, IsShared: true);
        var (placedLeft, newLeftKeys) = Place(left, leftKeys, planner);
        var (placedRight, newRightKeys) = Place(right, rightKeys, planner);
        return Trim(new HashJoinExec(JoinKind.Inner, placedLeft, placedRight, newLeftKeys, newRightKeys, rest, IsShared: false), join.Output);
    }

    /// <summary>Finds equalities between one side and the other among the conjuncts of a condition.</summary>
    public static (ValueList<Expression> LeftKeys, ValueList<Expression> RightKeys, Expression? Others) Split(Join join)
    {
        var left = join.Left.Output.ToHashSet();
        var right = join.Right.Output.ToHashSet();
        List<Expression> leftKeys = [];
        List<Expression> rightKeys = [];
        List<Expression> rest = [];
        foreach (var conjunct in Conjuncts.Of(join.Condition))
        {
            if (conjunct is Call { Function.Name: "=", Arguments: [var first, var second] })
            {
                var (firstSide, secondSide) = (SideOf(first), SideOf(second));
                if (firstSide == 1 && secondSide == 2)
                {
                    leftKeys.Add(first);
                    rightKeys.Add(second);
                    continue;
                }
                if (firstSide == 2 && secondSide == 1)
                {
                    leftKeys.Add(second);
                    rightKeys.Add(first);
                    continue;
                }
            }
            rest.Add(conjunct);
        }
        return ([.. leftKeys], [.. rightKeys], Conjuncts.All(rest));

        // 1: the left alone, 2: the right alone, 0: both, or none.
        int SideOf(Expression expression)
        {
            var columns = expression.References().ToList();
            if (columns.Count == 0) return 0;
            if (columns.All(left.Contains)) return 1;
            return columns.All(right.Contains) ? 2 : 0;
        }
    }

    /// <summary>A few rows that look for matches among many: of the many only those are kept whose keys the few have.</summary>
    private static Reducer? Reduced(Join join, ValueList<Expression> leftKeys, PhysicalPlan left, PhysicalPlan right, Planner planner)
    {
        const double Many = 100_000;
        const double TimesFewer = 8;
        if (leftKeys.Count == 0 || join.Kind is not (JoinKind.Semi or JoinKind.Anti or JoinKind.Left or JoinKind.Single)) return null;
        var rows = Cardinality.Of(join.Right);
        if (rows < Many || Cardinality.Of(join.Left) * TimesFewer > rows) return null;

        // Read twice, computed once.
        return new Reducer(new ExchangeExec(new RoundRobinDistribution(planner.PartitionsFor()), left));
    }

    private sealed record Reducer(PhysicalPlan Left)
    {
        public PhysicalPlan Reduce(PhysicalPlan right, ValueList<Expression> leftKeys, ValueList<Expression> rightKeys)
        {
            var keys = leftKeys.Select((key, i) => NamedExpression.New(key, $"join key {i}")).ToList();
            return new HashJoinExec(JoinKind.Semi, right, new ProjectExec([.. keys], Left), rightKeys, [.. keys.Select(key => key.Column)], null, IsShared: true);
        }
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
