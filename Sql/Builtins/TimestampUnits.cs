using Dataflow.Sql.Casts;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Times some units later, and how many units lie between two: <c>timestampadd(MONTH, 1, t)</c>, also written <c>dateadd</c> and <c>datediff</c>.</summary>
internal static class TimestampUnits
{
    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new TimestampAddFunction());
        registry.Add(new TimestampDifferenceFunction());
    }

    /// <summary>A unit as months or as microseconds; days and longer ones are counted as clocks show them.</summary>
    public static (int Months, long Micros)? Find(Expression unit) => unit is not Literal { Value: string name } ? null : name.ToUpperInvariant() switch
    {
        "YEAR" => (12, 0),
        "QUARTER" => (3, 0),
        "MONTH" => (1, 0),
        "WEEK" => (0, 7 * TimeUnits.Day),
        "DAY" or "DAYOFYEAR" => (0, TimeUnits.Day),
        "HOUR" => (0, 3600 * TimeUnits.Second),
        "MINUTE" => (0, 60 * TimeUnits.Second),
        "SECOND" => (0, TimeUnits.Second),
        "MILLISECOND" => (0, 1000),
        "MICROSECOND" => (0, 1),
        _ => null,
    };

    /// <summary>The type of time that an argument is taken as; null if it is none.</summary>
    public static DataType? TimeOf(Expression argument) =>
        argument.Type.Kind == TypeKind.TimestampNtz ? argument.Type : ImplicitCasts.Allows(argument.Type, DataType.Timestamp) ? DataType.Timestamp : null;

    /// <summary>The zone that times of a type are shown in.</summary>
    public static Zone ZoneOf(DataType type, EvaluatorContext context) => type.Kind == TypeKind.Timestamp ? Zone.Of(context) : Zone.Find("UTC")!;
}

/// <summary>A time some units later.</summary>
internal sealed class TimestampAddFunction() : ScalarFunction("timestampadd")
{
    public override string Usage => "timestampadd(unit, count, time)";

    public override string Summary => "The time so many units later: YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND.";

    public override bool MayFail => true;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 3 || TimestampUnits.Find(arguments[0]) is null || !ImplicitCasts.Allows(arguments[1].Type, DataType.BigInt)) return null;
        return TimestampUnits.TimeOf(arguments[2]) is { } type ? new Signature([DataType.String, DataType.BigInt, type], type) : null;
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        var (months, micros) = TimestampUnits.Find(call.Arguments[0])!.Value;
        var zone = TimestampUnits.ZoneOf(call.Type, context);
        return new RowEvaluator(Add, call.Type, arguments, context, call.Position.Start);

        void Add(RowEvaluator row)
        {
            var (count, time) = ((Int128)row.Long(1), row.Long(2));
            if (months == 0 && micros < TimeUnits.Day)
            {
                row.Return(Checked(row, time + (count * micros)));
                return;
            }
            var local = zone.ToLocal(time);
            if (months == 0)
            {
                row.Return(zone.ToInstant(Checked(row, local + (count * micros))));
                return;
            }
            var day = TimeUnits.FloorDivide(local, TimeUnits.Day);
            var moved = TimeArithmetic.AddMonths(row, (int)day, Checked(row, count * months));
            row.Return(zone.ToInstant(Checked(row, ((Int128)moved * TimeUnits.Day) + local - (day * TimeUnits.Day))));
        }
    }

    private static long Checked(RowEvaluator row, Int128 value) => value >= long.MinValue && value <= long.MaxValue
        ? (long)value
        : throw row.Error("DATETIME_OVERFLOW", "The time that this operation gives is out of range. Use fewer units.");
}

/// <summary>How many whole units lie between two times.</summary>
internal sealed class TimestampDifferenceFunction() : ScalarFunction("timestampdiff")
{
    public override string Usage => "timestampdiff(unit, start, end)";

    public override string Summary => "How many whole units from start to end: YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND.";

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 3 || TimestampUnits.Find(arguments[0]) is null) return null;
        if (TimestampUnits.TimeOf(arguments[1]) is not { } start || TimestampUnits.TimeOf(arguments[2]) is not { } end) return null;
        var type = start == end ? start : DataType.Timestamp;
        return new Signature([DataType.String, type, type], DataType.BigInt);
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        var (months, micros) = TimestampUnits.Find(call.Arguments[0])!.Value;
        var zone = TimestampUnits.ZoneOf(call.Arguments[1].Type, context);
        return new RowEvaluator(
            row =>
            {
                var (start, end) = (zone.ToLocal(row.Long(1)), zone.ToLocal(row.Long(2)));
                row.Return(months == 0 ? (long)(((Int128)end - start) / micros) : Months(start, end) / months);
            },
            call.Type,
            arguments,
            context,
            call.Position.Start);
    }

    /// <summary>Whole months: as many as can be added to the start without passing the end.</summary>
    private static long Months(long start, long end)
    {
        var (a, b) = (Split(start), Split(end));
        var months = ((b.Year - a.Year) * 12L) + b.Month - a.Month;
        var rest = (b.Day, b.Time).CompareTo((a.Day, a.Time));
        if (months > 0 && rest < 0) return months - 1;
        return months < 0 && rest > 0 ? months + 1 : months;
    }

    private static (int Year, int Month, int Day, long Time) Split(long local)
    {
        var days = TimeUnits.FloorDivide(local, TimeUnits.Day);
        var (year, month, day) = CivilDate.Of((int)days);
        return (year, month, day, local - (days * TimeUnits.Day));
    }
}
