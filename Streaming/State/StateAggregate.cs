using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Streaming.State;

/// <summary>An aggregate whose groups go on from batch to batch.</summary>
/// <param name="Operator">Its number among the operators of the query that have state.</param>
/// <param name="Keys">The keys.</param>
/// <param name="Aggregates">The aggregates.</param>
/// <param name="Time">Which key says when a group is final; null if none does.</param>
/// <param name="Input">The rows.</param>
internal sealed record StateAggregate(int Operator, ValueList<NamedExpression> Keys, ValueList<NamedExpression> Aggregates, TimeKey? Time, LogicalPlan Input) : StatePlan(Operator)
{
    public override ValueList<ColumnReference> Output { get; } = [.. Keys.Concat(Aggregates).Select(item => item.Column)];

    public override ValueList<LogicalPlan> Inputs => [Input];

    public override IEnumerable<Expression> Expressions => Keys.Concat(Aggregates).Select(item => item.Value);

    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => new StateAggregate(Operator, Keys, Aggregates, Time, inputs[0]) { Batch = Batch, Mode = Mode };

    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => new StateAggregate(
        Operator, Keys.ConvertAll(item => item with { Value = map(item.Value) }), Aggregates.ConvertAll(item => item with { Value = map(item.Value) }), Time, Input) { Batch = Batch, Mode = Mode };

    public override string Describe() => $"StateAggregate {Operator} [{Keys}] [{Aggregates}]";

    public override bool IsSingle => Keys.Count == 0;

    public override bool WaitsForWatermark => Time is not null;

    public override long[] Spans => Time is { IsWindow: false } ? [Time.LengthMicroseconds] : [];

    public override StatePlan WithSpans(long[] spans) => Time is { IsWindow: false } && spans is [var span] && span != Time.LengthMicroseconds
        ? new StateAggregate(Operator, Keys, Aggregates, Time with { LengthMicroseconds = span }, Input) { Batch = Batch, Mode = Mode }
        : this;

    public override IEnumerable<(LogicalPlan Input, Expression IsLate)> LateRows(long watermark)
    {
        if (Time is null || Mode == OutputMode.Complete || watermark < long.MinValue + Time.LengthMicroseconds + Time.LagMicroseconds) yield break;
        var time = Keys[Time.Position].Value;
        var start = Time.IsWindow ? time : State.LateRows.SpanOf(time, Time.LengthMicroseconds);
        yield return (Input, State.LateRows.IsUpTo(start, watermark - Time.LengthMicroseconds - Time.LagMicroseconds));
    }

    public override StateDescription Describe(StateNames names) => new(
        StateDescription.OfAggregate,
        [new StateSide([.. Keys.Select((key, i) => Column(key, i, names))], [.. AggregateDescription.StatesOf(Aggregates, names)])])
    {
        Aggregates = [.. Aggregates.Select(each => AggregateDescription.Make(each, names))],
    };

    // Windows that rows are given in front of the aggregate tell their length by the time.
    private StateColumn Column(NamedExpression key, int at, StateNames names)
    {
        var column = StateColumn.OfKey(names.Of(key.Column), key.Value);
        return column.Of is null && Time is { IsWindow: true } && Time.Position == at ? column with { Of = $"windows of {Time.LengthMicroseconds} microseconds" } : column;
    }

    public override string Shape => $"aggregate by ({string.Join(", ", Keys.Select(key => $"{key.Column.Name} {key.Column.Type}"))}) of ("
        + $"{string.Join(", ", Aggregates.Select(each => $"{((AggregateCall)each.Value).Function.Name}({string.Join(", ", ((AggregateCall)each.Value).Arguments.Select(argument => argument.Type))})"))})";
}

/// <summary>A key that is a time, or the beginning of a window of times.</summary>
/// <param name="Position">Which key.</param>
/// <param name="LengthMicroseconds">How long after that time the group is still added to: the length of the window; of a plain time, that of the span whose groups are kept together.</param>
/// <param name="IsWindow">Whether it is the beginning, or the end, of a window.</param>
/// <param name="LagMicroseconds">How much later than by the watermark its rows come, as they wait in front of it.</param>
internal sealed record TimeKey(int Position, long LengthMicroseconds, bool IsWindow, long LagMicroseconds);
