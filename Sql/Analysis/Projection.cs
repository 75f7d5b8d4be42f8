using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>The top of a SELECT: its list, DISTINCT and ORDER BY. What is ordered by but not selected goes along hidden, and is dropped after sorting.</summary>
/// <param name="context">For errors.</param>
/// <param name="items">The select list, over the plan below.</param>
internal sealed class Projection(BindingContext context, IReadOnlyList<SelectItem> items)
{
    /// <summary>The plan.</summary>
    public LogicalPlan Build(LogicalPlan input, IReadOnlyList<OrderKey> orders, bool isDistinct)
    {
        var selected = Columns();
        var outputs = selected.Select(item => item.Column.Id).ToHashSet();
        List<NamedExpression> hidden = [];
        List<SortOrder> sorts = [];
        foreach (var (bound, position) in orders)
        {
            var key = Selected(bound.Key, selected);
            if (!IsOver(key, outputs))
            {
                if (isDistinct)
                {
                    throw context.Error(
                        "UNRESOLVED_COLUMN.WITH_SUGGESTION",
                        "With SELECT DISTINCT, ORDER BY can use columns of the select list only: "
                            + $"{Suggest.Some([.. selected.Select(item => item.Column.Name)])}.",
                        position);
                }
                var item = bound.Key is ColumnReference column ? NamedExpression.Pass(column) : NamedExpression.New(bound.Key, "order_key");
                if (!hidden.Exists(each => each.Column == item.Column)) hidden.Add(item);
                key = item.Column;
            }
            sorts.Add(bound with { Key = key });
        }
        LogicalPlan plan = new Project([.. selected, .. hidden], input);
        if (isDistinct) plan = SetBinder.Distinct(plan);
        if (sorts.Count > 0) plan = new Sort([.. sorts], plan);
        return hidden.Count == 0 ? plan : new Project([.. selected.Select(item => NamedExpression.Pass(item.Column))], plan);
    }

    private List<NamedExpression> Columns()
    {
        List<NamedExpression> columns = [];
        var seen = new HashSet<ColumnId>();
        foreach (var item in items)
        {
            // A column under its own name stays the same column; the second time it is another, so that no two of the output are alike.
            var isSame = item.Value is ColumnReference column && string.Equals(column.Name, item.Name, StringComparison.OrdinalIgnoreCase) && seen.Add(column.Id);
            columns.Add(isSame ? NamedExpression.Pass((ColumnReference)item.Value with { Name = item.Name }) : NamedExpression.New(item.Value, item.Name));
        }
        return columns;
    }

    /// <summary>An expression with its parts that are selected replaced by their columns.</summary>
    private static Expression Selected(Expression expression, IReadOnlyList<NamedExpression> selected)
    {
        foreach (var item in selected)
        {
            if (item.Value.Equals(expression)) return item.Column;
        }
        return expression.Children.Count == 0 ? expression : expression.WithChildren(expression.Children.ConvertAll(child => Selected(child, selected)));
    }

    private static bool IsOver(Expression key, HashSet<ColumnId> outputs) =>
        key.Parts().All(part => part is not SubqueryExpression && (part is not ColumnReference column || outputs.Contains(column.Id)));
}
