using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Optimizer;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>
/// The windows of time of one SELECT that no expression can give. A row is in several sliding windows: it is repeated for each below the SELECT, which reads
/// their beginnings and ends as columns. Sessions are made by the grouping: it becomes a <see cref="SessionAggregate"/>.
/// </summary>
/// <param name="context">For errors.</param>
internal sealed class TimeWindows(BindingContext context)
{
    // Each is a list of expressions in the plan.
    private const long MostWindows = 4096;

    private (Expression Time, long Length, long Slide, long Offset, ColumnReference Start, ColumnReference End)? _sliding;
    private (Expression Time, long Gap, ColumnReference Start, ColumnReference End)? _session;
    private int _position = -1;

    /// <summary>Whether a call is of a window of time, which may be more than a value.</summary>
    public static bool IsWindow(ScalarFunction function) => function is TimeWindowFunction or SessionFunction;

    /// <summary>Arguments with texts (<c>'10 minutes'</c>) as the intervals that they name.</summary>
    public static ValueList<Expression> WithIntervals(ValueList<Expression> arguments) =>
        [.. arguments.Select((argument, i) => i == 0 ? argument : AsInterval(argument))];

    /// <summary>What stands for a call: itself where a time is in one window only.</summary>
    /// <param name="call">The call.</param>
    /// <param name="windows">The windows of the SELECT; null where rows can't be repeated.</param>
    /// <param name="clause">Where it stands.</param>
    /// <param name="context">For errors.</param>
    public static Expression Bind(Call call, TimeWindows? windows, string clause, BindingContext context)
    {
        if (call.Function is SessionFunction session) return BindSession(call, session, windows, clause, context);
        if (call.Arguments.Count == 2) return FoldConstants.Folded(call.Arguments[1]) is Literal { Value: <= 0L } ? throw Error("INVALID_PARAMETER_VALUE", "The length of a window is more than zero.") : call;
        ValueList<Expression> arguments = [.. call.Arguments.Select((argument, i) => i == 0 ? argument : FoldConstants.Folded(argument))];
        if (arguments.Any(argument => argument is Literal { Value: null })) return Literal.NullOf(call.Type);
        if (arguments.Count == 3) arguments = arguments.Add(new Literal(0L, DataType.DayTimeInterval));
        if (arguments is not [_, Literal { Value: long length }, Literal { Value: long slide }, Literal { Value: long offset }])
            throw Error("NON_FOLDABLE_ARGUMENT",
                "With a slide, the length of windows, the slide and the offset are constants: the plan has a part for each window that a time falls into.");
        if (length <= 0 || slide <= 0) throw Error("INVALID_PARAMETER_VALUE", "The length of a window and its slide are more than zero.");
        if (slide > length)
        {
            throw Error("DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION",
                $"A window begins each {TimeSpan.FromMicroseconds(slide)} and lasts {TimeSpan.FromMicroseconds(length)}: times between two would be in none. "
                    + "Let the slide be as long as the windows, or shorter.");
        }
        if (slide == length) return offset == 0 ? call with { Arguments = [.. arguments.Take(2)] } : call with { Arguments = arguments };
        if (windows is null)
            throw Error("UNSUPPORTED_EXPR_FOR_OPERATOR", $"A row is in several sliding windows, so these can't stand in {clause}. Select them in a query in FROM, or group by them.");
        if (Windows(length, slide) > MostWindows)
            throw Error("INVALID_PARAMETER_VALUE",
                $"A time would be in {Windows(length, slide):N0} windows; {MostWindows:N0} are the most. Use shorter windows or a longer slide.");
        var (start, end) = windows.Slide(arguments[0], length, slide, offset, call);
        return ((TimeWindowFunction)call.Function).IsEnd ? end : start;

        QueryException Error(string errorClass, string message) => context.Error(errorClass, message, call.Position.Start);
    }

    private static ColumnReference BindSession(Call call, SessionFunction function, TimeWindows? windows, string clause, BindingContext context)
    {
        if (FoldConstants.Folded(call.Arguments[1]) is not Literal { Value: long gap }) throw Error("NON_FOLDABLE_ARGUMENT", "The gap between sessions is a constant.");
        if (gap <= 0) throw Error("INVALID_PARAMETER_VALUE", "The gap between sessions is more than zero.");
        if (windows is null)
            throw Error("UNSUPPORTED_EXPR_FOR_OPERATOR", $"Sessions are made by grouping, so '{call.Function.Name}' can't stand in {clause}. Group by it, in a query in FROM.");
        var (start, end) = windows.Sessions(call.Arguments[0], gap, call);
        return function.IsEnd ? end : start;

        QueryException Error(string errorClass, string message) => context.Error(errorClass, message, call.Position.Start);
    }

    /// <summary>The keys of a grouping with what else is known of each group: a session that is grouped by has a beginning and an end.</summary>
    public IReadOnlyDictionary<Expression, ColumnReference> Known(IReadOnlyDictionary<Expression, ColumnReference> keys)
    {
        if (_session is not { } session || !(keys.ContainsKey(session.Start) || keys.ContainsKey(session.End))) return keys;
        return new Dictionary<Expression, ColumnReference>(keys) { [session.Start] = session.Start, [session.End] = session.End };
    }

