using System.Text;
using Dataflow.Sql.Casts;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Parts of dates and times of day: <c>year</c> to <c>second</c>, and <c>date_part</c>, which is given the part's name.</summary>
internal sealed class DatePartFunction(string name, ValueList<string> aliases, string part, DatePart of) : ScalarFunction(name)
{
    public override ValueList<string> Aliases => aliases;

    public override string Usage => $"{Name}({(of.IsTime ? "timestamp" : "date")})";

    public override string Summary => $"The {part} of a {(of.IsTime ? "timestamp" : "date")}.";

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 1) return null;
        var type = arguments[0].Type;
        if (!of.IsTime) return ImplicitCasts.Allows(type, DataType.Date) ? new Signature([DataType.Date], DataType.Int) : null;
        if (type.Kind == TypeKind.TimestampNtz) return new Signature([type], DataType.Int);
        return ImplicitCasts.Allows(type, DataType.Timestamp) ? new Signature([DataType.Timestamp], DataType.Int) : null;
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => Compile(of, call.Arguments[0].Type, arguments[0], context);

    internal static Evaluator Compile(DatePart of, DataType type, Evaluator argument, EvaluatorContext context) =>
        of.Loop?.Invoke(argument, context) ?? new RowEvaluator(KernelOf(of, type, context), DataType.Int, [argument], context, -1);

    private static RowKernel KernelOf(DatePart of, DataType type, EvaluatorContext context)
    {
        if (!of.IsTime)
        {
            var ofDate = of.Date!;
            return row => row.Return(ofDate(row.Int(0)));
        }
        var ofTime = of.Time!;
        if (type.Kind == TypeKind.TimestampNtz) return row => row.Return(ofTime(TimeOf(row.Long(0))));
        var zone = Zone.Of(context);
        return row => row.Return(ofTime(TimeOf(zone.ToLocal(row.Long(0)))));
    }

    private static long TimeOf(long local) => local - (TimeUnits.FloorDivide(local, TimeUnits.Day) * TimeUnits.Day);
}

/// <summary>How a part is taken: of days since 1970-01-01, or of microseconds since midnight.</summary>
internal sealed record DatePart(Func<int, int>? Date, Func<long, int>? Time)
{
    public bool IsTime => Time is not null;

    /// <summary>Makes a loop of its own for the part, where it is asked for often.</summary>
    public Func<Evaluator, EvaluatorContext, Evaluator>? Loop { get; init; }
}

/// <summary>All parts by their names.</summary>
internal static class DateParts
{
    private static readonly (string Name, string[] Aliases, string Text, DatePart Of)[] Parts =
    [
        ("year", [], "year", new(static days => CivilDate.Of(days).Year, null) { Loop = Loop<YearOf> }),
        ("quarter", [], "quarter, 1 to 4,", new(static days => (CivilDate.Of(days).Month + 2) / 3, null) { Loop = Loop<QuarterOf> }),
        ("month", [], "month, 1 to 12,", new(static days => CivilDate.Of(days).Month, null) { Loop = Loop<MonthOf> }),
        ("day", ["dayofmonth"], "day of the month", new(static days => CivilDate.Of(days).Day, null) { Loop = Loop<DayOf> }),
        ("dayofweek", [], "day of the week, 1 for Sunday to 7,", new(static days => DayOfWeek(days) + 1, null)),
        ("weekday", [], "day of the week, 0 for Monday to 6,", new(static days => (DayOfWeek(days) + 6) % 7, null)),
        ("dayofyear", [], "day of the year, from 1,", new(static days => days - CivilDate.DaysOf(CivilDate.Of(days).Year, 1, 1) + 1, null)),
        ("weekofyear", [], "week of the year by ISO 8601", new(static days => IsoWeek(days).Week, null)),
        ("hour", [], "hour, 0 to 23,", new(null, static time => (int)(time / (3600 * TimeUnits.Second)))),
        ("minute", [], "minute", new(null, static time => (int)(time / (60 * TimeUnits.Second) % 60))),
        ("second", [], "second", new(null, static time => (int)(time / TimeUnits.Second % 60))),
    ];

