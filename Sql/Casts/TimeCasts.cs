using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Casts;

/// <summary>Days and microseconds.</summary>
internal static class TimeUnits
{
    public const long Second = 1_000_000;
    public const long Day = 86_400 * Second;

    /// <summary>The quotient towards minus infinity: the day of an instant before 1970.</summary>
    public static long FloorDivide(long value, long divisor)
    {
        var quotient = value / divisor;
        return value % divisor < 0 ? quotient - 1 : quotient;
    }
}

/// <summary>The midnight that begins a day.</summary>
internal readonly unsafe struct DateToTimestamp(Zone zone) : IConversion<int, long>
{
    public bool TryConvert(int* value, out long result)
    {
        result = 0;
        if (*value is > 106_751_991 or < -106_751_991) return false;
        result = zone.ToInstant(*value * TimeUnits.Day);
        return true;
    }

    public QueryException Error(int* value, EvaluatorContext context, int position) =>
        EvaluationError.CastOverflow(Expressions.LiteralText.Date(*value), DataType.Date, DataType.Timestamp, context, position);
}

/// <summary>The day that clocks show.</summary>
internal readonly unsafe struct TimestampToDate(Zone zone) : IConversion<long, int>
{
    public bool TryConvert(long* value, out int result)
    {
        result = (int)TimeUnits.FloorDivide(zone.ToLocal(*value), TimeUnits.Day);
        return true;
    }

    public QueryException Error(long* value, EvaluatorContext context, int position) => throw NeverFails.Error;
}

/// <summary>What clocks show at an instant, or when they show it.</summary>
internal readonly unsafe struct ShiftZone(Zone zone, bool toLocal) : IConversion<long, long>
{
    public bool TryConvert(long* value, out long result)
    {
        result = toLocal ? zone.ToLocal(*value) : zone.ToInstant(*value);
        return true;
    }

    public QueryException Error(long* value, EvaluatorContext context, int position) => throw NeverFails.Error;
}

/// <summary>An instant as whole seconds.</summary>
internal readonly unsafe struct TimestampToLong : IConversion<long, long>
{
    public bool TryConvert(long* value, out long result)
    {
        result = TimeUnits.FloorDivide(*value, TimeUnits.Second);
        return true;
    }

    public QueryException Error(long* value, EvaluatorContext context, int position) => throw NeverFails.Error;
}

/// <summary>Seconds as an instant.</summary>
internal readonly unsafe struct LongToTimestamp : IConversion<long, long>
{
    public bool TryConvert(long* value, out long result)
    {
        result = unchecked(*value * TimeUnits.Second);
        return Math.Abs((double)*value) < long.MaxValue / 1e6;
    }

    public QueryException Error(long* value, EvaluatorContext context, int position) =>
        EvaluationError.CastOverflow($"{*value}", DataType.BigInt, DataType.Timestamp, context, position);
}

/// <summary>Seconds with a fraction as an instant.</summary>
internal readonly unsafe struct DoubleToTimestamp : IConversion<double, long>
{
    public bool TryConvert(double* value, out long result)
    {
        result = 0;
        if (!double.IsFinite(*value) || Math.Abs(*value) >= long.MaxValue / 1e6) return false;
        result = (long)(*value * TimeUnits.Second);
        return true;
    }

    public QueryException Error(double* value, EvaluatorContext context, int position) =>
        EvaluationError.CastOverflow(NumberText.Of(*value), DataType.Double, DataType.Timestamp, context, position);
}

/// <summary>An instant as seconds with a fraction.</summary>
internal readonly unsafe struct TimestampToDouble : IConversion<long, double>
{
    public bool TryConvert(long* value, out double result)
    {
        result = *value / 1e6;
        return true;
    }

    public QueryException Error(long* value, EvaluatorContext context, int position) => throw NeverFails.Error;
}

internal static class NeverFails
{
    public static InvalidOperationException Error => new("This cast fits all values. Please report this.");
}
