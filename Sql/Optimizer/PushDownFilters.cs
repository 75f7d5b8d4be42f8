using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>
/// Conditions go down to where they can be answered first; those of two sides become conditions of the join. As in Spark, a condition that fails for some
/// values may so meet rows that a join would have left out.
/// </summary>
public sealed class PushDownFilters : IRule
{
    /// <inheritdoc/>
    public LogicalPlan Apply(LogicalPlan plan) => Push(plan, []);

    private static LogicalPlan Push(LogicalPlan plan, List<Expression> conditions)
    {
        switch (plan)
        {
            case Filter filter:
                return Push(filter.Input, [.. Conjuncts.Of(filter.Condition), .. conditions]);
            case Project project:
                return PushProject(project, conditions);
            case Join join:
                return PushJoin(join, conditions);
            case Aggregate aggregate:
                return PushAggregate(aggregate, conditions);
            case Union union:
                var branches = union.Branches.ConvertAll(branch => Push(branch, [.. conditions.Select(condition => Over(condition, union.Columns, branch.Output))]));
                return union with { Branches = branches };
            case Sort sort:
                return sort with { Input = Push(sort.Input, conditions) };
            case Plans.Window window:
                return PushWindow(window, conditions);
            default:
                var inputs = plan.Inputs;
                return Above(inputs.Count == 0 ? plan : plan.WithInputs(inputs.ConvertAll(input => Push(input, []))), conditions);
        }
    }

    private static LogicalPlan Above(LogicalPlan plan, IEnumerable<Expression> conditions) => Conjuncts.All(conditions.Distinct()) is { } all ? new Filter(all, plan) : plan;

    private static Expression Over(Expression condition, ValueList<ColumnReference> from, ValueList<ColumnReference> to)
    {
        var map = from.Zip(to).ToDictionary(pair => pair.First, pair => pair.Second);
        return condition.Rewrite(part => part is ColumnReference column && map.TryGetValue(column, out var other) ? other : part);
    }

    private static LogicalPlan PushProject(Project project, List<Expression> conditions)
    {
        var values = project.Items.ToDictionary(item => item.Column, item => item.Value);
        List<Expression> below = [];
        List<Expression> above = [];
        foreach (var condition in conditions)
        {
            var canMove = condition.References().All(column => !values.TryGetValue(column, out var value) || value.IsDeterministic);
            if (canMove) below.Add(condition.Rewrite(part => part is ColumnReference column && values.TryGetValue(column, out var value) ? value : part));
            else above.Add(condition);
        }
        return Above(new Project(project.Items, Push(project.Input, below)), above);
    }

    private static LogicalPlan PushAggregate(Aggregate aggregate, List<Expression> conditions)
    {
        var keys = aggregate.Keys.ToDictionary(key => key.Column, key => key.Value);
        List<Expression> below = [];
        List<Expression> above = [];
        foreach (var condition in conditions)
        {
            var columns = condition.References().ToList();
            if (columns.Count > 0 && columns.All(keys.ContainsKey)) below.Add(condition.Rewrite(part => part is ColumnReference column && keys.TryGetValue(column, out var value) ? value : part));
            else above.Add(condition);
        }
        return Above(new Aggregate(aggregate.Keys, aggregate.Aggregates, Push(aggregate.Input, below)), above);
    }

    private static LogicalPlan PushWindow(Plans.Window window, List<Expression> conditions)
    {
        // A whole partition may be left out, but not a part of one.
        var keys = ((WindowExpression)window.Items[0].Value).Partitions.OfType<ColumnReference>().ToHashSet();
        var below = conditions.Where(condition => condition.References().Any() && condition.References().All(keys.Contains)).ToList();
        return Above(new Plans.Window(window.Items, Push(window.Input, below)), conditions.Except(below));
    }

    private static LogicalPlan PushJoin(Join join, List<Expression> conditions)
    {
        var kind = join.Kind;
        if (kind is JoinKind.Left or JoinKind.Full or JoinKind.Right) kind = WithoutNeedlessNulls(join, conditions);
        var left = join.Left.Output.ToHashSet();
        var right = join.Right.Output.ToHashSet();
        List<Expression> toLeft = [];
        List<Expression> toRight = [];
        List<Expression> on = [];
        List<Expression> above = [];
        foreach (var condition in conditions)
        {
            var isLeft = Reads(condition, left);
            var isRight = Reads(condition, right);
            if (!condition.IsDeterministic) above.Add(condition);
            else if (isLeft && kind is not (JoinKind.Right or JoinKind.Full)) toLeft.Add(condition);
            else if (isRight && (kind is JoinKind.Inner or JoinKind.Right)) toRight.Add(condition);
            else if (kind == JoinKind.Inner) on.Add(condition);
            else above.Add(condition);
        }
        foreach (var condition in Conjuncts.Of(join.Condition))
        {
            var isLeft = Reads(condition, left) && condition.References().Any();
            var isRight = Reads(condition, right) && condition.References().Any();
            var mayMove = condition.IsDeterministic;
            if (mayMove && isRight && (kind is JoinKind.Inner or JoinKind.Left or JoinKind.Semi or JoinKind.Anti or JoinKind.Single)) toRight.Add(condition);
            else if (mayMove && isLeft && (kind is JoinKind.Inner or JoinKind.Right or JoinKind.Semi)) toLeft.Add(condition);
            else on.Add(condition);
        }
        var result = new Join(kind, Push(join.Left, toLeft), Push(join.Right, toRight), Conjuncts.All(on.Distinct()), join.MarkColumn);
        return Above(result, above);
    }

    // A condition that is never true of nulls makes the rows needless that an outer join adds.
    private static JoinKind WithoutNeedlessNulls(Join join, List<Expression> conditions)
    {
        var rejectsLeft = conditions.Any(condition => RejectsNulls(condition, join.Left.Output));
        var rejectsRight = conditions.Any(condition => RejectsNulls(condition, join.Right.Output));
        return (join.Kind, rejectsLeft, rejectsRight) switch
        {
            (JoinKind.Left, _, true) => JoinKind.Inner,
            (JoinKind.Right, true, _) => JoinKind.Inner,
            (JoinKind.Full, true, true) => JoinKind.Inner,
            (JoinKind.Full, true, false) => JoinKind.Left,
            (JoinKind.Full, false, true) => JoinKind.Right,
            var (kind, _, _) => kind,
        };
    }

    private static bool RejectsNulls(Expression condition, ValueList<ColumnReference> side) =>
        condition is Call { Function.Name: "=" or "<" or "<=" or ">" or ">=" or "<>" or "like" or "isnotnull" } call
        && call.Arguments.Any(argument => argument is ColumnReference column && side.Contains(column));

    private static bool Reads(Expression condition, HashSet<ColumnReference> columns) => condition.References().All(columns.Contains);
}
