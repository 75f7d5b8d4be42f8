using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;
using Dataflow.Streaming.Groups;
using Dataflow.Streaming.Joins;
using Dataflow.Streaming.Sessions;
using Dataflow.Streaming.Sources;
using Dataflow.Streaming.State;

namespace Dataflow.Streaming.Execution;

/// <summary>A query over streams as a plan that each batch puts its rows into.</summary>
/// <param name="Plan">The plan, optimised; its wide parts have state.</param>
/// <param name="Sources">The streams, in the order of the plan. One that stands in several places is read once for all of them: they have the same rows in each batch.</param>
/// <param name="Watermarks">Where times are noted.</param>
/// <param name="Operators">What has state, by number.</param>
internal sealed record IncrementalPlan(LogicalPlan Plan, IStreamSource[] Sources, Watermark[] Watermarks, StatePlan[] Operators)
{
    /// <summary>Which of the streams a part of the plan reads.</summary>
    public int IndexOf(StreamTable table) => Array.FindIndex(Sources, source => ReferenceEquals(source, table.Source));
}

/// <summary>Says which queries can be computed batch by batch, and how.</summary>
internal sealed class IncrementalPlanner
{
    private int _operators;
    private int _watermarks;

    // By operator: the spans of times that state of an earlier start lies in.
    private readonly long[][]? _spans;

    private IncrementalPlanner(long[][]? spans) => _spans = spans;

    /// <summary>How a frame is computed batch by batch.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="mode">Which rows are given.</param>
    /// <param name="spans">By operator, where state was begun before: the spans of times that it lies in.</param>
    public static IncrementalPlan Plan(DataFrame frame, OutputMode mode, long[][]? spans = null)
    {
        var plan = new IncrementalPlanner(spans).Plan(frame.Session.OptimiseStream(Apart(frame.Plan)), mode);
        Check(plan, mode);
        var parts = plan.Parts().ToArray();
        IStreamSource[] sources = [.. parts.OfType<Scan>().Select(scan => scan.Table).OfType<StreamTable>().Select(table => table.Source).Distinct(ReferenceEqualityComparer.Instance).Cast<IStreamSource>()];
        if (sources.Length == 0) throw new QueryException("NOT_A_STREAM", "The frame reads no stream. Open one with context.ReadStream, or write the frame with frame.Write.");
        StatePlan[] operators = [.. parts.OfType<StatePlan>().OrderBy(part => part.Operator)];

        // Where nothing goes by times, they need not be read.
        if (operators.Length == 0 && parts.Any(part => part is Watermark))
            return Plan(new DataFrame(frame.Session, Apart(frame.Plan).Rewrite(part => part is Watermark watermark ? watermark.Input : part), frame.Text), mode, spans);
        if (mode == OutputMode.Complete && !operators.Any(part => part.Mode == OutputMode.Complete))
            throw Unsupported("Complete mode gives all groups of an aggregate each time, and the query has no aggregate. Use append mode.");
        return new IncrementalPlan(plan, sources, [.. parts.OfType<Watermark>().OrderBy(part => part.Number)], operators);
    }

    // A query of WITH over a stream is computed for each who reads it: no rows are kept for the others.
    private static LogicalPlan Apart(LogicalPlan plan) => plan.Rewrite(part =>
    {
        if (part is not CommonTable { IsEndless: true } common) return part;
        var copy = FreshColumns.Copy(Apart(common.Definition.Plan));
        return new Project([.. common.Columns.Zip(copy.Output, (column, source) => new NamedExpression(source, column))], copy);
    });

