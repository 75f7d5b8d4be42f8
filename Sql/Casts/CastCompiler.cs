using System.Numerics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Casts;

/// <summary>Which casts there are, and what computes them: Spark's with ANSI mode on.</summary>
public static class CastCompiler
{
    /// <summary>Makes what computes a cast.</summary>
    internal static Evaluator Compile(Cast cast, Evaluator argument, EvaluatorContext context)
    {
        var (from, to) = (cast.Operand.Type, cast.Target);
        if (from == to) return argument;
        if (from.Kind == TypeKind.Null) return new LiteralEvaluator(Literal.NullOf(to), context.Arena);
        var site = new CastSite(from, to, cast.IsTry, argument, context, cast.Position.Start);
        return Select(site)
            ?? throw new InvalidOperationException($"There is no cast of {from} to {to}. Please report this.");
    }

    /// <summary>Whether there is a cast of one type to another.</summary>
    /// <param name="from">Of what.</param>
    /// <param name="to">To what.</param>
    public static bool Allows(DataType from, DataType to)
    {
        if (from == to || from.Kind == TypeKind.Null) return true;
        if (from.Kind >= TypeKind.Array || to.Kind >= TypeKind.Array || to.Kind == TypeKind.Null) return false;
        return (from.Kind, to.Kind) switch
        {
            (_, TypeKind.String) => true,
            (TypeKind.String, TypeKind.YearMonthInterval or TypeKind.DayTimeInterval) => false,
            (TypeKind.String, _) => true,
            (TypeKind.Boolean, _) => to is DecimalType type ? type.Precision > type.Scale : to.IsNumber,
            (_, TypeKind.Boolean) => from.IsNumber,
            (TypeKind.Date or TypeKind.Timestamp or TypeKind.TimestampNtz, TypeKind.Date or TypeKind.Timestamp or TypeKind.TimestampNtz) => true,
            (TypeKind.Timestamp, _) => to.IsNumber && to.Kind != TypeKind.Decimal,
            (_, TypeKind.Timestamp) => from.IsInteger || from.Kind is TypeKind.Float or TypeKind.Double,
            _ => from.IsNumber && to.IsNumber,
        };
    }

    private static Evaluator? Select(CastSite site)
    {
        var (from, to, context) = (site.From, site.To, site.Context);
        switch (from.Kind, to.Kind)
        {
            case (_, TypeKind.String): return OtherCasts.ToText(site);
            case (TypeKind.Boolean, _): return OtherCasts.FromBoolean(site);
            case (_, TypeKind.Boolean): return OtherCasts.ToBoolean(site);
            case (TypeKind.String, _): return FromText(site);
            case (TypeKind.Date, TypeKind.Timestamp): return site.Convert<int, long, DateToTimestamp>(new(Zone.Of(context)));
            case (TypeKind.Date, TypeKind.TimestampNtz): return site.Convert<int, long, DateToTimestamp>(new(Zone.Find("UTC")!));
            case (TypeKind.Timestamp, TypeKind.Date): return site.Convert<long, int, TimestampToDate>(new(Zone.Of(context)));
            case (TypeKind.TimestampNtz, TypeKind.Date): return site.Convert<long, int, TimestampToDate>(new(Zone.Find("UTC")!));
            case (TypeKind.Timestamp, TypeKind.TimestampNtz): return site.Convert<long, long, ShiftZone>(new(Zone.Of(context), true));
            case (TypeKind.TimestampNtz, TypeKind.Timestamp): return site.Convert<long, long, ShiftZone>(new(Zone.Of(context), false));
            case (TypeKind.Timestamp, TypeKind.BigInt): return site.Convert<long, long, TimestampToLong>(default);
            case (TypeKind.Timestamp, TypeKind.Double): return site.Convert<long, double, TimestampToDouble>(default);
            case (TypeKind.BigInt, TypeKind.Timestamp): return site.Convert<long, long, LongToTimestamp>(default);
            case (TypeKind.Double, TypeKind.Timestamp): return site.Convert<double, long, DoubleToTimestamp>(default);
            // By way of seconds.
            case (TypeKind.Timestamp, TypeKind.Float): return Chain(site, DataType.Double);
            case (TypeKind.Timestamp, TypeKind.TinyInt or TypeKind.SmallInt or TypeKind.Int): return Chain(site, DataType.BigInt);
            case (TypeKind.TinyInt or TypeKind.SmallInt or TypeKind.Int, TypeKind.Timestamp): return Chain(site, DataType.BigInt);
            case (TypeKind.Float, TypeKind.Timestamp): return Chain(site, DataType.Double);
            default: return Numbers(site);
        }
    }

