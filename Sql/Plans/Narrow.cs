using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Plans;

/// <summary>Computes columns of each row.</summary>
/// <param name="Items">The columns.</param>
/// <param name="Input">The rows.</param>
public sealed record Project(ValueList<NamedExpression> Items, LogicalPlan Input) : LogicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output { get; } = Items.ConvertAll(item => item.Column);

    /// <inheritdoc/>
    public override ValueList<LogicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override IEnumerable<Expression> Expressions => Items.Select(item => item.Value);

    /// <inheritdoc/>
    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => new Project(Items, inputs[0]);

    /// <inheritdoc/>
    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => new Project(Items.ConvertAll(item => item with { Value = map(item.Value) }), Input);

    /// <inheritdoc/>
    public override LogicalPlan MapColumns(Func<ColumnReference, ColumnReference> map) => new Project(Items.ConvertAll(item => item.MapColumn(map)), Input);

    /// <inheritdoc/>
    public override string Describe() => $"Project [{Items}]";
}

/// <summary>Keeps the rows for which a condition is true.</summary>
/// <param name="Condition">The condition.</param>
/// <param name="Input">The rows.</param>
public sealed record Filter(Expression Condition, LogicalPlan Input) : LogicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Input.Output;

    /// <inheritdoc/>
    public override ValueList<LogicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override IEnumerable<Expression> Expressions => [Condition];

    /// <inheritdoc/>
    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this with { Input = inputs[0] };

    /// <inheritdoc/>
    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => this with { Condition = map(Condition) };

    /// <inheritdoc/>
    public override string Describe() => $"Filter {Condition}";
}

/// <summary>Makes several rows of each: one for each list of expressions. Grouping sets are aggregates over it.</summary>
/// <param name="Projections">The lists, each with an expression for each column.</param>
/// <param name="Columns">The columns.</param>
/// <param name="Input">The rows.</param>
public sealed record Expand(ValueList<ValueList<Expression>> Projections, ValueList<ColumnReference> Columns, LogicalPlan Input) : LogicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Columns;

    /// <inheritdoc/>
    public override ValueList<LogicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override IEnumerable<Expression> Expressions => Projections.SelectMany(list => list);

    /// <inheritdoc/>
    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this with { Input = inputs[0] };

    /// <inheritdoc/>
    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => this with { Projections = Projections.ConvertAll(list => list.ConvertAll(map)) };

    /// <inheritdoc/>
    public override LogicalPlan MapColumns(Func<ColumnReference, ColumnReference> map) => this with { Columns = Columns.ConvertAll(map) };

    /// <inheritdoc/>
    public override string Describe() => $"Expand {Projections.Count} times [{Columns}]";
}

/// <summary>Keeps some rows: after leaving out <paramref name="Offset"/>, at most <paramref name="Count"/>.</summary>
/// <param name="Count">How many at most; null for all.</param>
/// <param name="Offset">How many are left out first.</param>
/// <param name="Input">The rows; which ones they are is not said unless they are sorted.</param>
public sealed record Limit(long? Count, long Offset, LogicalPlan Input) : LogicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Input.Output;

    /// <inheritdoc/>
    public override ValueList<LogicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override IEnumerable<Expression> Expressions => [];

    /// <inheritdoc/>
    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this with { Input = inputs[0] };

    /// <inheritdoc/>
    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => this;

    /// <inheritdoc/>
    public override string Describe() => $"Limit {Count?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "all"}{(Offset == 0 ? "" : $" offset {Offset}")}";
}