    // From the top down: what stands below something with state gives each row once, when it is final.
    private LogicalPlan Plan(LogicalPlan plan, OutputMode mode)
    {
        if (!IsStreaming(plan)) return plan;
        if (plan is Filter { Input: Sql.Plans.Window window } filter && FirstRows.Of(filter, window) is { } first)
        {
            var dedup = Placed(Dedup(first.Keys, Plan(window.Input, OutputMode.Append)));
            return new Project([.. dedup.Output.Select(NamedExpression.Pass), new NamedExpression(first.Number, window.Items[0].Column)], dedup);
        }
        var isDistinct = plan is Aggregate { Aggregates.Count: 0 } && mode != OutputMode.Complete;
        var below = plan is Aggregate or SessionAggregate or KeepFirst or FoldGroups || (plan is Join join && IsStreaming(join.Left) && IsStreaming(join.Right)) ? OutputMode.Append : mode;
        var inputs = plan.Inputs.ConvertAll(input => Plan(input, below));
        var isSame = true;
        for (var i = 0; i < inputs.Count; i++) isSame &= ReferenceEquals(inputs[i], plan.Inputs[i]);
        var part = isSame ? plan : plan.WithInputs(inputs);
        part = part switch
        {
            Watermark watermark => watermark with { Number = _watermarks++ },
            KeepFirst keep => KeepFirstRows(keep),
            Join both when IsStreaming(both.Left) && IsStreaming(both.Right) => StateJoin.Of(both, _operators++),
            FoldGroups groups => WithState(groups, mode),
            Aggregate distinct when isDistinct => Dedup([.. distinct.Keys.Select(key => key.Column)], new Project(distinct.Keys, distinct.Input)),
            Aggregate aggregate => WithState(aggregate, mode),
            SessionAggregate session => Sessions(session, mode),
            _ => part,
        };
        return part is StatePlan state ? Placed(state) : part;
    }

    // What stands behind it goes by the spans that its state lies in.
    private StatePlan Placed(StatePlan state) => _spans is null || state.Operator >= _spans.Length ? state : state.WithSpans(_spans[state.Operator]);

    private static bool IsStreaming(LogicalPlan plan) => plan.Parts().Any(part => part is Scan { Table: StreamTable });

    private StateDedup Dedup(ValueList<ColumnReference> keys, LogicalPlan input)
    {
        var times = EventTimes.Of(input);
        KeyLife? life = null;
        foreach (var key in keys)
        {
            if (!times.TryGetValue(key.Id, out var time)) continue;

            // Of several times the one that is over first.
            var after = (time.IsWindow ? time.Length : 0) + time.Lag;
            if (life is null || after < life.AfterMicroseconds) life = new KeyLife(key, true, after, time.IsWindow ? EventTimes.SpanOf(time.Length) : time.Length);
        }
        return new StateDedup(_operators++, keys, life, input);
    }

    private StateDedup KeepFirstRows(KeepFirst keep)
    {
        var times = EventTimes.Of(keep.Input);
        var watermark = keep.Input.Parts().OfType<Watermark>().FirstOrDefault(part => times.ContainsKey(part.Column.Id) && keep.Input.Output.Contains(part.Column))
            ?? throw new QueryException("MISSING_WATERMARK", "DropDuplicatesWithinWatermark forgets keys by the watermark, and the frame has none: name its time with WithWatermark first, and keep that column.");
        var lag = times[watermark.Column.Id].Lag;
        return new StateDedup(_operators++, keep.Keys, new KeyLife(watermark.Column, false, watermark.DelayMicroseconds + lag, EventTimes.SpanOf(watermark.DelayMicroseconds)), keep.Input);
    }

    private StateGroups WithState(FoldGroups groups, OutputMode mode)
    {
        var work = groups.Work;
        if (mode == OutputMode.Complete || (work.GivesUpdates && mode != OutputMode.Update))
        {
            throw new QueryException("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", work.GivesUpdates
                ? $"{work.Verb} gives new values of groups, which take the place of those before: that is update mode, and nothing with state may stand behind it. FlatMapGroupsWithState gives rows that stay."
                : $"{work.Verb} gives what functions give in a batch, and complete mode wants all that there ever was. Use append or update mode.");
        }
        if (groups.Initial is { } initial && IsStreaming(initial)) throw Unsupported($"The groups of {work.Verb} are to begin with rows of a stream, which has no last one. Let them begin with a frame that is none.");
        var times = EventTimes.Of(groups.Input);
        GroupTime? time = null;
        foreach (var column in groups.Input.Output)
        {
            if (!times.TryGetValue(column.Id, out var known)) continue;

            // Of several times the one that comes last: nothing is said to be over too early.
            var lag = known.Lag + (known.IsWindow ? known.Length : 0);
            if (time is null || lag > time.LagMicroseconds) time = new GroupTime(column, lag, known.IsWindow);
        }
        if (work.Timeout == GroupTimeout.EventTime && time is null)
            throw new QueryException("MISSING_WATERMARK", $"The times of {work.Verb} go by the watermark, and the frame has none: name its time with WithWatermark first, and keep that column; or let them go by the clock.");
        return new StateGroups(_operators++, work, groups.Rows, groups.Columns, time, groups.Input) { Mode = mode, Initial = groups.Initial, InitialRows = groups.InitialRows };
    }