    public static void Add(FunctionRegistry registry)
    {
        foreach (var (name, aliases, text, of) in Parts) registry.Add(new DatePartFunction(name, [.. aliases], text, of));
        registry.Add(new DatePartByNameFunction());
    }

    private static Evaluator Loop<TMap>(Evaluator argument, EvaluatorContext context) where TMap : struct, IMap<int, int> =>
        new MapEvaluator<int, int, TMap>(DataType.Int, argument, context);

    /// <summary>0 for Sunday to 6.</summary>
    public static int DayOfWeek(int days) => (int)((((days + 4L) % 7) + 7) % 7);

    /// <summary>Week and the year it belongs to: weeks begin on Monday, the first has four days of the year at least.</summary>
    public static (int Year, int Week) IsoWeek(int days)
    {
        var thursday = days - ((DayOfWeek(days) + 6) % 7) + 3;
        var year = CivilDate.Of(thursday).Year;
        return (year, ((thursday - CivilDate.DaysOf(year, 1, 1)) / 7) + 1);
    }

    /// <summary>A part by one of the names that EXTRACT and date_part know; null if there is none.</summary>
    public static DatePart? Find(string name)
    {
        var plain = name.ToLowerInvariant() switch
        {
            "y" or "years" or "yr" or "yrs" => "year",
            "qtr" => "quarter",
            "mon" or "mons" or "months" => "month",
            "d" or "days" => "day",
            "dow" => "dayofweek",
            "doy" => "dayofyear",
            "w" or "week" or "weeks" => "weekofyear",
            "h" or "hours" or "hr" or "hrs" => "hour",
            "m" or "min" or "mins" or "minutes" => "minute",
            "s" or "sec" or "secs" or "seconds" => "second",
            "dayofweek_iso" or "dow_iso" => "isodow",
            var other => other,
        };
        if (plain == "isodow") return new DatePart(static days => ((DayOfWeek(days) + 6) % 7) + 1, null);
        if (plain == "yearofweek") return new DatePart(static days => IsoWeek(days).Year, null);
        return Array.Find(Parts, part => part.Name == plain).Of;
    }
}

/// <summary><c>date_part</c>, which EXTRACT becomes.</summary>
internal sealed class DatePartByNameFunction() : ScalarFunction("date_part")
{
    private static readonly DataType Seconds = DataType.Decimal(8, 6);

    public override ValueList<string> Aliases => ["datepart", "extract"];

    public override string Usage => "date_part(part, date or timestamp), EXTRACT(part FROM date or timestamp)";

    public override string Summary => "A part of a date or timestamp; seconds with their fraction.";

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 2 || arguments[0] is not Literal { Value: string name } || DateParts.Find(name) is not { } of) return null;
        var type = arguments[1].Type;
        if (!of.IsTime) return ImplicitCasts.Allows(type, DataType.Date) ? new Signature([DataType.String, DataType.Date], DataType.Int) : null;
        if (!ImplicitCasts.Allows(type, DataType.Timestamp)) return null;
        var time = type.Kind == TypeKind.TimestampNtz ? type : DataType.Timestamp;
        return new Signature([DataType.String, time], IsSecond(of) ? Seconds : DataType.Int);
    }

    public override string Print(ValueList<Expression> arguments) =>
        arguments[0] is Literal { Value: string name } ? $"extract({name.ToUpperInvariant()} FROM {arguments[1]})" : base.Print(arguments);

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        var of = DateParts.Find((string)((Literal)call.Arguments[0]).Value!)!;
        var (type, position) = (call.Arguments[1].Type, call.Position.Start);
        if (!IsSecond(of)) return DatePartFunction.Compile(of, type, arguments[1], context);
        var zone = type.Kind == TypeKind.Timestamp ? Zone.Of(context) : Zone.Find("UTC")!;
        return new RowEvaluator(row =>
        {
            var local = zone.ToLocal(row.Long(0));
            row.Return(local - (TimeUnits.FloorDivide(local, 60 * TimeUnits.Second) * 60 * TimeUnits.Second));
        }, Seconds, [arguments[1]], context, position);
    }

    private static bool IsSecond(DatePart of) => ReferenceEquals(of, DateParts.Find("second"));
}
