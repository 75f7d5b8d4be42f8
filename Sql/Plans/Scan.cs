using Dataflow.Sql.Expressions;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Plans;

/// <summary>Reads a table.</summary>
/// <param name="Table">The table.</param>
/// <param name="Fields">Which fields of its schema are read, by position.</param>
/// <param name="Columns">The columns that hold them, one for each of <paramref name="Fields"/>.</param>
/// <param name="Filters">What is known of the rows that are wanted: a source may leave out others, and need not.</param>
public sealed record Scan(ITable Table, ValueList<int> Fields, ValueList<ColumnReference> Columns, ValueList<ScanFilter> Filters) : LogicalPlan
{
    /// <summary>All fields of a table, as new columns.</summary>
    public static Scan Of(ITable table, string? qualifier = null) => new(
        table,
        [.. Enumerable.Range(0, table.Schema.Count)],
        [.. table.Schema.Select(field => new ColumnReference(field.Name, field.Type, field.Nullable) { Qualifier = qualifier })],
        []);

    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Columns;

    /// <inheritdoc/>
    public override ValueList<LogicalPlan> Inputs => [];

    /// <inheritdoc/>
    public override IEnumerable<Expression> Expressions => [];

    /// <inheritdoc/>
    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this;

    /// <inheritdoc/>
    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => this;

    /// <inheritdoc/>
    public override LogicalPlan MapColumns(Func<ColumnReference, ColumnReference> map) => this with { Columns = Columns.ConvertAll(map) };

    /// <inheritdoc/>
    public override string Describe() => $"Scan {Table.Name} [{Columns}]{(Filters.Count == 0 ? "" : $" where {string.Join(" and ", Filters)}")}";
}

/// <summary>Rows that stand in the text, or in the program.</summary>
/// <param name="Rows">The rows: an expression without columns for each of the output.</param>
/// <param name="Columns">The columns.</param>
public sealed record Values(ValueList<ValueList<Expression>> Rows, ValueList<ColumnReference> Columns) : LogicalPlan
{
    /// <summary>One row without columns: what a query without FROM reads.</summary>
    public static Values OneRow { get; } = new([[]], []);

    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Columns;

    /// <inheritdoc/>
    public override ValueList<LogicalPlan> Inputs => [];

    /// <inheritdoc/>
    public override IEnumerable<Expression> Expressions => Rows.SelectMany(row => row);

    /// <inheritdoc/>
    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this;

    /// <inheritdoc/>
    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => this with { Rows = Rows.ConvertAll(row => row.ConvertAll(map)) };

    /// <inheritdoc/>
    public override LogicalPlan MapColumns(Func<ColumnReference, ColumnReference> map) => this with { Columns = Columns.ConvertAll(map) };

    /// <inheritdoc/>
    public override string Describe() => $"Values {Rows.Count} rows [{Columns}]";
}
