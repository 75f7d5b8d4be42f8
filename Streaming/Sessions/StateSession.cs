using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;
using Dataflow.Streaming.State;

namespace Dataflow.Streaming.Sessions;

/// <summary>Sessions that go on from batch to batch.</summary>
/// <param name="Operator">Its number among the operators of the query that have state.</param>
/// <param name="Sessions">What is computed.</param>
/// <param name="AfterMicroseconds">A session is final when the watermark is so much later than its end; null if nothing says when it is.</param>
internal sealed record StateSession(int Operator, SessionAggregate Sessions, long? AfterMicroseconds) : StatePlan(Operator)
{
    // Sessions lie between the watermark and a gap behind the latest row: in some spans for each gap. Those of complete mode stay for ever, in long spans.
    private const long SpansOfGap = 4;
    private const long LeastSpan = 1_000_000;
    private const long LeastSpanForEver = 3_600_000_000;

    public override ValueList<ColumnReference> Output => Sessions.Output;

    public override ValueList<LogicalPlan> Inputs => [Sessions.Input];

    public override IEnumerable<Expression> Expressions => Sessions.Expressions;

    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this with { Sessions = (SessionAggregate)Sessions.WithInputs(inputs) };

    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => this with { Sessions = (SessionAggregate)Sessions.MapExpressions(map) };

    public override string Describe() => $"StateSession {Operator} {Sessions.Describe()}";

    public override bool IsSingle => Sessions.Keys.Count == 0;

    public override bool WaitsForWatermark => Mode == OutputMode.Append;

    private ValueList<AggregateCall> Calls => Sessions.Aggregates.ConvertAll(each => (AggregateCall)each.Value);

    public override IEnumerable<(LogicalPlan Input, Expression IsLate)> LateRows(long watermark)
    {
        // By the session that a row would be by itself.
        if (Rules.Bound(watermark) is not { } bound || bound < long.MinValue + Sessions.GapMicroseconds) yield break;
        yield return (Sessions.Input, State.LateRows.IsUpTo(Sessions.Time, bound - Sessions.GapMicroseconds));
    }

    /// <summary>What tasks need to know. Spans follow from the gap, which must not change from start to start: rows in files know theirs.</summary>
    public SessionRules Rules
    {
        get
        {
            var span = Math.Max(LeastSpan, Sessions.GapMicroseconds / SpansOfGap);
            var layout = new StateLayout(
                Sessions.Keys.ConvertAll(key => key.Value.Type),
                [Sessions.Start.Type, Sessions.End.Type, .. Calls.SelectMany(call => call.Function.StateTypes(call))], 1,
                Mode == OutputMode.Complete ? Math.Max(LeastSpanForEver, span) : span);
            return new SessionRules(layout, Calls, Mode == OutputMode.Append ? AfterMicroseconds : null);
        }
    }

    public override StateDescription Describe(StateNames names) => new(
        StateDescription.OfSessions,
        [
            new StateSide(
                [.. Sessions.Keys.Select(key => StateColumn.OfKey(names.Of(key.Column), key.Value))],
                [StateColumn.Make("start", Sessions.Start.Type), StateColumn.Make("end", Sessions.End.Type), .. AggregateDescription.StatesOf(Sessions.Aggregates, names)]),
        ]) { Aggregates = [.. Sessions.Aggregates.Select(each => AggregateDescription.Make(each, names))] };

    public override string Shape =>
        $"sessions by ({string.Join(", ", Sessions.Keys.Select(key => $"{key.Column.Name} {key.Column.Type}"))}) less than {Sessions.Gap} apart of ("
        + $"{string.Join(", ", Calls.Select(call => $"{call.Function.Name}({string.Join(", ", call.Arguments.Select(argument => argument.Type))})"))})";
}

/// <summary>What tasks need to know of sessions. Travels to executors.</summary>
/// <param name="Layout">What is kept of a session: keys, start, end, states of the aggregates. Its end says for how long.</param>
/// <param name="Calls">The aggregates.</param>
/// <param name="AfterMicroseconds">A session is final when the watermark is so much later than its end; null if none ever is.</param>
internal sealed record SessionRules(StateLayout Layout, ValueList<AggregateCall> Calls, long? AfterMicroseconds)
{
    /// <summary>Columns of the keys.</summary>
    public int Keys => Layout.Keys.Count;

    /// <summary>What ended at this time, or before, is over by a watermark; null if nothing is.</summary>
    public long? Bound(long watermark) => AfterMicroseconds is { } after && watermark >= long.MinValue + after ? watermark - after : null;

    /// <summary>Groups whose keys are those of sessions, with start and end.</summary>
    public GroupStates Groups(TaskArena arena, bool givesValues) => new(arena, [.. Layout.Keys, .. Layout.Values.Take(2)], Calls, givesValues);

    /// <summary>Adds sessions, or pieces of them, to groups.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="batch">Keys, start, end, states.</param>
    public void Merge(GroupStates groups, ColumnBatch batch)
    {
        var next = Keys + 2;
        var numbers = groups.Find(batch.Columns.AsSpan(0, next), batch);
        for (var i = 0; i < Calls.Count; i++)
        {
            var count = Calls[i].Function.StateTypes(Calls[i]).Count;
            groups.Kernels[i].Merge(batch.Columns.AsSpan(next, count), batch.Selection, numbers);
            next += count;
        }
        groups.Charge();
    }
}