    /// <summary>A grouping, by sessions if it goes by them.</summary>
    /// <param name="plan">The grouping.</param>
    /// <param name="hasSets">Whether it has several sets of keys.</param>
    public LogicalPlan Grouped(LogicalPlan plan, bool hasSets)
    {
        if (_session is not { } session) return plan;
        if (hasSets) throw Wrong("ROLLUP, CUBE and GROUPING SETS do not go with sessions: with other keys these are others. Group by them in a query in FROM.");
        var aggregate = (Aggregate)plan;
        ValueList<NamedExpression> keys = [.. aggregate.Keys.Where(key => !IsBound(key.Value))];
        if (keys.Count == aggregate.Keys.Count) throw Wrong("Sessions are made by grouping: name session_start or session_end in GROUP BY, by itself.");
        if (keys.Concat(aggregate.Aggregates).Any(item => item.Value.References().Any(IsBound)))
            throw Wrong("A session is known once rows are grouped: it can't be a part of another key, or an argument of an aggregate. "
                + "Compute with it in a query around this one.");
        var rows = new Filter(context.TryCall(context.Scalar("isnotnull", -1), [session.Time], -1)!, aggregate.Input);
        return new SessionAggregate(keys, session.Time, session.Gap, session.Start, session.End, aggregate.Aggregates, rows);

        bool IsBound(Expression value) => value.Equals(session.Start) || value.Equals(session.End);
    }

    /// <summary>Refuses sessions where nothing is grouped.</summary>
    public void CheckNotGrouped()
    {
        if (_session is not null) throw Wrong("Sessions are made by grouping: name session_start or session_end in GROUP BY.");
    }

    /// <summary>Refuses sessions as keys of a pivot.</summary>
    public void CheckNotPivoted()
    {
        if (_session is not null) throw Wrong("A pivot groups by its values too, and the rows of each would be sessions of their own. "
            + "Group by sessions and pivot what that gives, or use aggregates with FILTER.");
    }

    /// <summary>The rows with the columns that expressions read by now.</summary>
    public LogicalPlan Over(LogicalPlan input)
    {
        if (_sliding is not { } sliding) return input;
        ValueList<ValueList<Expression>> projections =
        [
            .. Enumerable.Range(0, (int)Windows(sliding.Length, sliding.Slide)).Select(back =>
            {
                ValueList<Expression> arguments =
                    [sliding.Time, Interval(sliding.Length), Interval(sliding.Slide), Interval(sliding.Offset), new Literal((long)back, DataType.BigInt)];
                return (ValueList<Expression>)
                [
                    .. input.Output,
                    new Call(SlidingWindowFunction.Start, arguments, sliding.Start.Type),
                    new Call(SlidingWindowFunction.End, arguments, sliding.End.Type),
                ];
            }),
        ];
        var expand = new Expand(projections, [.. input.Output, sliding.Start, sliding.End], input);
        return new Filter(context.TryCall(context.Scalar("isnotnull", -1), [sliding.Start], -1)!, expand);
    }

    private static long Windows(long length, long slide) => (length / slide) + (length % slide == 0 ? 0 : 1);

    private static Literal Interval(long microseconds) => new(microseconds, DataType.DayTimeInterval);

    private static Expression AsInterval(Expression argument)
    {
        var interval = new IntervalText();
        return argument is Literal { Value: string text } && interval.AddUnits(text, 1) && interval.ToLiteral() is { } literal
            ? literal with { Position = argument.Position }
            : argument;
    }

    private (ColumnReference Start, ColumnReference End) Slide(Expression time, long length, long slide, long offset, Call call)
    {
        if (_session is not null) throw Several(call);
        if (_sliding is not { } sliding)
        {
            sliding = (time, length, slide, offset, new ColumnReference("window_start", call.Type, true), new ColumnReference("window_end", call.Type, true));
            _sliding = sliding;
        }
        else if (!sliding.Time.Equals(time) || (sliding.Length, sliding.Slide, sliding.Offset) != (length, slide, offset))
        {
            throw Several(call);
        }
        return (sliding.Start, sliding.End);
    }

    private (ColumnReference Start, ColumnReference End) Sessions(Expression time, long gap, Call call)
    {
        _position = call.Position.Start;
        if (_session is not { } session)
        {
            session = (time, gap, new ColumnReference("session_start", call.Type, false), new ColumnReference("session_end", call.Type, false));
            _session = session;
        }
        else if (!session.Time.Equals(time) || session.Gap != gap)
        {
            throw Several(call);
        }
        return _sliding is null ? (session.Start, session.End) : throw Several(call);
    }

    private QueryException Several(Call call) => context.Error("UNSUPPORTED_FEATURE.SEVERAL_TIME_WINDOWS",
        "A SELECT has sliding windows, or sessions, of one kind only: a row would be in each pair of windows. Compute the others in a query in FROM.",
        call.Position.Start);

    private QueryException Wrong(string message) => context.Error("UNSUPPORTED_EXPR_FOR_OPERATOR", message, _position);
}
