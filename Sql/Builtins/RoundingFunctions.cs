using System.Globalization;
using System.Numerics;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>ceil</c> and <c>floor</c>: bigint of whole and floating-point numbers, a decimal without fraction of decimals.</summary>
internal sealed class CeilFunction(string name) : ScalarFunction(name)
{
    private bool IsUp => Name == "ceil";

    public override ValueList<string> Aliases => IsUp ? ["ceiling"] : [];

    public override string Usage => $"{Name}(number)";

    public override string Summary => IsUp ? "The least whole number that is not less." : "The greatest whole number that is not greater.";

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 1) return null;
        return arguments[0].Type switch
        {
            DecimalType type => new Signature([type], TypeRules.Bounded(type.Precision - type.Scale + 1, 0)),
            { IsInteger: true } => new Signature([DataType.BigInt], DataType.BigInt),
            var type => ImplicitCasts.Allows(type, DataType.Double) ? new Signature([DataType.Double], DataType.BigInt) : null,
        };
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        if (call.Arguments[0].Type.Kind == TypeKind.BigInt) return arguments[0];
        var isUp = IsUp;
        RowKernel kernel = call.Arguments[0].Type is DecimalType type
            ? DecimalKernel.Of(type, call.Type, value =>
            {
                var unit = PowersOfTen.Of(type.Scale);
                var (whole, rest) = Int128.DivRem(value, unit);
                return rest == 0 ? whole : isUp ? rest > 0 ? whole + 1 : whole : rest < 0 ? whole - 1 : whole;
            })
            // Saturated, as in Java.
            : row => row.Return(long.CreateSaturating(isUp ? Math.Ceiling(row.Double(0)) : Math.Floor(row.Double(0))));
        return new RowEvaluator(kernel, call.Type, arguments, context, call.Position.Start);
    }
}

/// <summary>Kernels over decimals of either width.</summary>
internal static class DecimalKernel
{
    public static RowKernel Of(DataType from, DataType to, Func<Int128, Int128> of) => (from.Physical, to.Physical) switch
    {
        (PhysicalType.Int64, PhysicalType.Int64) => row => row.Return((long)of(row.Long(0))),
        (PhysicalType.Int64, _) => row => row.Return(of(row.Long(0))),
        (_, PhysicalType.Int64) => row => row.Return((long)of(row.Value<Int128>(0))),
        _ => row => row.Return(of(row.Value<Int128>(0))),
    };
}

/// <summary><c>round</c>, halves away from zero, and <c>bround</c>, halves to the even digit.</summary>
internal sealed class RoundFunction(string name) : ScalarFunction(name)
{
    private bool ToEven => Name == "bround";

    public override string Usage => $"{Name}(number[, digits])";

    public override string Summary => $"The number with so many digits behind the point, none if not given; halves go {(ToEven ? "to the even digit" : "away from zero")}.";

