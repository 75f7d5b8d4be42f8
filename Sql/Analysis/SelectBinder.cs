using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>
/// Gives a SELECT its meaning. From the bottom up: FROM, WHERE, GROUP BY, HAVING, windows, QUALIFY, the select list, DISTINCT, ORDER BY. All expressions
/// are first bound over the columns of FROM, then taken apart by what computes them.
/// </summary>
/// <param name="context">What the statement is bound with.</param>
/// <param name="outer">The scope of the query around.</param>
/// <param name="commons">Names of WITH.</param>
/// <param name="select">The SELECT.</param>
internal sealed class SelectBinder(BindingContext context, Scope? outer, CommonTables commons, SelectSyntax select)
{
    // Aliases stand for their expressions, so each level of a + a doubles what is computed.
    private const int MostParts = 10_000;

    private readonly List<SelectItem> _items = [];
    private readonly TimeWindows _times = new(context);
    private readonly Dictionary<string, long> _aliasParts = new(StringComparer.OrdinalIgnoreCase);
    private long _parts;
    private Scope _scope = new([], outer);
    private WindowFields? _fields;

    /// <summary>Binds it, with the ORDER BY of the query that it is.</summary>
    public LogicalPlan Bind(QuerySyntax query)
    {
        LogicalPlan plan = Values.OneRow;
        if (select.From is not null)
        {
            (plan, var columns) = new FromBinder(context, outer, commons).Bind(select.From);
            _scope = new Scope(columns, outer);
        }
        _fields = new WindowFields(context, _scope);
        select = _fields.Apply(select);
        if (select.Where is not null) plan = new Filter(Binder("WHERE", isGrouped: false).BindCondition(select.Where), plan);
        BindItems();
        var having = select.Having is null ? null : AliasBinder("HAVING").BindCondition(select.Having);
        var qualify = select.Qualify is null ? null : AliasBinder("QUALIFY", allowsWindows: true).BindCondition(select.Qualify);
        var orders = Orders(query);

        if (select.Grouping is not null || having is not null || Bound().Any(HasAggregate))
        {
            var keys = Binder("GROUP BY", isGrouped: false, Alias, _times);
            var grouping = new GroupingBinder(context, _scope, _items, keys.Bind).Bind(select.Grouping, () => plan = _times.Over(plan));
            var splitter = new AggregateSplitter(context, _times.Known(grouping.Keys), plan.Output.Select(column => column.Id).ToHashSet(), select.Grouping is not null)
            {
                Grouping = !grouping.HasSets
                    ? null
                    : call => grouping.Grouping(call) ?? throw context.Error("GROUPING_COLUMN_MISMATCH", "grouping() takes columns of GROUP BY.", call.Position.Start),
            };
            Map(splitter.Split);
            plan = _times.Grouped(grouping.Build(splitter.Aggregates), grouping.HasSets);
        }
        else
        {
            _times.CheckNotGrouped();
            plan = _times.Over(plan);
        }
        if (having is not null) plan = new Filter(having, plan);
        if (Bound().Any(expression => expression.Parts().Any(part => part is WindowExpression)))
        {
            var windows = new WindowSplitter();
            Map(windows.Split);
            plan = windows.Over(plan);
        }
        if (qualify is not null) plan = new Filter(qualify, plan);
        return new Projection(context, _items).Build(plan, orders, select.IsDistinct);

        IEnumerable<Expression> Bound() =>
            [.. _items.Select(item => item.Value), .. orders.Select(order => order.Bound.Key), .. new[] { having, qualify }.OfType<Expression>()];

        void Map(Func<Expression, Expression> map)
        {
            for (var i = 0; i < _items.Count; i++) _items[i] = _items[i] with { Value = map(_items[i].Value) };
            orders = orders.ConvertAll(order => order with { Bound = order.Bound with { Key = map(order.Bound.Key) } });
            having = having is null ? null : map(having);
            qualify = qualify is null ? null : map(qualify);
        }
    }

    private static bool HasAggregate(Expression expression) => expression switch
    {
        AggregateCall or GroupingCall => true,
        // An aggregate over a window is no grouping, but those inside its arguments are.
        WindowExpression window => window.Function.Children.Concat(window.Children.Skip(1)).Any(HasAggregate),
        _ => expression.Children.Any(HasAggregate),
    };

    private ExpressionBinder Binder(string clause, bool isGrouped, Func<NameSyntax, Expression?>? behind = null, TimeWindows? times = null) =>
        new(context, _scope, commons) { Clause = clause, AllowsAggregates = isGrouped, AllowsWindows = isGrouped, NamesBehind = behind, Windows = select.Windows, Times = times, Fields = times is null ? null : _fields!.Field };

