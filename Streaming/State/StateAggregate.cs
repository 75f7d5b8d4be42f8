using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Streaming.State;

/// <summary>An aggregate whose groups go on from batch to batch.</summary>
/// <param name="Operator">Its number among the operators of the query that have state.</param>
/// <param name="Keys">The keys.</param>
/// <param name="Aggregates">The aggregates.</param>
/// <param name="Time">Which key says when a group is final; null if none does.</param>
/// <param name="Input">The rows.</param>
internal sealed record StateAggregate(int Operator, ValueList<NamedExpression> Keys, ValueList<NamedExpression> Aggregates, TimeKey? Time, LogicalPlan Input) : LogicalPlan
{
    /// <summary>The batch that is computed; null in a plan that stands for all.</summary>
    public StateBatch? Batch { get; init; }

    public override ValueList<ColumnReference> Output { get; } = [.. Keys.Concat(Aggregates).Select(item => item.Column)];

    public override ValueList<LogicalPlan> Inputs => [Input];

    public override IEnumerable<Expression> Expressions => Keys.Concat(Aggregates).Select(item => item.Value);

    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => new StateAggregate(Operator, Keys, Aggregates, Time, inputs[0]) { Batch = Batch };

    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => new StateAggregate(
        Operator, Keys.ConvertAll(item => item with { Value = map(item.Value) }), Aggregates.ConvertAll(item => item with { Value = map(item.Value) }), Time, Input) { Batch = Batch };

    public override string Describe() => $"StateAggregate {Operator} [{Keys}] [{Aggregates}]";

    /// <summary>What must stay as it is from start to start, as text.</summary>
    public string Shape => $"aggregate by ({string.Join(", ", Keys.Select(key => $"{key.Column.Name} {key.Column.Type}"))}) of ("
        + $"{string.Join(", ", Aggregates.Select(each => $"{((AggregateCall)each.Value).Function.Name}({string.Join(", ", ((AggregateCall)each.Value).Arguments.Select(argument => argument.Type))})"))})";
}

/// <summary>A key that is a time, or the beginning of a window of times.</summary>
/// <param name="Position">Which key.</param>
/// <param name="LengthMicroseconds">How long after that time the group is still added to: the length of the window; of a plain time, that of the span whose groups are kept together.</param>
/// <param name="IsWindow">Whether it is the beginning of a window.</param>
internal sealed record TimeKey(int Position, long LengthMicroseconds, bool IsWindow);

/// <summary>What tasks need to know of a batch. Travels to executors.</summary>
/// <param name="Number">The batch.</param>
/// <param name="Name">What the partitions' states are called in executors.</param>
/// <param name="Folder">Where this operator's files lie.</param>
/// <param name="Chains">By partition: the files that make its state before the batch, the oldest first.</param>
/// <param name="Watermark">Groups that ended before are final; <see cref="long.MinValue"/> if nothing is.</param>
/// <param name="Mode">Which groups are given.</param>
/// <param name="IsSnapshot">Whether the whole state is written, not only what changed.</param>
/// <param name="Late">Counts groups that came too late.</param>
/// <param name="Groups">Counts groups in state.</param>
internal sealed record StateBatch(long Number, string Name, string Folder, string[][] Chains, long Watermark, OutputMode Mode, bool IsSnapshot, Counter Late, Counter Groups)
{
    /// <summary>How many partitions there are.</summary>
    public int Partitions => Chains.Length;

    /// <summary>Where the files of the batch lie, below <see cref="Folder"/>.</summary>
    public string BatchFolder => Number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
