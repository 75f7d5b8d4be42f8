using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;

namespace Dataflow.Streaming.State;

/// <summary>Conditions that say which rows come too late.</summary>
internal static class LateRows
{
    /// <summary>Whether a time is before another.</summary>
    /// <param name="time">The time.</param>
    /// <param name="microseconds">The other, in microseconds since 1970.</param>
    public static Expression IsBefore(Expression time, long microseconds) => Compare("<", time, microseconds);

    /// <summary>Whether a time is another or before it.</summary>
    /// <param name="time">The time.</param>
    /// <param name="microseconds">The other, in microseconds since 1970.</param>
    public static Expression IsUpTo(Expression time, long microseconds) => Compare("<=", time, microseconds);

    /// <summary>The beginning of the span of times that a time falls into.</summary>
    /// <param name="time">The time.</param>
    /// <param name="microseconds">How long spans are.</param>
    public static Expression SpanOf(Expression time, long microseconds) =>
        new Call(Function(TimeWindowFunction.StartName), [time, new Literal(microseconds, DataType.DayTimeInterval)], time.Type);

    private static Call Compare(string name, Expression time, long microseconds) => new(Function(name), [time, new Literal(microseconds, time.Type)], DataType.Boolean);

    private static ScalarFunction Function(string name) => BuiltinFunctions.Registry.FindScalar(name)!;
}
