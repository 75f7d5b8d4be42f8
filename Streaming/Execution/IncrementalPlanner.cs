using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;
using Dataflow.Streaming.Sources;
using Dataflow.Streaming.State;

namespace Dataflow.Streaming.Execution;

/// <summary>A query over streams as a plan that each batch puts its rows into.</summary>
/// <param name="Plan">The plan, optimised; its aggregates have state.</param>
/// <param name="Scans">The streams, in the order of the plan.</param>
/// <param name="Watermarks">Where times are noted.</param>
/// <param name="Aggregates">What has state.</param>
internal sealed record IncrementalPlan(LogicalPlan Plan, Scan[] Scans, Watermark[] Watermarks, StateAggregate[] Aggregates);

/// <summary>Says which queries can be computed batch by batch, and how.</summary>
internal static class IncrementalPlanner
{
    // Groups by plain times: so many spans of them lie within the delay.
    private const long SpansOfDelay = 8;
    private const long LeastSpan = 1_000_000;

    public static IncrementalPlan Plan(DataFrame frame, OutputMode mode)
    {
        var operators = 0;
        var plan = frame.Session.Optimise(frame.Plan).Rewrite(part => part is Aggregate aggregate && IsStreaming(aggregate) ? WithState(aggregate, mode, operators++) : part);
        Check(plan, mode);
        var parts = plan.Parts().ToArray();
        var scans = parts.OfType<Scan>().Where(scan => scan.Table is StreamTable).ToArray();
        if (scans.Length == 0 && frame.IsStreaming) throw Unsupported("The frame or a part of it is to be kept (Cache, Persist), and a stream has no last row. Call Unpersist on it; frames that are no stream may be kept.");
        if (scans.Length == 0) throw new QueryException("NOT_A_STREAM", "The frame reads no stream. Open one with context.ReadStream, or write the frame with frame.Write.");
        if (scans.Select(scan => ((StreamTable)scan.Table).Source).Distinct(ReferenceEqualityComparer.Instance).Count() < scans.Length)
            throw Unsupported($"'{scans[0].Table.Name}' stands twice in the query. Open the stream once for each place.");
        var aggregates = parts.OfType<StateAggregate>().ToArray();
        if (mode != OutputMode.Append && aggregates.Length == 0 && mode == OutputMode.Complete) throw Unsupported("Complete mode gives all groups of an aggregate each time, and the query has no aggregate. Use append mode.");
        if (aggregates.Length > 1) throw Unsupported("An aggregate of an aggregate is not supported on streams yet. Let one query write its groups, and another read them.");
        return new IncrementalPlan(plan, scans, [.. parts.OfType<Watermark>()], aggregates);
    }

    private static bool IsStreaming(LogicalPlan plan) => plan.Parts().Any(part => part is Scan { Table: StreamTable });

    private static StateAggregate WithState(Aggregate aggregate, OutputMode mode, int number)
    {
        if (DistinctAggregates.Rewrite(aggregate) is not null)
            throw Unsupported("Aggregates of distinct values (count(DISTINCT x)) are not supported on streams: approx_count_distinct(x) is.");
        var times = EventTimes(aggregate.Input);
        TimeKey? time = null;
        for (var i = 0; i < aggregate.Keys.Count; i++)
        {
            if (TimeOf(aggregate.Keys[i].Value, times) is not { } found) continue;

            // What is final by one of several times is final by the one that ends last: a plain time or a window, whichever is shortest, says so earliest and truly.
            var key = new TimeKey(i, found.Length, found.IsWindow);
            if (time is null || key.LengthMicroseconds < time.LengthMicroseconds) time = key;
        }
        if (mode == OutputMode.Append && time is null)
        {
            throw new QueryException("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION",
                "In append mode a group is given once, when it is final, and nothing says when the groups of this aggregate are: group by a time, or a window of times "
                + "(Window(Col(\"At\"), TimeSpan.FromMinutes(1))), of a column that WithWatermark names; or use update or complete mode.");
        }
        return new StateAggregate(number, aggregate.Keys, aggregate.Aggregates, time, aggregate.Input);
    }

    // Columns that hold times of a watermark, or beginnings of windows of them, with how long these are.
    private static Dictionary<ColumnId, (long Length, bool IsWindow)> EventTimes(LogicalPlan plan)
    {
        var times = new Dictionary<ColumnId, (long Length, bool IsWindow)>();
        foreach (var input in plan.Inputs)
        {
            foreach (var (column, time) in EventTimes(input)) times[column] = time;
        }
        if (plan is Union union)
        {
            // All of a column's branches must be such times, and windows as long as each other.
            for (var i = 0; i < union.Columns.Count; i++)
            {
                var branches = union.Branches.Select(branch => times.TryGetValue(branch.Output[i].Id, out var time) ? time : default).ToArray();
                if (Array.TrueForAll(branches, time => time.Length > 0 && (time == branches[0] || !(time.IsWindow || branches[0].IsWindow)))) times[union.Columns[i].Id] = branches.Max();
            }
        }
        if (plan is Watermark watermark) times[watermark.Column.Id] = (Math.Max(LeastSpan, watermark.DelayMicroseconds / SpansOfDelay), false);
        if (plan is Project project)
        {
            foreach (var item in project.Items)
            {
                if (TimeOf(item.Value, times) is { } time) times[item.Column.Id] = time;
            }
        }
        return times;
    }

    private static (long Length, bool IsWindow)? TimeOf(Expression value, Dictionary<ColumnId, (long Length, bool IsWindow)> times)
    {
        if (value is ColumnReference column) return times.TryGetValue(column.Id, out var time) ? time : null;
        return value is Call { Function.Name: TimeWindowFunction.StartName } window && window.Arguments[0] is ColumnReference of && times.TryGetValue(of.Id, out var at) && !at.IsWindow
            && window.Arguments[1] is Literal { Value: long length } && length > 0 ? (length, true) : null;
    }

    private static void Check(LogicalPlan plan, OutputMode mode)
    {
        foreach (var part in plan.Parts())
        {
            if (!IsStreaming(part)) continue;
            switch (part)
            {
                case Scan or Watermark or Project or Filter or StateAggregate or Expand:
                    break;
                case Union union when union.Branches.All(IsStreaming):
                    break;
                case Union:
                    throw Unsupported("A union with a frame that is no stream would give its rows in every batch anew. Unite streams only, and write the other rows once.");
                case Join join when IsStreaming(join.Left) && IsStreaming(join.Right):
                    throw Unsupported("A join of two streams is not supported yet. Join a stream with a frame that is none.");
                case Join join when join.Kind == Sql.JoinKind.Inner || (IsStreaming(join.Left) ? join.Kind is not (Sql.JoinKind.Right or Sql.JoinKind.Full) : join.Kind == Sql.JoinKind.Right):
                    break;
                case Join join:
                    throw Unsupported($"A {join.Kind} join would give rows of the side that is no stream which have found no match yet. Let the stream be the side whose rows are kept.");
                case Sort or Limit when mode == OutputMode.Complete && part.Parts().Any(below => below is StateAggregate):
                    break;
                case Sort or Limit:
                    throw Unsupported("A stream has no last row, so its rows can't be put in order or counted off. Behind an aggregate in complete mode they can.");
                default:
                    throw Unsupported($"{part.GetType().Name} is not supported on streams: {part.Describe()}.");
            }
        }
    }

    private static QueryException Unsupported(string message) => new("UNSUPPORTED_STREAMING_OPERATION", message);
}