    private static Evaluator? Chain(CastSite site, DataType middle)
    {
        var first = Select(site with { To = middle });
        return first is null ? null : Select(site with { From = middle, Argument = first });
    }

    private static Evaluator? FromText(CastSite site) => site.To.Kind switch
    {
        TypeKind.TinyInt => site.Convert<StringView, sbyte, TextToInteger<sbyte>>(new(site.To)),
        TypeKind.SmallInt => site.Convert<StringView, short, TextToInteger<short>>(new(site.To)),
        TypeKind.Int => site.Convert<StringView, int, TextToInteger<int>>(new(site.To)),
        TypeKind.BigInt => site.Convert<StringView, long, TextToInteger<long>>(new(site.To)),
        TypeKind.Float => site.Convert<StringView, float, TextToFloat<float>>(new(site.To)),
        TypeKind.Double => site.Convert<StringView, double, TextToFloat<double>>(new(site.To)),
        TypeKind.Decimal => site.To.Physical == PhysicalType.Int64
            ? site.Convert<StringView, long, TextToDecimal<long>>(new((DecimalType)site.To))
            : site.Convert<StringView, Int128, TextToDecimal<Int128>>(new((DecimalType)site.To)),
        TypeKind.Date => site.Convert<StringView, int, TextToDate>(default),
        TypeKind.Timestamp => site.Convert<StringView, long, TextToTimestamp>(new(Zone.Of(site.Context))),
        TypeKind.TimestampNtz => site.Convert<StringView, long, TextToTimestampNtz>(default),
        TypeKind.Binary => new SameBytesEvaluator(site.Argument, site.To),
        _ => null,
    };

    private static Evaluator? Numbers(CastSite site) => site.From.Kind switch
    {
        TypeKind.TinyInt => FromInteger<sbyte>(site),
        TypeKind.SmallInt => FromInteger<short>(site),
        TypeKind.Int => FromInteger<int>(site),
        TypeKind.BigInt => FromInteger<long>(site),
        TypeKind.Float => FromFloat<float>(site),
        TypeKind.Double => FromFloat<double>(site),
        TypeKind.Decimal => site.From.Physical == PhysicalType.Int64 ? FromDecimal<long>(site) : FromDecimal<Int128>(site),
        _ => null,
    };

    private static Evaluator? FromInteger<T>(CastSite site) where T : unmanaged, IBinaryInteger<T>
    {
        switch (site.To.Kind)
        {
            case TypeKind.TinyInt: return ToInteger<T, sbyte>(site);
            case TypeKind.SmallInt: return ToInteger<T, short>(site);
            case TypeKind.Int: return ToInteger<T, int>(site);
            case TypeKind.BigInt: return ToInteger<T, long>(site);
            case TypeKind.Float: return site.Widen<T, float>();
            case TypeKind.Double: return site.Widen<T, double>();
            case TypeKind.Decimal:
                var type = (DecimalType)site.To;
                if (DecimalCastEvaluator.Suits(site.From, type)) return new DecimalCastEvaluator(type, type.Scale, site.Argument, site.Context);
                return type.Physical == PhysicalType.Int64
                    ? site.Convert<T, long, ToDecimal<T, long>>(new(site.From, type))
                    : site.Convert<T, Int128, ToDecimal<T, Int128>>(new(site.From, type));
            default: return null;
        }
    }