    /// <summary>Binds what may name entries of the select list.</summary>
    private ExpressionBinder AliasBinder(string clause, bool allowsWindows = false) => new(context, _scope, commons)
    {
        Clause = clause,
        AllowsAggregates = true,
        AllowsWindows = allowsWindows,
        NamesBefore = Alias,
        NamesBehind = name => Alias(name) is { } found && !HasAggregate(found) ? found : null,
        Windows = select.Windows,
        Times = _times,
        Fields = _fields!.Field,
    };

    private void BindItems()
    {
        var binder = Binder("the select list", isGrouped: true, LateralAlias, _times);
        foreach (var item in select.Items)
        {
            if (item.Value is StarSyntax star)
            {
                if (item.Alias is not null) throw context.Error("INVALID_USAGE_OF_STAR_OR_REGEX", $"'*' can't be called '{item.Alias}'.", star.Position);
                _items.AddRange(Star.Expand(star, _scope, context).Select(column =>
                    new SelectItem(column.Column with { Position = context.At(star.Position) }, column.Column.Name, null)));
            }
            else
            {
                _parts = 0;
                var value = binder.Bind(item.Value);
                if (item.Alias is not null) _aliasParts[item.Alias] = value.Parts().LongCount();
                // A name may be a call: current_date.
                var name = item.Value is NameSyntax && value is Call { Arguments.Count: 0 } call
                    ? $"{call.Function.Name}()"
                    : SyntaxText.NameOf(item.Value, window => binder.Named(window));
                _items.Add(new SelectItem(value, item.Alias ?? name, item.Alias));
            }
        }
    }

    /// <summary>An entry of the select list before this one (SELECT a + 1 AS b, b * 2).</summary>
    private Expression? LateralAlias(NameSyntax name)
    {
        var found = _items.FindAll(item => string.Equals(item.Alias, name.Parts[0], StringComparison.OrdinalIgnoreCase));
        if (found.Count > 1)
        {
            throw context.Error(
                "AMBIGUOUS_LATERAL_COLUMN_ALIAS",
                $"'{name.Parts[0]}' is the name of {found.Count} entries of the select list.",
                name.Position);
        }
        if (found.Count == 0) return null;
        if (!found[0].Value.IsDeterministic)
        {
            throw context.Error(
                "UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS",
                $"'{name.Parts[0]}' gives another value each time; use it from a query around this one.",
                name.Position);
        }
        _parts += _aliasParts[name.Parts[0]];
        if (_parts > MostParts)
        {
            throw context.Error(
                "EXPRESSION_TOO_LARGE",
                $"With what '{name.Parts[0]}' and the aliases before it stand for, this entry of the select list has more than {MostParts} parts. "
                    + "Compute the alias in a query of its own: SELECT ... FROM (SELECT ... AS alias FROM ...).",
                name.Position);
        }
        return found[0].Value;
    }

    private Expression? Alias(NameSyntax name)
    {
        if (name.Parts.Count != 1) return null;
        var found = _items.FindAll(item => string.Equals(item.Name, name.Parts[0], StringComparison.OrdinalIgnoreCase));
        if (found.Count == 0) return null;
        if (found.TrueForAll(item => item.Value.Equals(found[0].Value))) return found[0].Value;
        throw context.Error("AMBIGUOUS_REFERENCE", $"'{name.Parts[0]}' is the name of {found.Count} entries of the select list.", name.Position);
    }

    private List<OrderKey> Orders(QuerySyntax query)
    {
        if (query.OrderAll is { Key: NameSyntax name } all && _scope.Find(name.Parts).Count == 0 && Alias(name) is null)
        {
            return _items.ConvertAll(item => new OrderKey(new SortOrder(item.Value, all.IsDescending, all.NullsFirst ?? !all.IsDescending), all.Key.Position));
        }
        List<OrderKey> keys = [];
        var binder = AliasBinder("ORDER BY", allowsWindows: true);
        foreach (var order in query.Orders)
        {
            var bound = Ordinal.Read(order.Key, _items.Count, "ORDER_BY_POS_OUT_OF_RANGE", "ORDER BY", context) is { } place
                ? new SortOrder(_items[place].Value, order.IsDescending, order.NullsFirst ?? !order.IsDescending)
                : binder.Order(order with { Key = _fields!.OrderOf(order.Key) });
            if (!TypeCoercion.IsOrdered(bound.Key.Type))
            {
                throw context.Error(
                    "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
                    $"Values of {bound.Key.Type} can't be ordered.",
                    order.Key.Position);
            }
            keys.Add(new OrderKey(bound, order.Key.Position));
        }
        return keys;
    }
}
