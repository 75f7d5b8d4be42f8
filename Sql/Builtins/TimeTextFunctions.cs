using System.Text;
using Dataflow.Sql.Casts;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Times from and to text and seconds, and the time at which the query began.</summary>
internal static class TimeTextFunctions
{
    private const string Usual = "yyyy-MM-dd HH:mm:ss";

    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new ReadTimeFunction("to_date", DataType.Date));
        registry.Add(new ReadTimeFunction("to_timestamp", DataType.Timestamp));
        registry.Add(new ReadTimeFunction("to_timestamp_ntz", DataType.TimestampNtz));
        registry.Add(new RowFunction("date_format", "date_format(timestamp, pattern)", "The timestamp as text in a pattern such as 'yyyy-MM-dd HH:mm'.",
            [DataType.Timestamp, DataType.String], DataType.String, static row => Format(row, row.Long(0), 1)) { Fails = true });
        registry.Add(new RowFunction("from_unixtime", "from_unixtime(seconds[, pattern])", "Seconds since 1970-01-01 00:00 UTC as text.",
            [DataType.BigInt, DataType.String], DataType.String, static row => Format(row, row.Long(0) * TimeUnits.Second, 1)) { Optional = 1, Fails = true });
        registry.Add(new UnixTimestampFunction());
        registry.Add(new RowFunction("current_timestamp", "current_timestamp()", "When the query began.", [], DataType.Timestamp, static row => row.Return(row.Session.NowMicroseconds)) { Also = ["now"] });
        registry.Add(new RowFunction("localtimestamp", "localtimestamp()", "What clocks showed in the session's zone when the query began.", [], DataType.TimestampNtz,
            static row => row.Return(row.Zone.ToLocal(row.Session.NowMicroseconds))));
        registry.Add(new RowFunction("current_date", "current_date()", "The day on which the query began, in the session's zone.", [], DataType.Date,
            static row => row.Return((int)TimeUnits.FloorDivide(row.Zone.ToLocal(row.Session.NowMicroseconds), TimeUnits.Day))) { Also = ["curdate"] });
        registry.Add(new RowFunction("current_timezone", "current_timezone()", "The session's time zone.", [], DataType.String, static row => row.Return(row.Session.TimeZone)));
        Unit("timestamp_seconds", "seconds", TimeUnits.Second);
        Unit("timestamp_millis", "milliseconds", 1000);
        Unit("timestamp_micros", "microseconds", 1);
        Count("unix_seconds", "seconds", TimeUnits.Second);
        Count("unix_millis", "milliseconds", 1000);
        Count("unix_micros", "microseconds", 1);

        void Unit(string name, string unit, long size) => registry.Add(new RowFunction(name, $"{name}({unit})", $"The instant so many {unit} after 1970-01-01 00:00 UTC.",
            [DataType.BigInt], DataType.Timestamp, row =>
            {
                if (Int128.Abs(row.Long(0)) > long.MaxValue / size) throw row.Error("DATETIME_OVERFLOW", $"{row.Long(0)} {unit} are out of the range of timestamps.");
                row.Return(row.Long(0) * size);
            }) { Fails = true });

        void Count(string name, string unit, long size) => registry.Add(new RowFunction(name, $"{name}(timestamp)", $"How many whole {unit} since 1970-01-01 00:00 UTC.",
            [DataType.Timestamp], DataType.BigInt, row => row.Return(TimeUnits.FloorDivide(row.Long(0), size))));
    }

    /// <summary>The pattern of an argument, kept while it stays the same.</summary>
    public static TimePattern PatternOf(RowEvaluator row, int argument)
    {
        var text = row.Count > argument ? row.Text(argument) : default;
        if (row.State is KnownPattern known && text.SequenceEqual(known.Text)) return known.Pattern;
        var source = row.Count > argument ? Encoding.UTF8.GetString(text) : Usual;
        var pattern = TimePattern.Parse(source, out var wrong) ?? throw row.Error("INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER",
            $"The letter '{wrong}' means nothing in the pattern '{source}'. Letters are y M d D E Q a H h K k m s S and z Z X x V O; put others in quotes.");
        row.State = new KnownPattern(pattern, text.ToArray());
        return pattern;
    }

    private static void Format(RowEvaluator row, long instant, int argument)
    {
        var local = row.Zone.ToLocal(instant);
        row.Return(PatternOf(row, argument).Format(local, local - instant, row.Session.TimeZone));
    }

    private sealed record KnownPattern(TimePattern Pattern, byte[] Text);
}

