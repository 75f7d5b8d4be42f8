using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>
/// Windows of equal length: when the one begins and ends that a time falls into. Where they begin more often than they end, a time falls into several: such calls
/// never stay in a plan, <see cref="Analysis.TimeWindows"/> puts columns of an expansion in their place.
/// </summary>
internal sealed class TimeWindowFunction(string name, bool isEnd) : ScalarFunction(name)
{
    /// <summary>What the beginning of a window is called.</summary>
    public const string StartName = "window_start";

    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new TimeWindowFunction(StartName, isEnd: false));
        registry.Add(new TimeWindowFunction("window_end", isEnd: true));
        registry.Add(new WindowTimeFunction());
    }

    /// <summary>Whether it is the end that it gives.</summary>
    public bool IsEnd => isEnd;

    public override string Usage => $"{Name}(time, length[, slide[, offset]])";

    public override string Summary =>
        $"When the window {(isEnd ? "ends" : "begins")} that the time falls into: windows of a length begin from 1970-01-01 00:00 UTC on, or an offset later, "
        + "one behind the other or, with a slide, as often as that: then a row counts in each window that its time falls into.";

    public override bool MayFail => true;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count is < 2 or > 4 || TimestampUnits.TimeOf(arguments[0]) is not { } type) return null;
        for (var i = 1; i < arguments.Count; i++)
        {
            if (arguments[i].Type.Kind is not (TypeKind.DayTimeInterval or TypeKind.Null)) return null;
        }
        return new Signature([type, .. Enumerable.Repeat(DataType.DayTimeInterval, arguments.Count - 1)], type);
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        var hasOffset = arguments.Length > 3;

        // Most times fall into the window of the one before.
        var (start, end, before, result) = (0L, 0L, (Length: 0L, Offset: 0L), 0L);
        return new RowEvaluator(Window, call.Type, arguments, context, call.Position.Start);

        void Window(RowEvaluator row)
        {
            var (time, length, offset) = (row.Long(0), row.Long(1), hasOffset ? row.Long(3) : 0);
            if (time < start || time >= end || before != (length, offset))
            {
                if (length <= 0) throw row.Error("INVALID_PARAMETER_VALUE", "The length of a window is more than zero.");
                var first = StartOf(time, length, offset);
                result = InRange(first + (isEnd ? length : 0), row);
                (start, end, before) = ((long)Int128.Max(first, long.MinValue), (long)Int128.Min(first + length, long.MaxValue), (length, offset));
            }
            row.Return(result);
        }
    }

    /// <summary>The latest of the times that lie a multiple of a step behind an offset, and not behind a time.</summary>
    public static Int128 StartOf(long time, long step, long offset)
    {
        var since = (Int128)time - offset;
        return time - (((since % step) + step) % step);
    }

    /// <summary>A time that may lie beyond those there are.</summary>
    public static long InRange(Int128 time, RowEvaluator row) => time >= long.MinValue && time <= long.MaxValue
        ? (long)time
        : throw row.Error("DATETIME_OVERFLOW", "The window of this time reaches beyond the times that there are. Use shorter windows.");
}

/// <summary>One of the windows that a time falls into where they overlap: the latest, or how many before it. Null where the time lies behind its end.</summary>
/// <remarks>Arguments: time, length, slide, offset, and which of them, from 0. Only the binder calls it.</remarks>
internal sealed class SlidingWindowFunction(bool isEnd) : ScalarFunction(isEnd ? "sliding_end" : "sliding_start")
{
    /// <summary>When the window begins.</summary>
    public static readonly SlidingWindowFunction Start = new(isEnd: false);

    /// <summary>When it ends.</summary>
    public static readonly SlidingWindowFunction End = new(isEnd: true);

    /// <summary>Whether it is the end that it gives.</summary>
    public bool IsEnd => isEnd;

    public override string Usage => $"{Name}(time, length, slide, offset, back)";

    public override string Summary => "One of the windows that overlap at a time.";

    public override bool MayFail => true;

    public override bool IsNullable(ValueList<Expression> arguments) => true;

    public override Signature? Resolve(ValueList<Expression> arguments) => new(arguments.ConvertAll(argument => argument.Type), arguments[0].Type);

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        return new RowEvaluator(Window, call.Type, arguments, context, call.Position.Start);

        void Window(RowEvaluator row)
        {
            var (time, length, slide) = (row.Long(0), row.Long(1), row.Long(2));
            var start = TimeWindowFunction.StartOf(time, slide, row.Long(3)) - ((Int128)row.Long(4) * slide);
            if (time >= start + length) row.ReturnNull();
            else row.Return(TimeWindowFunction.InRange(isEnd ? start + length : start, row));
        }
    }
}