    private static unsafe Evaluator ToInteger<TFrom, TTo>(CastSite site)
        where TFrom : unmanaged, IBinaryInteger<TFrom>
        where TTo : unmanaged, IBinaryInteger<TTo> =>
        sizeof(TTo) > sizeof(TFrom) ? site.Widen<TFrom, TTo>() : site.Convert<TFrom, TTo, NarrowInteger<TFrom, TTo>>(new(site.From, site.To));

    private static Evaluator? FromFloat<T>(CastSite site) where T : unmanaged, IFloatingPointIeee754<T>
    {
        switch (site.To.Kind)
        {
            case TypeKind.TinyInt: return site.Convert<T, sbyte, FloatToInteger<T, sbyte>>(new(site.From, site.To));
            case TypeKind.SmallInt: return site.Convert<T, short, FloatToInteger<T, short>>(new(site.From, site.To));
            case TypeKind.Int: return site.Convert<T, int, FloatToInteger<T, int>>(new(site.From, site.To));
            case TypeKind.BigInt: return site.Convert<T, long, FloatToInteger<T, long>>(new(site.From, site.To));
            case TypeKind.Float: return site.Widen<T, float>();
            case TypeKind.Double: return site.Widen<T, double>();
            case TypeKind.Decimal:
                var type = (DecimalType)site.To;
                return type.Physical == PhysicalType.Int64
                    ? site.Convert<T, long, FloatToDecimal<T, long>>(new(site.From, type))
                    : site.Convert<T, Int128, FloatToDecimal<T, Int128>>(new(site.From, type));
            default: return null;
        }
    }

    private static Evaluator? FromDecimal<T>(CastSite site) where T : unmanaged, IBinaryInteger<T>
    {
        var from = (DecimalType)site.From;
        switch (site.To.Kind)
        {
            case TypeKind.TinyInt: return site.Convert<T, sbyte, DecimalToInteger<T, sbyte>>(new(from, site.To));
            case TypeKind.SmallInt: return site.Convert<T, short, DecimalToInteger<T, short>>(new(from, site.To));
            case TypeKind.Int: return site.Convert<T, int, DecimalToInteger<T, int>>(new(from, site.To));
            case TypeKind.BigInt: return site.Convert<T, long, DecimalToInteger<T, long>>(new(from, site.To));
            case TypeKind.Float: return site.Convert<T, float, DecimalToFloat<T, float>>(new(from));
            case TypeKind.Double:
                var rows = site.Convert<T, double, DecimalToFloat<T, double>>(new(from));
                return from.Physical == PhysicalType.Int64 ? new DecimalToDoubleEvaluator(from, site.Argument, rows, site.Context) : rows;
            case TypeKind.Decimal:
                var type = (DecimalType)site.To;
                if (DecimalCastEvaluator.Suits(from, type)) return new DecimalCastEvaluator(type, type.Scale - from.Scale, site.Argument, site.Context);
                return type.Physical == PhysicalType.Int64
                    ? site.Convert<T, long, ToDecimal<T, long>>(new(from, type))
                    : site.Convert<T, Int128, ToDecimal<T, Int128>>(new(from, type));
            default: return null;
        }
    }
}

/// <summary>A cast that is being compiled.</summary>
internal sealed record CastSite(DataType From, DataType To, bool IsTry, Evaluator Argument, EvaluatorContext Context, int Position)
{
    public Evaluator Convert<TFrom, TTo, TConversion>(TConversion conversion)
        where TFrom : unmanaged
        where TTo : unmanaged
        where TConversion : struct, IConversion<TFrom, TTo> =>
        new ConvertEvaluator<TFrom, TTo, TConversion>(conversion, To, IsTry, Argument, Context, Position);

    public Evaluator Rows(RowKernel kernel) => new RowEvaluator(kernel, To, [Argument], Context, Position);

    public Evaluator Widen<TFrom, TTo>()
        where TFrom : unmanaged, INumber<TFrom>
        where TTo : unmanaged, INumber<TTo> => new WidenEvaluator<TFrom, TTo>(To, Argument, Context);
}
