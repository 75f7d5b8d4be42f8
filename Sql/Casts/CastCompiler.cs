using System.Numerics;
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
        return Numbers(site)
            ?? throw new InvalidOperationException($"There is no cast of {from} to {to}. Please report this.");
    }

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
            case TypeKind.Double: return site.Convert<T, double, DecimalToFloat<T, double>>(new(from));
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

    public Evaluator Widen<TFrom, TTo>()
        where TFrom : unmanaged, INumber<TFrom>
        where TTo : unmanaged, INumber<TTo> => new WidenEvaluator<TFrom, TTo>(To, Argument, Context);
}
