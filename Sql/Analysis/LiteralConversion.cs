using System.Globalization;
using System.Text;
using Dataflow.Sql.Casts;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Analysis;

/// <summary>Casts that the language puts in by itself. Literals are converted at once where that loses nothing, so that plans and scans see plain values.</summary>
internal static class LiteralConversion
{
    /// <summary>An expression as a type: itself, another literal, or a cast.</summary>
    public static Expression Cast(Expression expression, DataType target, SessionSettings session)
    {
        if (expression.Type == target) return expression;
        if (expression is Literal literal && TryConvert(literal, target, session) is { } converted) return converted;
        return new Cast(expression, target) { Position = expression.Position };
    }

    /// <summary>A literal of another type with the very same value; null if there is none.</summary>
    public static Literal? TryConvert(Literal literal, DataType target, SessionSettings session)
    {
        if (literal.Type == target) return literal;
        if (literal.Value is null) return Literal.NullOf(target);
        if (literal.Value is string text) return OfText(text, target, session);
        if (literal.Type.Kind == TypeKind.Date && target.Kind is TypeKind.Timestamp or TypeKind.TimestampNtz)
        {
            var local = (int)literal.Value * 86_400_000_000;
            return target.Kind == TypeKind.TimestampNtz ? new Literal(local, target) : OfLocal(local, session.TimeZone, target);
        }
        if (!literal.Type.IsNumber || !target.IsNumber) return null;
        if (literal.Type.Kind is TypeKind.Float or TypeKind.Double)
        {
            return literal.Type.Kind == TypeKind.Float && target.Kind == TypeKind.Double ? new Literal((double)(float)literal.Value, target) : null;
        }
        var (unscaled, scale) = Exact(literal);
        switch (target.Kind)
        {
            case TypeKind.Double:
                return new Literal(double.Parse(LiteralText.Decimal(unscaled, scale), CultureInfo.InvariantCulture), target);
            case TypeKind.Float:
                return new Literal(float.Parse(LiteralText.Decimal(unscaled, scale), CultureInfo.InvariantCulture), target);
            case TypeKind.Decimal:
                var type = (DecimalType)target;
                return Rescale(unscaled, scale, type.Scale) is { } rescaled && Digits(rescaled) <= type.Precision ? new Literal(rescaled, target) : null;
            default:
                return Rescale(unscaled, scale, 0) is { } whole ? OfWhole(whole, target) : null;
        }
    }

    private static (Int128 Unscaled, int Scale) Exact(Literal literal) => literal.Value switch
    {
        Int128 value => (value, ((DecimalType)literal.Type).Scale),
        var value => (Convert.ToInt64(value, CultureInfo.InvariantCulture), 0),
    };

    private static int Digits(Int128 value) => value == 0 ? 1 : Int128.Abs(value).ToString(CultureInfo.InvariantCulture).Length;

    private static Int128? Rescale(Int128 value, int from, int to)
    {
        for (; from < to; from++)
        {
            if (Int128.Abs(value) > Int128.MaxValue / 10) return null;
            value *= 10;
        }
        for (; from > to; from--)
        {
            if (value % 10 != 0) return null;
            value /= 10;
        }
        return value;
    }

    private static Literal? OfWhole(Int128 value, DataType target) => target.Kind switch
    {
        TypeKind.TinyInt when value >= sbyte.MinValue && value <= sbyte.MaxValue => new Literal((sbyte)value, target),
        TypeKind.SmallInt when value >= short.MinValue && value <= short.MaxValue => new Literal((short)value, target),
        TypeKind.Int when value >= int.MinValue && value <= int.MaxValue => new Literal((int)value, target),
        TypeKind.BigInt when value >= long.MinValue && value <= long.MaxValue => new Literal((long)value, target),
        _ => null,
    };

    private static Literal? OfText(string text, DataType target, SessionSettings session)
    {
        switch (target.Kind)
        {
            case TypeKind.Date:
                return TimeText.TryDate(Encoding.UTF8.GetBytes(text), out var day) ? new Literal(day, target) : null;
            case TypeKind.Timestamp or TypeKind.TimestampNtz:
                if (!TimeText.TryTimestamp(Encoding.UTF8.GetBytes(text), out var local, out var zone)) return null;
                return target.Kind == TypeKind.TimestampNtz ? new Literal(local, target) : OfLocal(local, zone ?? session.TimeZone, target);
            case TypeKind.Boolean:
                return text.Trim().ToUpperInvariant() switch
                {
                    "TRUE" or "T" or "YES" or "Y" or "1" => Literal.True,
                    "FALSE" or "F" or "NO" or "N" or "0" => Literal.False,
                    _ => null,
                };
            case TypeKind.TinyInt or TypeKind.SmallInt or TypeKind.Int or TypeKind.BigInt:
                return long.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? OfWhole(whole, target) : null;
            case TypeKind.Double:
                return double.TryParse(text.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                    && double.IsFinite(number)
                    ? new Literal(number, target)
                    : null;
            default:
                return null;
        }
    }

    private static Literal? OfLocal(long local, string zone, DataType target) => Zone.Find(zone) is { } found ? new Literal(found.ToInstant(local), target) : null;
}
