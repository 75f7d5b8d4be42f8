using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Plans;

/// <summary>Groups rows with equal keys whose times lie less than a gap apart, and computes aggregates of each such session.</summary>
/// <param name="Keys">The keys.</param>
/// <param name="Time">The time; never null.</param>
/// <param name="GapMicroseconds">Rows so far apart are of two sessions.</param>
/// <param name="Start">The column of the first time.</param>
/// <param name="End">The column of the last time and the gap.</param>
/// <param name="Aggregates">The aggregates: each value is an <see cref="AggregateCall"/>.</param>
/// <param name="Input">The rows.</param>
public sealed record SessionAggregate(
    ValueList<NamedExpression> Keys, Expression Time, long GapMicroseconds, ColumnReference Start, ColumnReference End, ValueList<NamedExpression> Aggregates,
    LogicalPlan Input) : LogicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output { get; } = [.. Keys.Select(item => item.Column), Start, End, .. Aggregates.Select(item => item.Column)];

    /// <inheritdoc/>
    public override ValueList<LogicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override IEnumerable<Expression> Expressions => [.. Keys.Select(item => item.Value), Time, .. Aggregates.Select(item => item.Value)];

    /// <summary>The gap as a value.</summary>
    public Literal Gap => new(GapMicroseconds, DataType.DayTimeInterval);

    /// <inheritdoc/>
    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => new SessionAggregate(Keys, Time, GapMicroseconds, Start, End, Aggregates, inputs[0]);

    /// <inheritdoc/>
    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => new SessionAggregate(
        Keys.ConvertAll(item => item with { Value = map(item.Value) }), map(Time), GapMicroseconds, Start, End,
        Aggregates.ConvertAll(item => item with { Value = map(item.Value) }), Input);

    /// <inheritdoc/>
    public override LogicalPlan MapColumns(Func<ColumnReference, ColumnReference> map) => new SessionAggregate(
        Keys.ConvertAll(item => item.MapColumn(map)), Time, GapMicroseconds, map(Start), map(End), Aggregates.ConvertAll(item => item.MapColumn(map)), Input);

    /// <inheritdoc/>
    public override string Describe() => $"SessionAggregate [{Keys}] {Start} to {End} by {Time}, {Gap} [{Aggregates}]";
}
