using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Windows of equal length that follow each other: when the one begins and ends that a time falls into.</summary>
internal sealed class TimeWindowFunction(string name, bool isEnd) : ScalarFunction(name)
{
    /// <summary>What the beginning of a window is called.</summary>
    public const string StartName = "window_start";

    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new TimeWindowFunction(StartName, isEnd: false));
        registry.Add(new TimeWindowFunction("window_end", isEnd: true));
    }

    public override string Usage => $"{Name}(time, length[, offset])";

    public override string Summary => isEnd
        ? "When the window ends that the time falls into: windows of a length follow each other from 1970-01-01 00:00 UTC on, or from an offset to it."
        : "When the window begins that the time falls into: windows of a length follow each other from 1970-01-01 00:00 UTC on, or from an offset to it.";

    public override bool MayFail => true;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count is not (2 or 3) || TimestampUnits.TimeOf(arguments[0]) is not { } type) return null;
        for (var i = 1; i < arguments.Count; i++)
        {
            if (arguments[i].Type.Kind is not (TypeKind.DayTimeInterval or TypeKind.Null)) return null;
        }
        return new Signature([type, .. Enumerable.Repeat(DataType.DayTimeInterval, arguments.Count - 1)], type);
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        var hasOffset = arguments.Length > 2;
        return new RowEvaluator(Window, call.Type, arguments, context, call.Position.Start);

        void Window(RowEvaluator row)
        {
            var (time, length, offset) = (row.Long(0), row.Long(1), hasOffset ? row.Long(2) : 0);
            if (length <= 0) throw row.Error("INVALID_PARAMETER_VALUE", "The length of a window is more than zero.");
            var since = (Int128)time - offset;
            var start = time - (((since % length) + length) % length) + (isEnd ? length : 0);
            row.Return(start >= long.MinValue && start <= long.MaxValue
                ? (long)start
                : throw row.Error("DATETIME_OVERFLOW", "The window of this time reaches beyond the times that there are. Use shorter windows."));
        }
    }
}
