using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>
/// Takes window functions out of expressions: those of equal partitions and orders share one <see cref="Window"/>. One that reads another (by an alias:
/// ORDER BY rank() OVER (ORDER BY place)) comes above it.
/// </summary>
internal sealed class WindowSplitter
{
    private readonly Dictionary<WindowExpression, ColumnReference> _columns = [];
    private readonly List<(ValueList<Expression> Partitions, ValueList<SortOrder> Orders, List<NamedExpression> Items)> _windows = [];

    /// <summary>An expression over the windows' columns.</summary>
    public Expression Split(Expression expression)
    {
        var split = expression.Children.Count == 0 ? expression : expression.WithChildren(expression.Children.ConvertAll(Split));
        return split is WindowExpression window ? ColumnOf(window) : split;
    }

    /// <summary>The windows that were met, over a plan.</summary>
    public LogicalPlan Over(LogicalPlan input)
    {
        foreach (var (_, _, items) in _windows) input = new Plans.Window([.. items], input);
        return input;
    }

    private ColumnReference ColumnOf(WindowExpression window)
    {
        if (_columns.TryGetValue(window, out var column)) return column;
        var item = NamedExpression.New(window, window.Function is WindowCall call ? call.Function.Name : ((AggregateCall)window.Function).Function.Name);
        var read = window.References().Select(reference => reference.Id).ToHashSet();
        var above = _windows.FindLastIndex(each => each.Items.Exists(other => read.Contains(other.Column.Id))) + 1;
        var at = _windows.FindIndex(above, each => each.Partitions.Equals(window.Partitions) && each.Orders.Equals(window.Orders));
        if (at < 0) _windows.Add((window.Partitions, window.Orders, [item]));
        else _windows[at].Items.Add(item);
        return _columns[window] = item.Column;
    }
}
