using System.Text.Json;
using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Plans;

/// <summary>Makes a row of each part of a text, between separators. Empty parts are left out, as are rows whose text is null.</summary>
/// <param name="Text">The text.</param>
/// <param name="Separators">ASCII characters, each of which separates parts.</param>
/// <param name="Passed">Columns that go along with each part.</param>
/// <param name="Part">The column of parts.</param>
/// <param name="Input">The rows.</param>
public sealed record SplitRows(ColumnReference Text, string Separators, ValueList<ColumnReference> Passed, ColumnReference Part, LogicalPlan Input) : LogicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => [.. Passed, Part];

    /// <inheritdoc/>
    public override ValueList<LogicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override IEnumerable<Expression> Expressions => [Text, .. Passed];

    /// <inheritdoc/>
    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this with { Input = inputs[0] };

    /// <inheritdoc/>
    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) =>
        this with { Text = (ColumnReference)map(Text), Passed = Passed.ConvertAll(column => (ColumnReference)map(column)) };

    /// <inheritdoc/>
    public override LogicalPlan MapColumns(Func<ColumnReference, ColumnReference> map) => this with { Part = map(Part) };

    /// <inheritdoc/>
    public override string Describe() => $"SplitRows {Text} by {JsonSerializer.Serialize(Separators)} as {Part}";
}