    private StateAggregate WithState(Aggregate aggregate, OutputMode mode)
    {
        if (DistinctAggregates.Rewrite(aggregate) is not null)
            throw Unsupported("Aggregates of distinct values (count(DISTINCT x)) are not supported on streams: approx_count_distinct(x) is.");
        var times = EventTimes.Of(aggregate.Input);
        TimeKey? time = null;
        for (var i = 0; i < aggregate.Keys.Count; i++)
        {
            if (EventTimes.TimeOf(aggregate.Keys[i].Value, times) is not { } found) continue;

            // What is final by one of several times is final: the one that is over first says so earliest and truly.
            var key = new TimeKey(i, found.Length, found.IsWindow, found.Lag);
            if (time is null || key.LengthMicroseconds + key.LagMicroseconds < time.LengthMicroseconds + time.LagMicroseconds) time = key;
        }
        if (mode == OutputMode.Append && time is null)
        {
            throw new QueryException("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION",
                "In append mode a group is given once, when it is final, and nothing says when the groups of this aggregate are: group by a time, or a window of times "
                + "(Window(Col(\"At\"), TimeSpan.FromMinutes(1))), of a column that WithWatermark names; or use update or complete mode. An aggregate below another is always in append mode.");
        }
        return new StateAggregate(_operators++, aggregate.Keys, aggregate.Aggregates, time, aggregate.Input) { Mode = mode };
    }

    private StateSession Sessions(SessionAggregate session, OutputMode mode)
    {
        if (session.Aggregates.Any(each => each.Value is AggregateCall { IsDistinct: true }))
            throw Unsupported("Aggregates of distinct values (count(DISTINCT x)) are not supported on streams: approx_count_distinct(x) is.");
        if (mode == OutputMode.Update)
        {
            throw new QueryException("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION",
                "Update mode gives groups that changed by their keys, and those of a session, its start and end, change themselves. "
                + "Use append mode, which gives a session when it is final, or complete mode.");
        }
        var time = EventTimes.TimeOf(session.Time, EventTimes.Of(session.Input));
        if (mode == OutputMode.Append && time is null)
        {
            throw new QueryException("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION",
                "In append mode a session is given once, when it is final, and nothing says when that is: let it go by a column that WithWatermark names "
                + "(SessionWindow(Col(\"At\"), gap)), or use complete mode. Sessions below an aggregate are always in append mode.");
        }
        return new StateSession(_operators++, session, time is { } known ? known.Lag + (known.IsWindow ? known.Length : 0) : null) { Mode = mode };
    }

    private static void Check(LogicalPlan plan, OutputMode mode)
    {
        foreach (var part in plan.Parts())
        {
            if (!IsStreaming(part)) continue;
            switch (part)
            {
                case Scan or Watermark or Project or Filter or StatePlan or Expand or SplitRows:
                    break;
                case Union union when union.Branches.All(IsStreaming):
                    break;
                case Union:
                    throw Unsupported("A union with a frame that is no stream would give its rows in every batch anew. Unite streams only, and write the other rows once.");
                case Join join when join.Kind == Sql.JoinKind.Inner || (IsStreaming(join.Left) ? join.Kind is not (Sql.JoinKind.Right or Sql.JoinKind.Full) : join.Kind == Sql.JoinKind.Right):
                    break;
                case Join join:
                    throw Unsupported($"A {join.Kind} join would give rows of the side that is no stream which have found no match yet. Let the stream be the side whose rows are kept.");
                case Sort or Limit when mode == OutputMode.Complete && part.Parts().Any(below => below is StateAggregate or StateSession):
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
