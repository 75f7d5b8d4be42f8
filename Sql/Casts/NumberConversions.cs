using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Casts;

/// <summary>An integer in fewer bits.</summary>
internal readonly unsafe struct NarrowInteger<TFrom, TTo>(DataType from, DataType to) : IConversion<TFrom, TTo>
    where TFrom : unmanaged, IBinaryInteger<TFrom>
    where TTo : unmanaged, IBinaryInteger<TTo>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryConvert(TFrom* value, out TTo result)
    {
        result = TTo.CreateTruncating(*value);
        return TFrom.CreateTruncating(result) == *value;
    }

    public QueryException Error(TFrom* value, EvaluatorContext context, int position) =>
        EvaluationError.CastOverflow(Convert.ToString(*value, CultureInfo.InvariantCulture) ?? "", from, to, context, position);
}

/// <summary>A floating-point number without its fraction.</summary>
internal readonly unsafe struct FloatToInteger<TFrom, TTo>(DataType from, DataType to) : IConversion<TFrom, TTo>
    where TFrom : unmanaged, IFloatingPointIeee754<TFrom>
    where TTo : unmanaged, IBinaryInteger<TTo>, IMinMaxValue<TTo>
{
    public bool TryConvert(TFrom* value, out TTo result)
    {
        result = TTo.CreateSaturating(*value);
        if (!TFrom.IsFinite(*value)) return false;
        var whole = double.Truncate(double.CreateTruncating(*value));
        // The largest integer may round up to a double that is out of range.
        return whole >= double.CreateTruncating(TTo.MinValue) && whole < double.CreateTruncating(TTo.MaxValue) + (sizeof(TTo) == 8 ? 0 : 1);
    }

    public QueryException Error(TFrom* value, EvaluatorContext context, int position) =>
        EvaluationError.CastOverflow(NumberText.Of(double.CreateTruncating(*value)), from, to, context, position);
}

/// <summary>An integer or decimal as a decimal of other digits; those that are too many are rounded away, half away from zero.</summary>
internal readonly unsafe struct ToDecimal<TFrom, TTo>(DataType from, DecimalType to) : IConversion<TFrom, TTo>
    where TFrom : unmanaged, IBinaryInteger<TFrom>
    where TTo : unmanaged, IBinaryInteger<TTo>
{
    private readonly int _digits = to.Scale - (from is DecimalType type ? type.Scale : 0);
    private readonly Int128 _factor = PowersOfTen.Of(Math.Max(0, to.Scale - (from is DecimalType given ? given.Scale : 0)));
    private readonly Int128 _limit = PowersOfTen.Of(to.Precision);

    public bool TryConvert(TFrom* value, out TTo result)
    {
        var number = Int128.CreateTruncating(*value);
        if (_digits < 0)
        {
            number = PowersOfTen.RoundHalfUp(number, -_digits);
        }
        else
        {
            var most = _limit / _factor;
            if (number >= most || number <= -most)
            {
                result = default;
                return false;
            }
            number *= _factor;
        }
        result = TTo.CreateTruncating(number);
        return number < _limit && number > -_limit;
    }

    public QueryException Error(TFrom* value, EvaluatorContext context, int position) =>
        EvaluationError.OutOfRange(EvaluationError.Text(Int128.CreateTruncating(*value), from), to, context, position);
}

/// <summary>A floating-point number as a decimal: of the digits it is written with.</summary>
internal readonly unsafe struct FloatToDecimal<TFrom, TTo>(DataType from, DecimalType to) : IConversion<TFrom, TTo>
    where TFrom : unmanaged, IFloatingPointIeee754<TFrom>
    where TTo : unmanaged, IBinaryInteger<TTo>
{
    public bool TryConvert(TFrom* value, out TTo result)
    {
        result = default;
        if (!TFrom.IsFinite(*value)) return false;
        Span<byte> text = stackalloc byte[64];
        // Shortest digits that give the same number, as Spark takes them.
        if (!value->TryFormat(text, out var length, "R", CultureInfo.InvariantCulture)) return false;
        if (!TextNumbers.TryDecimal(text[..length], to, out var number)) return false;
        result = TTo.CreateTruncating(number);
        return true;
    }

    public QueryException Error(TFrom* value, EvaluatorContext context, int position) => from.Kind == TypeKind.Float
        ? EvaluationError.OutOfRange(NumberText.Of(float.CreateTruncating(*value)), to, context, position)
        : EvaluationError.OutOfRange(NumberText.Of(double.CreateTruncating(*value)), to, context, position);
}

/// <summary>A decimal without its fraction.</summary>
internal readonly unsafe struct DecimalToInteger<TFrom, TTo>(DecimalType from, DataType to) : IConversion<TFrom, TTo>
    where TFrom : unmanaged, IBinaryInteger<TFrom>
    where TTo : unmanaged, IBinaryInteger<TTo>
{
    private readonly Int128 _unit = PowersOfTen.Of(from.Scale);

    public bool TryConvert(TFrom* value, out TTo result)
    {
        var whole = Int128.CreateTruncating(*value) / _unit;
        result = TTo.CreateTruncating(whole);
        return Int128.CreateTruncating(result) == whole;
    }

    public QueryException Error(TFrom* value, EvaluatorContext context, int position) =>
        EvaluationError.CastOverflow(EvaluationError.Text(Int128.CreateTruncating(*value), from), from, to, context, position);
}

/// <summary>A decimal as the nearest floating-point number.</summary>
internal readonly unsafe struct DecimalToFloat<TFrom, TTo>(DecimalType from) : IConversion<TFrom, TTo>
    where TFrom : unmanaged, IBinaryInteger<TFrom>
    where TTo : unmanaged, IFloatingPointIeee754<TTo>
{
    private readonly double _unit = (double)PowersOfTen.Of(from.Scale);

    public bool TryConvert(TFrom* value, out TTo result)
    {
        var number = Int128.CreateTruncating(*value);
        // Both are exact in a double: their quotient is the nearest one. Else the digits are read.
        if (number <= 1L << 53 && number >= -(1L << 53) && from.Scale <= 22) result = TTo.CreateTruncating((double)number / _unit);
        else result = TTo.Parse(EvaluationError.Text(number, from), NumberStyles.Float, CultureInfo.InvariantCulture);
        return true;
    }

    public QueryException Error(TFrom* value, EvaluatorContext context, int position) =>
        throw new InvalidOperationException("A decimal always has a nearest floating-point number. Please report this.");
}