/// <summary><c>to_date</c> and <c>to_timestamp</c>: a cast, or reading with a pattern.</summary>
internal sealed class ReadTimeFunction(string name, DataType type) : ScalarFunction(name)
{
    public override string Usage => $"{Name}(text[, pattern])";

    public override string Summary => $"The {type} that a text stands for, read in a pattern if one is given.";

    public override bool MayFail => true;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count == 1) return ImplicitCasts.Allows(arguments[0].Type, type) ? new Signature([type], type) : null;
        if (arguments.Count != 2 || !ImplicitCasts.Allows(arguments[1].Type, DataType.String)) return null;
        // What is a time already needs no pattern.
        if (arguments[0].Type.Kind is TypeKind.Date or TypeKind.Timestamp or TypeKind.TimestampNtz) return new Signature([type, DataType.String], type);
        return arguments[0].Type.Kind is TypeKind.String or TypeKind.Null ? new Signature([DataType.String, DataType.String], type) : null;
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) =>
        call.Arguments[0].Type == type ? arguments[0] : new RowEvaluator(Read, type, arguments, context, call.Position.Start);

    private void Read(RowEvaluator row)
    {
        var text = Encoding.UTF8.GetString(row.Text(0));
        if (!TimeTextFunctions.PatternOf(row, 1).TryParse(text, out var local, out var zone))
        {
            throw row.Error("CANNOT_PARSE_TIMESTAMP",
                $"The text '{text}' is no {type} in the pattern '{Encoding.UTF8.GetString(row.Text(1))}'. Correct it, or use try_cast for a null instead.");
        }
        if (type.Kind == TypeKind.Date) row.Return((int)TimeUnits.FloorDivide(local, TimeUnits.Day));
        else row.Return(type.Kind == TypeKind.TimestampNtz ? local : (zone ?? row.Zone).ToInstant(local));
    }
}

/// <summary><c>unix_timestamp</c>.</summary>
internal sealed class UnixTimestampFunction() : ScalarFunction("unix_timestamp")
{
    public override ValueList<string> Aliases => ["to_unix_timestamp"];

    public override string Usage => "unix_timestamp([timestamp or text[, pattern]])";

    public override string Summary => "Whole seconds since 1970-01-01 00:00 UTC, of when the query began if nothing is given.";

    public override bool MayFail => true;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count == 0) return new Signature([], DataType.BigInt);
        if (arguments.Count > 2 || !ImplicitCasts.Allows(arguments[0].Type, DataType.Timestamp)) return null;
        if (arguments.Count == 2 && !ImplicitCasts.Allows(arguments[1].Type, DataType.String)) return null;
        var first = arguments[0].Type.Kind == TypeKind.String ? DataType.String : DataType.Timestamp;
        return arguments.Count == 1 ? new Signature([first], DataType.BigInt) : new Signature([first, DataType.String], DataType.BigInt);
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        RowKernel kernel = call.Arguments.Count == 0
            ? static row => row.Return(TimeUnits.FloorDivide(row.Session.NowMicroseconds, TimeUnits.Second))
            : call.Arguments[0].Type.Kind == TypeKind.Timestamp ? static row => row.Return(TimeUnits.FloorDivide(row.Long(0), TimeUnits.Second)) : Read;
        return new RowEvaluator(kernel, DataType.BigInt, arguments, context, call.Position.Start);
    }

    private static void Read(RowEvaluator row)
    {
        var text = Encoding.UTF8.GetString(row.Text(0));
        if (!TimeTextFunctions.PatternOf(row, 1).TryParse(text, out var local, out var zone))
            throw row.Error("CANNOT_PARSE_TIMESTAMP", $"The text '{text}' is no time in the pattern that was given, or in 'yyyy-MM-dd HH:mm:ss'.");
        row.Return(TimeUnits.FloorDivide((zone ?? row.Zone).ToInstant(local), TimeUnits.Second));
    }
}

/// <summary><c>typeof</c>.</summary>
internal sealed class TypeOfFunction() : ScalarFunction("typeof")
{
    public override string Usage => "typeof(value)";

    public override string Summary => "The name of the value's type.";

    public override bool IsNullable(ValueList<Expression> arguments) => false;

    public override Signature? Resolve(ValueList<Expression> arguments) => arguments.Count == 1 ? new Signature([arguments[0].Type], DataType.String) : null;

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) =>
        new LiteralEvaluator(new Literal(call.Arguments[0].Type.SqlName, DataType.String), context.Arena);
}