    public override bool MayFail => true;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count is not (1 or 2) || DigitsOf(arguments) is not { } digits) return null;
        var result = arguments[0].Type switch
        {
            DecimalType type when digits < 0 => TypeRules.Bounded(Math.Max(type.Precision - type.Scale + 1, 1 - digits), 0),
            DecimalType type => TypeRules.Bounded(Math.Min(type.Precision, type.Precision - type.Scale + Math.Min(type.Scale, digits) + (digits < type.Scale ? 1 : 0)), Math.Min(type.Scale, digits)),
            { IsInteger: true } type => type,
            { Kind: TypeKind.Float } type => type,
            var type => ImplicitCasts.Allows(type, DataType.Double) ? DataType.Double : null,
        };
        if (result is null) return null;
        var taken = arguments[0].Type is DecimalType ? arguments[0].Type : result;
        return arguments.Count == 1 ? new Signature([taken], result) : new Signature([taken, DataType.Int], result);
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        var digits = DigitsOf(call.Arguments)!.Value;
        var type = call.Type;
        RowKernel kernel = type.Kind switch
        {
            TypeKind.Decimal => OfDecimal((DecimalType)call.Arguments[0].Type, (DecimalType)type, digits),
            TypeKind.Float => row => row.Return((float)Round(row.Value<float>(0), row.Value<float>(0).ToString("R", CultureInfo.InvariantCulture), digits)),
            TypeKind.Double => row => row.Return(Round(row.Double(0), null, digits)),
            TypeKind.TinyInt => row => row.Return((sbyte)Whole(row, row.Value<sbyte>(0), digits, sbyte.MinValue, sbyte.MaxValue)),
            TypeKind.SmallInt => row => row.Return((short)Whole(row, row.Value<short>(0), digits, short.MinValue, short.MaxValue)),
            TypeKind.Int => row => row.Return((int)Whole(row, row.Int(0), digits, int.MinValue, int.MaxValue)),
            _ => row => row.Return((long)Whole(row, row.Long(0), digits, long.MinValue, long.MaxValue)),
        };
        return new RowEvaluator(kernel, type, [arguments[0]], context, call.Position.Start);
    }

    private static int? DigitsOf(ValueList<Expression> arguments)
    {
        if (arguments.Count == 1) return 0;
        return arguments[1] switch
        {
            Literal { Value: int digits } => digits,
            Literal { Value: null } => 0,
            // -1 may have come as a negation that nobody folded yet.
            Call { Function.Name: "negative" } call when call.Arguments[0] is Literal { Value: int digits } => -digits,
            _ => null,
        };
    }

    private RowKernel OfDecimal(DecimalType from, DecimalType to, int digits)
    {
        var drop = from.Scale - digits;
        if (drop <= 0) return DecimalKernel.Of(from, to, static value => value);
        return DecimalKernel.Of(from, to, value => Drop(value, drop) * (digits < 0 ? PowersOfTen.Of(-digits) : 1));
    }

    private Int128 Drop(Int128 value, int digits)
    {
        if (digits > 38) return 0;
        if (!ToEven) return PowersOfTen.RoundHalfUp(value, digits);
        var power = PowersOfTen.Of(digits);
        var (quotient, rest) = Int128.DivRem(value, power);
        rest = Int128.Abs(rest);
        var up = rest > power - rest || (rest == power - rest && Int128.IsOddInteger(quotient));
        return up ? quotient + (value < 0 ? -1 : 1) : quotient;
    }

    private Int128 Whole(RowEvaluator row, long value, int digits, long least, long most)
    {
        if (digits >= 0) return value;
        var result = -digits > 38 ? 0 : Drop(value, -digits) * PowersOfTen.Of(-digits);
        if (result < least || result > most) throw row.Error("ARITHMETIC_OVERFLOW", $"{Name}({value}, {digits}) is out of range. Cast the number to a wider type first.");
        return result;
    }

    // By the digits that the number is written with, as Spark does: 2.675 is rounded to 2.68, though it lies below.
    private double Round(double value, string? text, int digits)
    {
        if (!double.IsFinite(value) || digits > 320) return value;
        text ??= value.ToString("R", CultureInfo.InvariantCulture);
        var exponentAt = text.IndexOf('E', StringComparison.Ordinal);
        var exponent = exponentAt < 0 ? 0 : int.Parse(text.AsSpan(exponentAt + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = exponentAt < 0 ? text : text[..exponentAt];
        var pointAt = mantissa.IndexOf('.', StringComparison.Ordinal);
        var scale = (pointAt < 0 ? 0 : mantissa.Length - pointAt - 1) - exponent;
        if (scale <= digits) return value;
        var unscaled = BigInteger.Parse(mantissa.Replace(".", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        if (scale - digits > 60) return 0;
        var rounded = Drop((Int128)unscaled, scale - digits);
        return double.Parse($"{rounded}E{-digits}", NumberStyles.Float, CultureInfo.InvariantCulture);
    }
}

/// <summary><c>negative</c>, <c>abs</c> and <c>positive</c>: of the number's own type; out of range is an error.</summary>
internal sealed class SignFunction(string name, string summary) : ScalarFunction(name)
{
    public override string Usage => Name == "negative" ? "- number" : $"{Name}(number)";

    public override string Summary => summary;

    public override bool MayFail => Name != "positive";

    public override string Print(ValueList<Expression> arguments) => Name == "negative" ? $"(- {arguments[0]})" : base.Print(arguments);

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 1) return null;
        var type = arguments[0].Type;
        if (type.IsNumber || type.Kind is TypeKind.YearMonthInterval or TypeKind.DayTimeInterval) return new Signature([type], type);
        return type.Kind is TypeKind.String or TypeKind.Null ? new Signature([DataType.Double], DataType.Double) : null;
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        if (Name == "positive") return arguments[0];
        var isAbs = Name == "abs";
        RowKernel kernel = call.Type.Physical switch
        {
            PhysicalType.Int8 => row => row.Return((sbyte)Of(row, row.Value<sbyte>(0), isAbs, sbyte.MaxValue)),
            PhysicalType.Int16 => row => row.Return((short)Of(row, row.Value<short>(0), isAbs, short.MaxValue)),
            PhysicalType.Int32 => row => row.Return((int)Of(row, row.Int(0), isAbs, int.MaxValue)),
            PhysicalType.Int64 => row => row.Return((long)Of(row, row.Long(0), isAbs, long.MaxValue)),
            PhysicalType.Int128 => row => row.Return(isAbs ? Int128.Abs(row.Value<Int128>(0)) : -row.Value<Int128>(0)),
            PhysicalType.Float32 => row => row.Return(isAbs ? Math.Abs(row.Value<float>(0)) : -row.Value<float>(0)),
            _ => row => row.Return(isAbs ? Math.Abs(row.Double(0)) : -row.Double(0)),
        };
        return new RowEvaluator(kernel, call.Type, arguments, context, call.Position.Start);
    }

    private Int128 Of(RowEvaluator row, Int128 value, bool isAbs, Int128 most)
    {
        var result = isAbs && value >= 0 ? value : -value;
        return result > most ? throw row.Error("ARITHMETIC_OVERFLOW", $"{Name}({value}) is out of range. Cast the number to a wider type first.") : result;
    }
}
