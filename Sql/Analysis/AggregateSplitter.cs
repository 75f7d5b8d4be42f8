using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>
/// Takes expressions of a grouped SELECT apart: what they read of groups. Parts that are grouping keys become the keys' columns, aggregates become columns
/// of the <see cref="Aggregate"/> below; a column that is neither is an error.
/// </summary>
/// <param name="context">For errors.</param>
/// <param name="keys">The keys, and the columns that hold them.</param>
/// <param name="input">The columns below the grouping.</param>
/// <param name="hasKeys">Whether there is a GROUP BY.</param>
internal sealed class AggregateSplitter(BindingContext context, IReadOnlyDictionary<Expression, ColumnReference> keys, IReadOnlySet<ColumnId> input, bool hasKeys)
{
    private readonly Dictionary<AggregateCall, ColumnReference> _columns = [];

    /// <summary>The aggregates that were met.</summary>
    public List<NamedExpression> Aggregates { get; } = [];

    /// <summary>Gives the column for a <c>grouping</c>; null where there are no grouping sets.</summary>
    public Func<GroupingCall, Expression>? Grouping { get; init; }

    /// <summary>An expression over the groups.</summary>
    public Expression Split(Expression expression)
    {
        if (keys.TryGetValue(expression, out var key))
        {
            return key with { Position = expression.Position, Name = expression is ColumnReference named ? named.Name : key.Name };
        }
        switch (expression)
        {
            case AggregateCall call:
                return ColumnOf(call);
            case GroupingCall grouping:
                return Grouping?.Invoke(grouping)
                    ?? throw context.Error(
                        "UNSUPPORTED_GROUPING_EXPRESSION", "grouping() and grouping_id() go with GROUPING SETS, ROLLUP and CUBE.", grouping.Position.Start);
            case ColumnReference column:
                throw Missing(column);
            case WindowExpression window:
                var function = window.Function.WithChildren(window.Function.Children.ConvertAll(Split));
                return window with
                {
                    Function = function,
                    Partitions = window.Partitions.ConvertAll(Split),
                    Orders = window.Orders.ConvertAll(order => order with { Key = Split(order.Key) }),
                };
            case SubqueryExpression subquery:
                var plan = OuterReferences.Map(subquery.Plan, OfSubquery);
                var moved = ReferenceEquals(plan, subquery.Plan) ? subquery : subquery.WithPlan(plan);
                return moved.Children.Count == 0 ? moved : moved.WithChildren(moved.Children.ConvertAll(Split));
        }
        return expression.Children.Count == 0 ? expression : expression.WithChildren(expression.Children.ConvertAll(Split));
    }

    private ColumnReference ColumnOf(AggregateCall call)
    {
        if (_columns.TryGetValue(call, out var column)) return column;
        var item = NamedExpression.New(call, NameOf(call));
        Aggregates.Add(item);
        return _columns[call] = item.Column;
    }

    private static string NameOf(AggregateCall call) => call.Arguments switch
    {
        [] => call.Function.Name,
        [ColumnReference column] => $"{call.Function.Name}({column.Name})",
        _ => $"{call.Function.Name}(...)",
    };

    private ColumnReference OfSubquery(ColumnReference outer) =>
        keys.TryGetValue(outer, out var key) ? key : input.Contains(outer.Id) ? throw Missing(outer) : outer;

    private QueryException Missing(ColumnReference column) => hasKeys
        ? context.Error(
            "MISSING_AGGREGATION",
            $"'{column.Name}' is neither in GROUP BY nor inside an aggregate. Add it to GROUP BY, or use any_value({column.Name}) if any of the group's values will do.",
            column.Position.Start)
        : context.Error(
            "MISSING_GROUP_BY",
            $"'{column.Name}' stands beside aggregates without a GROUP BY. Add GROUP BY {column.Name}, or put it inside an aggregate.",
            column.Position.Start);
}
