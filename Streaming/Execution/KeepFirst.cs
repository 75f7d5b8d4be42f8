using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Streaming.Execution;

/// <summary>Of the rows of a stream with equal keys the first, as long as the watermark remembers it.</summary>
/// <param name="Keys">The keys.</param>
/// <param name="Input">The rows.</param>
internal sealed record KeepFirst(ValueList<ColumnReference> Keys, LogicalPlan Input) : LogicalPlan
{
    public override ValueList<ColumnReference> Output => Input.Output;

    public override ValueList<LogicalPlan> Inputs => [Input];

    public override IEnumerable<Expression> Expressions => Keys;

    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this with { Input = inputs[0] };

    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => this with { Keys = Keys.ConvertAll(key => (ColumnReference)map(key)) };

    public override bool PassesColumns => true;

    public override string Describe() => $"KeepFirst [{Keys}]";
}

/// <summary>Recognises what asks for one row of each key: those that <c>row_number()</c> numbers 1, in an order that the keys alone say.</summary>
/// <param name="Keys">The keys.</param>
/// <param name="Number">What the number's column holds from then on.</param>
internal sealed record FirstRows(ValueList<ColumnReference> Keys, Literal Number)
{
    public static FirstRows? Of(Filter filter, Sql.Plans.Window window)
    {
        if (window.Items is not [{ Value: WindowExpression { Function: WindowCall { Function.Name: "row_number" } } over } item]) return null;
        if (filter.Condition is not Call { Function.Name: "=", Arguments: [var left, var right] }) return null;
        if ((left is Literal ? left : right) is not Literal { Value: 1 or 1L } one || !(ReferenceEquals(one, left) ? right : left).Equals(item.Column)) return null;
        if (!over.Partitions.All(key => key is ColumnReference) || !over.Orders.All(order => over.Partitions.Contains(order.Key))) return null;
        return new FirstRows([.. over.Partitions.Cast<ColumnReference>()], one);
    }
}
