using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Optimizer;

/// <summary>Scans are told which rows are wanted, as far as one field and literals say so. The filter above stays: a scan may give more.</summary>
public sealed class PushIntoScans : IRule
{
    /// <inheritdoc/>
    public LogicalPlan Apply(LogicalPlan plan) => plan.Rewrite(part =>
    {
        if (part is not Filter { Input: Scan { Filters.Count: 0 } scan } filter) return part;
        ValueList<ScanFilter> filters = [.. Conjuncts.Of(filter.Condition).Select(condition => FilterOf(condition, scan)).OfType<ScanFilter>()];
        return filters.Count == 0 ? part : filter with { Input = scan with { Filters = filters } };
    });

    private static ScanFilter? FilterOf(Expression condition, Scan scan)
    {
        switch (condition)
        {
            case InList { Operand: ColumnReference column } list when list.Values.All(value => value.Value is not null && value.Type == column.Type):
                return Of(column, ScanOperator.In, [.. list.Values]);
            case Call { Function.Name: "isnull" or "isnotnull", Arguments: [ColumnReference column] } call:
                return Of(column, call.Function.Name == "isnull" ? ScanOperator.IsNull : ScanOperator.IsNotNull, []);
            case Call { Arguments: [ColumnReference column, Literal { Value: not null } value] } call when value.Type == column.Type && OperatorOf(call.Function.Name) is { } found:
                return Of(column, found, [value]);
            case Call { Arguments: [Literal { Value: not null } value, ColumnReference column] } call when value.Type == column.Type && OperatorOf(call.Function.Name) is { } found:
                return Of(column, Mirrored(found), [value]);
            default:
                return null;
        }

        ScanFilter? Of(ColumnReference column, ScanOperator op, ValueList<Literal> values)
        {
            for (var i = 0; i < scan.Columns.Count; i++)
            {
                if (scan.Columns[i] == column) return new ScanFilter(scan.Fields[i], op, values);
            }
            return null;
        }
    }

    private static ScanOperator? OperatorOf(string name) => name switch
    {
        "=" => ScanOperator.Equal,
        "<" => ScanOperator.Less,
        "<=" => ScanOperator.LessOrEqual,
        ">" => ScanOperator.Greater,
        ">=" => ScanOperator.GreaterOrEqual,
        _ => null,
    };

    private static ScanOperator Mirrored(ScanOperator op) => op switch
    {
        ScanOperator.Less => ScanOperator.Greater,
        ScanOperator.LessOrEqual => ScanOperator.GreaterOrEqual,
        ScanOperator.Greater => ScanOperator.Less,
        ScanOperator.GreaterOrEqual => ScanOperator.LessOrEqual,
        _ => op,
    };
}
