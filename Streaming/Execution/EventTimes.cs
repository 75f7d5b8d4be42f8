using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;
using Dataflow.Streaming.Joins;
using Dataflow.Streaming.Sessions;
using Dataflow.Streaming.State;

namespace Dataflow.Streaming.Execution;

/// <summary>What is known of a column of times: rows with a value come no more once the watermark is later than the value by <paramref name="Length"/> and <paramref name="Lag"/>.</summary>
/// <param name="Length">Of a beginning of windows how long these are; of plain times how long the spans are in which they are kept together.</param>
/// <param name="IsWindow">Whether the values are beginnings, or ends, of windows.</param>
/// <param name="Lag">How much longer rows may take, as something in front keeps them.</param>
/// <param name="IsAligned">Whether the windows follow each other from 1970 on: those of a multiple of their length contain them whole.</param>
internal readonly record struct EventTime(long Length, bool IsWindow, long Lag, bool IsAligned = false);

/// <summary>Finds the columns of a plan that the watermark says something of.</summary>
internal static class EventTimes
{
    // So many spans of plain times lie within the delay.
    private const long SpansOfDelay = 8;
    private const long LeastSpan = 1_000_000;
    private const long Moment = 1;

    /// <summary>How long the spans are that times within a while are cut into.</summary>
    public static long SpanOf(long microseconds) => Math.Max(LeastSpan, microseconds / SpansOfDelay);

    /// <summary>The columns that a plan gives.</summary>
    public static Dictionary<ColumnId, EventTime> Of(LogicalPlan plan)
    {
        var times = new Dictionary<ColumnId, EventTime>();
        foreach (var input in plan.Inputs)
        {
            foreach (var (column, time) in Of(input)) times[column] = time;
        }
        switch (plan)
        {
            case Union union:
                AddUnion(union, times);
                break;
            case Watermark watermark:
                times[watermark.Column.Id] = new EventTime(SpanOf(watermark.DelayMicroseconds), false, 0);
                break;
            case Expand expand:
                AddExpanded(expand, times);
                break;
            case Project project:
                AddItems(project.Items, times);
                break;
            case StateAggregate aggregate:
                AddItems(aggregate.Keys, times);

                // Groups of plain times come when their whole span is over.
                if (aggregate.Time is { IsWindow: false } key && times.TryGetValue(aggregate.Keys[key.Position].Column.Id, out var of))
                    times[aggregate.Keys[key.Position].Column.Id] = of with { Lag = of.Lag + key.LengthMicroseconds };
                break;
            case StateSession session:
                // Of beginnings nothing is known: a session may last as long as it likes.
                times.Clear();
                if (session.AfterMicroseconds is { } after) times[session.Sessions.End.Id] = new EventTime(0, true, after);
                break;
            case StateJoin join:
                Wait(join.Left, join.LeftLife, times);
                Wait(join.Right, join.RightLife, times);
                break;
        }
        return times;
    }

    /// <summary>What is known of the values of an expression; null for nothing.</summary>
    public static EventTime? TimeOf(Expression value, Dictionary<ColumnId, EventTime> times)
    {
        if (value is ColumnReference column) return times.TryGetValue(column.Id, out var time) ? time : null;
        if (value is not Call { Function: TimeWindowFunction or SlidingWindowFunction or WindowTimeFunction } window) return null;
        if (TimeOf(window.Arguments[0], times) is not { } at || window.Arguments[1] is not Literal { Value: long length }) return null;
        if (window.Function is WindowTimeFunction) return LastMoment(at, length);
        if (length <= 0) return null;

        // What waits for windows of its own in front comes later by their length; unless these end where the longer ones do.
        var isAligned = window.Function is TimeWindowFunction && window.Arguments.Count == 2;
        var isNested = at is { IsWindow: true, IsAligned: true } && (at.Length == Moment || (isAligned && length % at.Length == 0));
        var lag = at.Lag + (at.IsWindow && !isNested ? at.Length : 0);
        var isEnd = window.Function is TimeWindowFunction { IsEnd: true } or SlidingWindowFunction { IsEnd: true };
        return isEnd ? new EventTime(0, true, lag) : new EventTime(length, true, lag, isAligned);
    }

    // The last moment of a window is a window of its own, of a microsecond, which ends when the window does. A plain time may come as long as the watermark is not later than it.
    private static EventTime LastMoment(EventTime at, long length) => at.IsWindow
        ? new EventTime(Moment, true, at.Lag + Math.Max(0, at.Length - length), true)
        : at with { Lag = Math.Max(0, at.Lag + Moment - length) };

    // One of several values: they must be alike.
    private static void AddExpanded(Expand expand, Dictionary<ColumnId, EventTime> times)
    {
        for (var i = 0; i < expand.Columns.Count; i++)
        {
            var values = expand.Projections.ConvertAll(list => TimeOf(list[i], times));
            if (values[0] is { } time && values.All(value => value == time)) times[expand.Columns[i].Id] = time;
        }
    }

    private static void AddItems(ValueList<NamedExpression> items, Dictionary<ColumnId, EventTime> times)
    {
        foreach (var item in items)
        {
            if (TimeOf(item.Value, times) is { } time) times[item.Column.Id] = time;
        }
    }

    // Rows of a side come out when they find a match, or when none can come any more.
    private static void Wait(LogicalPlan side, SideLife? life, Dictionary<ColumnId, EventTime> times)
    {
        foreach (var column in side.Output)
        {
            if (!times.TryGetValue(column.Id, out var time)) continue;
            if (life?.AfterMicroseconds is { } after && column.Id == life.Column.Id) times[column.Id] = time with { Lag = Math.Max(time.Lag, after) };
            else times.Remove(column.Id);
        }
    }

    // All of a column's branches must be such times, and windows as long as each other.
    private static void AddUnion(Union union, Dictionary<ColumnId, EventTime> times)
    {
        for (var i = 0; i < union.Columns.Count; i++)
        {
            var branches = union.Branches.Select(branch => times.TryGetValue(branch.Output[i].Id, out var time) ? time : (EventTime?)null).ToArray();
            if (branches[0] is not { } first || !Array.TrueForAll(branches, time => time is { } known && known.IsWindow == first.IsWindow && (known.Length == first.Length || !first.IsWindow))) continue;
            times[union.Columns[i].Id] = new EventTime(
                branches.Max(time => time!.Value.Length), first.IsWindow, branches.Max(time => time!.Value.Lag), Array.TrueForAll(branches, time => time!.Value.IsAligned));
        }
    }
}
