using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>The last microsecond of a window, by which the window as a whole falls into longer ones.</summary>
/// <remarks>Arguments: a time, and how much later the window ends. Of a window that is two columns the binder gives its end, and no time.</remarks>
internal sealed class WindowTimeFunction() : ScalarFunction(SqlName)
{
    /// <summary>What it is called.</summary>
    public const string SqlName = "window_time";

    public override string Usage => $"{Name}(window[, length])";

    public override string Summary => "The last microsecond of a window, to group windows by windows: of one that window(...) gives, or of what begins at a time and has a length.";

    public override bool MayFail => true;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 2 || TimestampUnits.TimeOf(arguments[0]) is not { } type) return null;
        return arguments[1].Type.Kind is TypeKind.DayTimeInterval or TypeKind.Null ? new Signature([type, DataType.DayTimeInterval], type) : null;
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) =>
        new RowEvaluator(static row => row.Return(TimeWindowFunction.InRange((Int128)row.Long(0) + row.Long(1) - 1, row)), call.Type, arguments, context, call.Position.Start);
}
