using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Optimizer;
using Dataflow.Sql.Parsing;

namespace Dataflow.Sql.Analysis;

internal sealed partial class ExpressionBinder
{
    /// <summary>Arithmetic of dates, times and intervals; null if neither operand is one. The operators' functions know which go together.</summary>
    private Expression? Temporal(string name, Expression left, Expression right, ExpressionSyntax at)
    {
        if (!IsTemporal(left) && !IsTemporal(right)) return null;
        return Apply(name, [Beside(left, right, name), Beside(right, left, name)], at);
    }

    private Expression Extract(ExtractSyntax extract)
    {
        ValueList<Expression> arguments = [new Literal(extract.Unit.ToLowerInvariant(), DataType.String), Bind(extract.Source)];
        return context.TryCall(context.Scalar("date_part", extract.Position), arguments, extract.Position)
            ?? throw Error("INVALID_EXTRACT_FIELD", $"There is no '{extract.Unit}' to take out of {arguments[1].Type}.", extract);
    }

    /// <summary>A window that a time falls into, or a session. Of a window in place of the time: one that its last moment falls into.</summary>
    private Expression TimeWindow(CallSyntax call)
    {
        var isInside = _isInTimeWindow;
        _isInTimeWindow = true;
        if (call.Arguments is [var time, ..] && WindowEnd(time) is not null)
            call = call with { Arguments = [new CallSyntax(WindowTimeFunction.SqlName, [time]) { Position = time.Position }, .. call.Arguments.Skip(1)] };
        var arguments = TimeWindows.WithIntervals(Arguments(call));
        _isInTimeWindow = isInside;
        if (call is { IsOfWindow: true, Name: "window_start" or "window_end" } && arguments.Skip(1).Any(argument => FoldConstants.Folded(argument) is not Literal))
            throw Error("NON_FOLDABLE_ARGUMENT", "The length of a window, its slide and its start are constants. Where the length differs from row to row, group by window_start(time, length) and window_end(time, length).", call);
        return TimeWindows.Bind((Call)Scalar(call.Name, arguments, call), Times, Clause, context);
    }

    /// <summary>The last moment of a window: of one that is two columns, or of what begins at a time.</summary>
    private Expression WindowTime(CallSyntax call)
    {
        if (call.Arguments is not [var window]) return Scalar(call.Name, TimeWindows.WithIntervals(Arguments(call)), call);
        if (WindowEnd(window) is { } end) return Scalar(call.Name, [Bind(end), new Literal(0L, DataType.DayTimeInterval)], call);
        throw Error("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
            $"'{SyntaxText.NameOf(window)}' is no window here, which window(time, length) and session_window(time, gap) give as two columns, start and end. Of a time at which a window begins name the length too: {call.Name}({SyntaxText.NameOf(window)}, INTERVAL 1 MINUTE).", call);
    }

    /// <summary>The end of a window that is two columns; null for what is none.</summary>
    private ExpressionSyntax? WindowEnd(ExpressionSyntax syntax)
    {
        if (syntax is CallSyntax { IsTimeWindow: true } call) return call.OfWindow(isEnd: true);
        if (syntax is not NameSyntax name || scope.Find(name.Parts).Count > 0) return null;
        var end = name with { Parts = [.. name.Parts.SkipLast(1), $"{name.Parts[^1]}.end"] };
        if (scope.Find(end.Parts).Count > 0) return end;

        // No window is one of itself: within one, names are those of FROM.
        return _isInTimeWindow ? null : Fields?.Invoke(name with { Parts = [.. name.Parts, "end"] });
    }

    private static bool IsMoment(Expression expression) => expression.Type.Kind is TypeKind.Date or TypeKind.Timestamp or TypeKind.TimestampNtz;

    private static bool IsInterval(Expression expression) => expression.Type.Kind is TypeKind.YearMonthInterval or TypeKind.DayTimeInterval;

    private static bool IsTemporal(Expression expression) => IsMoment(expression) || IsInterval(expression);

    /// <summary>Text and bare NULLs become what they can be beside a time: in a difference the same, beside an interval a time stamp or a factor.</summary>
    private Expression Beside(Expression expression, Expression other, string name)
    {
        if (expression.Type.Kind is not (TypeKind.String or TypeKind.Null)) return expression;
        if (name is "*" or "/") return Convert(expression, DataType.Double);
        if (IsInterval(other)) return Convert(expression, expression.Type.Kind == TypeKind.Null ? other.Type : DataType.Timestamp);
        return name == "-" ? Convert(expression, other.Type) : expression.Type.Kind == TypeKind.Null ? Convert(expression, DataType.Int) : expression;
    }

    /// <summary>An interval that stands in the text, with the other sign.</summary>
    private Expression Negated(Expression interval, ExpressionSyntax at) => interval switch
    {
        Literal { Value: int months } when months != int.MinValue => new Literal(-months, interval.Type),
        Literal { Value: long micros } when micros != long.MinValue => new Literal(-micros, interval.Type),
        Literal { Value: null } => interval,
        _ => Apply("negative", [interval], at),
    };
}
