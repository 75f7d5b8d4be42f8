using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;
using Dataflow.Sql.Casts;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Csv;

/// <summary>Reads a value of a field's text.</summary>
internal unsafe interface IFieldParser<T> where T : unmanaged
{
    bool TryParse(byte* text, int length, out T value);
}

/// <summary>Whole numbers.</summary>
internal readonly unsafe struct IntegerParser<T> : IFieldParser<T> where T : unmanaged, IBinaryInteger<T>
{
    public bool TryParse(byte* text, int length, out T value)
    {
        long number = 0;
        var at = length > 0 && text[0] == '-' ? 1 : 0;
        if (length is 0 or > 18 || length == at) return Slow(text, length, out value);
        for (var i = at; i < length; i++)
        {
            var digit = (uint)(text[i] - '0');
            if (digit > 9) return Slow(text, length, out value);
            number = (number * 10) + digit;
        }
        if (at > 0) number = -number;
        value = T.CreateTruncating(number);
        return long.CreateTruncating(value) == number;
    }

    private static bool Slow(byte* text, int length, out T value)
    {
        var isNumber = TextNumbers.TryInteger(new ReadOnlySpan<byte>(text, length), out var number);
        value = T.CreateTruncating(number);
        return isNumber && long.CreateTruncating(value) == number;
    }
}

/// <summary>Digits with a point among them, or none: what most numbers are.</summary>
internal static unsafe class PointDigits
{
    /// <summary>Reads them.</summary>
    /// <param name="text">The text.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="number">The digits as a number.</param>
    /// <param name="behind">How many of them stand behind the point.</param>
    /// <param name="isNegative">Whether a minus stands before them.</param>
    /// <returns>False for anything else, also for more than 18 bytes.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryRead(byte* text, int length, out long number, out int behind, out bool isNegative)
    {
        (number, behind) = (0, 0);
        isNegative = length > 0 && text[0] == '-';
        var at = isNegative ? 1 : 0;
        var point = -1;
        if (length is 0 or > 18 || length == at) return false;
        for (var i = at; i < length; i++)
        {
            var digit = (uint)(text[i] - '0');
            if (digit > 9)
            {
                if (text[i] != '.' || point >= 0 || length == at + 1) return false;
                point = i;
                continue;
            }
            number = (number * 10) + digit;
        }
        if (point >= 0) behind = length - point - 1;
        return true;
    }
}

/// <summary>Decimals of up to 18 digits, or of more.</summary>
internal readonly unsafe struct DecimalParser<T>(DecimalType type) : IFieldParser<T> where T : unmanaged, IBinaryInteger<T>
{
    private readonly long _limit = (long)PowersOfTen.Of(Math.Min(18, type.Precision));

    public bool TryParse(byte* text, int length, out T value)
    {
        if (!PointDigits.TryRead(text, length, out var number, out var behind, out var isNegative)) return Slow(text, length, out value);
        var missing = type.Scale - behind;
        if (missing < 0 || length + missing > 18) return Slow(text, length, out value);
        for (; missing > 0; missing--) number *= 10;
        value = T.CreateTruncating(isNegative ? -number : number);
        return number < _limit;
    }

    private bool Slow(byte* text, int length, out T value)
    {
        var isNumber = TextNumbers.TryDecimal(new ReadOnlySpan<byte>(text, length), type, out var number);
        value = T.CreateTruncating(number);
        return isNumber;
    }
}

/// <summary>Floating-point numbers. Those of few digits are exact at once (Clinger, "How to Read Floating Point Numbers Accurately", 1990, section 4).</summary>
internal readonly unsafe struct FloatParser<T> : IFieldParser<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private static readonly double[] Powers = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

    public bool TryParse(byte* text, int length, out T value)
    {
        if (length > 16 || typeof(T) != typeof(double) || !PointDigits.TryRead(text, length, out var number, out var behind, out var isNegative) || number >= 1L << 53)
            return Slow(text, length, out value);
        var result = (behind == 0 ? number : number / Powers[behind]) * (isNegative ? -1 : 1);
        value = T.CreateTruncating(result);
        return true;
    }

    private static bool Slow(byte* text, int length, out T value)
    {
        var bytes = new ReadOnlySpan<byte>(text, length);
        if (typeof(T) == typeof(float) && float.TryParse(bytes, NumberStyles.Float, CultureInfo.InvariantCulture, out var narrow))
        {
            value = T.CreateTruncating(narrow);
            return true;
        }
        var isNumber = TextNumbers.TryDouble(bytes, out var number);
        value = T.CreateTruncating(number);
        return isNumber;
    }
}

/// <summary>Days.</summary>
internal readonly unsafe struct DateParser : IFieldParser<int>
{
    public bool TryParse(byte* text, int length, out int value)
    {
        if (length == 10 && text[4] == '-' && text[7] == '-')
        {
            var (a, b, c, d) = ((uint)(text[0] - '0'), (uint)(text[1] - '0'), (uint)(text[2] - '0'), (uint)(text[3] - '0'));
            var (e, f, g, h) = ((uint)(text[5] - '0'), (uint)(text[6] - '0'), (uint)(text[8] - '0'), (uint)(text[9] - '0'));
            if (a <= 9 && b <= 9 && c <= 9 && d <= 9 && e <= 9 && f <= 9 && g <= 9 && h <= 9)
            {
                var (year, month, day) = ((int)((a * 1000) + (b * 100) + (c * 10) + d), (int)((e * 10) + f), (int)((g * 10) + h));
                value = 0;
                if (month is < 1 or > 12 || day < 1 || (day > 28 && day > CivilDate.DaysIn(year, month))) return false;
                value = CivilDate.DaysOf(year, month, day);
                return true;
            }
        }
        return TimeText.TryDate(new ReadOnlySpan<byte>(text, length), out value);
    }
}

/// <summary>Instants, or what clocks show if there is no zone.</summary>
internal readonly unsafe struct TimestampParser(Zone? zone) : IFieldParser<long>
{
    public bool TryParse(byte* text, int length, out long value)
    {
        if (!TimeText.TryTimestamp(new ReadOnlySpan<byte>(text, length), out value, out var named)) return false;
        if (zone is not null) value = (named is null ? zone : Zone.Find(named)!).ToInstant(value);
        return true;
    }
}

/// <summary>Days in a format of the user's.</summary>
internal readonly unsafe struct FormattedDateParser(string format) : IFieldParser<int>
{
    public bool TryParse(byte* text, int length, out int value)
    {
        var isDay = DateTime.TryParseExact(Encoding.UTF8.GetString(text, length), format, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day);
        value = isDay ? DateOnly.FromDateTime(day).DayNumber - 719162 : 0;
        return isDay;
    }
}

/// <summary>Times in a format of the user's.</summary>
internal readonly unsafe struct FormattedTimestampParser(string format, Zone? zone) : IFieldParser<long>
{
    public bool TryParse(byte* text, int length, out long value)
    {
        value = 0;
        if (!DateTimeOffset.TryParseExact(Encoding.UTF8.GetString(text, length), format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)) return false;
        var hasZone = format.Contains('z', StringComparison.Ordinal) || format.Contains('K', StringComparison.Ordinal);
        value = Records.ValueWriter<long>.Micros((hasZone && zone is not null ? time.UtcTicks : time.Ticks) - DateTime.UnixEpoch.Ticks);
        if (!hasZone && zone is not null) value = zone.ToInstant(value);
        return true;
    }
}
