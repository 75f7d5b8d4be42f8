using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Plans;

/// <summary>Groups rows with equal keys (nulls are equal), and computes aggregates of each group. Without keys there is one group, also of no rows.</summary>
/// <param name="Keys">The keys.</param>
/// <param name="Aggregates">The aggregates: each value is an <see cref="AggregateCall"/>.</param>
/// <param name="Input">The rows.</param>
public sealed record Aggregate(ValueList<NamedExpression> Keys, ValueList<NamedExpression> Aggregates, LogicalPlan Input) : LogicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output { get; } = [.. Keys.Concat(Aggregates).Select(item => item.Column)];

    /// <inheritdoc/>
    public override ValueList<LogicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override IEnumerable<Expression> Expressions => Keys.Concat(Aggregates).Select(item => item.Value);

    /// <inheritdoc/>
    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => new Aggregate(Keys, Aggregates, inputs[0]);

    /// <inheritdoc/>
    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) =>
        new Aggregate(Keys.ConvertAll(item => item with { Value = map(item.Value) }), Aggregates.ConvertAll(item => item with { Value = map(item.Value) }), Input);

    /// <inheritdoc/>
    public override LogicalPlan MapColumns(Func<ColumnReference, ColumnReference> map) =>
        new Aggregate(Keys.ConvertAll(item => item.MapColumn(map)), Aggregates.ConvertAll(item => item.MapColumn(map)), Input);

    /// <inheritdoc/>
    public override string Describe() => $"Aggregate [{Keys}] [{Aggregates}]";
}

/// <summary>Pairs rows of two inputs.</summary>
/// <param name="Kind">Which rows it gives.</param>
/// <param name="Left">The left input.</param>
/// <param name="Right">The right input; shares no column ids with the left.</param>
/// <param name="Condition">When rows match; null if always.</param>
/// <param name="MarkColumn">The column that <see cref="JoinKind.Mark"/> adds; null for other kinds.</param>
public sealed record Join(JoinKind Kind, LogicalPlan Left, LogicalPlan Right, Expression? Condition, ColumnReference? MarkColumn = null) : LogicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output { get; } = Kind switch
    {
        JoinKind.Inner => [.. Left.Output, .. Right.Output],
        JoinKind.Left or JoinKind.Single => [.. Left.Output, .. Right.Output.Select(column => column.AsNullable())],
        JoinKind.Right => [.. Left.Output.Select(column => column.AsNullable()), .. Right.Output],
        JoinKind.Full => [.. Left.Output.Concat(Right.Output).Select(column => column.AsNullable())],
        JoinKind.Mark => [.. Left.Output, MarkColumn!],
        _ => Left.Output,
    };

    /// <inheritdoc/>
    public override ValueList<LogicalPlan> Inputs => [Left, Right];

    /// <inheritdoc/>
    public override IEnumerable<Expression> Expressions => Condition is null ? [] : [Condition];

    /// <inheritdoc/>
    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => new Join(Kind, inputs[0], inputs[1], Condition, MarkColumn);

    /// <inheritdoc/>
    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => Condition is null ? this : new Join(Kind, Left, Right, map(Condition), MarkColumn);

    /// <summary>The same under another condition.</summary>
    public Join WithCondition(Expression? condition) => new(Kind, Left, Right, condition, MarkColumn);

    /// <inheritdoc/>
    public override LogicalPlan MapColumns(Func<ColumnReference, ColumnReference> map) =>
        MarkColumn is null ? this : new Join(Kind, Left, Right, Condition, map(MarkColumn));

    /// <inheritdoc/>
    public override string Describe() => $"Join {Kind}{(Condition is null ? "" : $" on {Condition}")}";
}

/// <summary>Orders rows.</summary>
/// <param name="Orders">By what, most significant first.</param>
/// <param name="Input">The rows.</param>
public sealed record Sort(ValueList<SortOrder> Orders, LogicalPlan Input) : LogicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Input.Output;

    /// <inheritdoc/>
    public override ValueList<LogicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override IEnumerable<Expression> Expressions => Orders.Select(order => order.Key);

    /// <inheritdoc/>
    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this with { Input = inputs[0] };

    /// <inheritdoc/>
    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => this with { Orders = Orders.ConvertAll(order => order with { Key = map(order.Key) }) };

    /// <inheritdoc/>
    public override string Describe() => $"Sort [{Orders}]";
}

/// <summary>Computes window functions: each row with columns more.</summary>
/// <param name="Items">The columns: each value is a <see cref="WindowExpression"/>; all have the same partitions and orders.</param>
/// <param name="Input">The rows.</param>
public sealed record Window(ValueList<NamedExpression> Items, LogicalPlan Input) : LogicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output { get; } = [.. Input.Output, .. Items.Select(item => item.Column)];

    /// <inheritdoc/>
    public override ValueList<LogicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override IEnumerable<Expression> Expressions => Items.Select(item => item.Value);

    /// <inheritdoc/>
    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => new Window(Items, inputs[0]);

    /// <inheritdoc/>
    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => new Window(Items.ConvertAll(item => item with { Value = map(item.Value) }), Input);

    /// <inheritdoc/>
    public override LogicalPlan MapColumns(Func<ColumnReference, ColumnReference> map) => new Window(Items.ConvertAll(item => item.MapColumn(map)), Input);

    /// <inheritdoc/>
    public override string Describe() => $"Window [{Items}]";
}
