using System.Numerics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Casts;

/// <summary>Text as an integer.</summary>
internal readonly unsafe struct TextToInteger<T>(DataType to) : IConversion<StringView, T> where T : unmanaged, IBinaryInteger<T>
{
    public bool TryConvert(StringView* value, out T result)
    {
        var isNumber = TextNumbers.TryInteger(StringView.BytesOf(value), out var number);
        result = T.CreateTruncating(number);
        return isNumber && long.CreateTruncating(result) == number;
    }

    public QueryException Error(StringView* value, EvaluatorContext context, int position) => BadText.Error(value, to, context, position);
}

/// <summary>Text as a floating-point number.</summary>
internal readonly unsafe struct TextToFloat<T>(DataType to) : IConversion<StringView, T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public bool TryConvert(StringView* value, out T result)
    {
        var isNumber = TextNumbers.TryDouble(StringView.BytesOf(value), out var number);
        result = T.CreateTruncating(number);
        return isNumber;
    }

    public QueryException Error(StringView* value, EvaluatorContext context, int position) => BadText.Error(value, to, context, position);
}

/// <summary>Text as a decimal.</summary>
internal readonly unsafe struct TextToDecimal<T>(DecimalType to) : IConversion<StringView, T> where T : unmanaged, IBinaryInteger<T>
{
    public bool TryConvert(StringView* value, out T result)
    {
        var isNumber = TextNumbers.TryDecimal(StringView.BytesOf(value), to, out var number);
        result = T.CreateTruncating(number);
        return isNumber;
    }

    public QueryException Error(StringView* value, EvaluatorContext context, int position) =>
        // A number that is only too long for the type is told apart from no number.
        TextNumbers.TryDouble(StringView.BytesOf(value), out var number) && double.IsFinite(number)
            ? EvaluationError.OutOfRange(StringView.TextOf(value), to, context, position)
            : BadText.Error(value, to, context, position);
}

/// <summary>Text as a date.</summary>
internal readonly unsafe struct TextToDate : IConversion<StringView, int>
{
    public bool TryConvert(StringView* value, out int result) => TimeText.TryDate(StringView.BytesOf(value), out result);

    public QueryException Error(StringView* value, EvaluatorContext context, int position) => BadText.Error(value, DataType.Date, context, position);
}

/// <summary>Text as an instant; text without a zone is of the session's.</summary>
internal readonly unsafe struct TextToTimestamp(Zone session) : IConversion<StringView, long>
{
    public bool TryConvert(StringView* value, out long result)
    {
        if (!TimeText.TryTimestamp(StringView.BytesOf(value), out result, out var zone)) return false;
        result = (zone is null ? session : Zone.Find(zone)!).ToInstant(result);
        return true;
    }

    public QueryException Error(StringView* value, EvaluatorContext context, int position) => BadText.Error(value, DataType.Timestamp, context, position);
}

/// <summary>Text as what clocks show; a zone in it is passed over.</summary>
internal readonly unsafe struct TextToTimestampNtz : IConversion<StringView, long>
{
    public bool TryConvert(StringView* value, out long result) => TimeText.TryTimestamp(StringView.BytesOf(value), out result, out _);

    public QueryException Error(StringView* value, EvaluatorContext context, int position) => BadText.Error(value, DataType.TimestampNtz, context, position);
}

/// <summary>The error of text that can't be read.</summary>
internal static unsafe class BadText
{
    public static QueryException Error(StringView* value, DataType to, EvaluatorContext context, int position) =>
        EvaluationError.BadCast($"'{StringView.TextOf(value)}'", DataType.String, to, context, position);
}
