using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Physical;

/// <summary>
/// Aggregates of distinct arguments. With one list of arguments: group by the keys and them first, which leaves each once. With several lists, or beside
/// aggregates of all rows: each list by itself, joined by the keys.
/// </summary>
internal static class DistinctAggregates
{
    /// <summary>The same without DISTINCT; null if there is none.</summary>
    public static LogicalPlan? Rewrite(Aggregate aggregate)
    {
        var items = aggregate.Aggregates.Select(Simplified).ToList();
        var distinct = items.Where(item => ((AggregateCall)item.Value).IsDistinct).ToList();
        if (distinct.Count == 0) return items.SequenceEqual(aggregate.Aggregates) ? null : new Aggregate(aggregate.Keys, [.. items], aggregate.Input);
        var lists = distinct.GroupBy(item => ((AggregateCall)item.Value).Arguments).ToList();
        if (lists.Count == 1 && distinct.Count == items.Count) return OneList(aggregate.Keys, items, aggregate.Input);
        return Joined(aggregate, items, lists.Select(list => list.ToList()).ToList());
    }

    // DISTINCT means nothing to min and max. A filter makes arguments null, which no aggregate counts that may be DISTINCT: groups without rows that
    // fit it stay.
    private static NamedExpression Simplified(NamedExpression item)
    {
        var call = (AggregateCall)item.Value;
        if (!call.IsDistinct) return item;
        if (call.Function.IgnoresDuplicates) return item with { Value = call with { IsDistinct = false } };
        if (call.Filter is not { } filter) return item;
        var arguments = call.Arguments.ConvertAll<Expression>(argument => new Case([filter, argument], Literal.NullOf(argument.Type)));
        return item with { Value = call with { Arguments = arguments, Filter = null } };
    }

    private static Aggregate OneList(ValueList<NamedExpression> keys, List<NamedExpression> items, LogicalPlan input)
    {
        var first = (AggregateCall)items[0].Value;
        var arguments = first.Arguments.ConvertAll(argument => NamedExpression.New(argument, "distinct argument"));
        var inner = new Aggregate([.. keys, .. arguments], [], input);
        var outer = items.Select(item =>
        {
            var call = (AggregateCall)item.Value;
            return item with { Value = call with { IsDistinct = false, Arguments = arguments.ConvertAll<Expression>(argument => argument.Column) } };
        });
        return new Aggregate(keys.ConvertAll(key => NamedExpression.Pass(key.Column)), [.. outer], inner);
    }

    private static LogicalPlan Joined(Aggregate aggregate, List<NamedExpression> items, List<List<NamedExpression>> lists)
    {
        var all = items.Where(item => !((AggregateCall)item.Value).IsDistinct).ToList();
        if (all.Count > 0) lists.Insert(0, all);
        LogicalPlan? result = null;
        ValueList<ColumnReference> keys = [];
        foreach (var list in lists)
        {
            var isFirst = result is null;
            var own = isFirst ? aggregate.Keys : aggregate.Keys.ConvertAll(key => NamedExpression.New(key.Value, key.Column.Name));
            var part = list.Count > 0 && ((AggregateCall)list[0].Value).IsDistinct
                ? OneList(own, list, aggregate.Input)
                : new Aggregate(own, [.. list], aggregate.Input);
            if (isFirst)
            {
                result = part;
                keys = own.ConvertAll(key => key.Column);
                continue;
            }

            // Each part has all groups.
            var condition = Conjuncts.All(keys.Zip(own, (left, right) => Same(left, right.Column)));
            result = new Join(JoinKind.Inner, result!, part, condition);
        }
        return new Project(aggregate.Output.ConvertAll(NamedExpression.Pass), result!);

        static Call Same(Expression left, Expression right) =>
            new(Builtins.BuiltinFunctions.Registry.FindScalar(left.Nullable || right.Nullable ? "<=>" : "=")!, [left, right], DataType.Boolean);
    }
}
