using System.Globalization;
using System.Text;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Casts;

/// <summary>Reads numbers from text as Spark does with ANSI mode on: blanks around them are dropped, anything else that is no number is refused.</summary>
internal static class TextNumbers
{
    /// <summary>Text without blanks and control characters at its ends.</summary>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text)
    {
        int first = 0, last = text.Length;
        while (first < last && text[first] <= 32) first++;
        while (last > first && text[last - 1] <= 32) last--;
        return text[first..last];
    }

    /// <summary>A sign and digits.</summary>
    public static bool TryInteger(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        text = Trim(text);
        var isNegative = text.Length > 0 && text[0] == '-';
        if (text.Length > 0 && text[0] is (byte)'-' or (byte)'+') text = text[1..];
        if (text.Length == 0) return false;
        // Negative numbers reach one further.
        foreach (var each in text)
        {
            var digit = each - '0';
            if ((uint)digit > 9) return false;
            if (value < long.MinValue / 10) return false;
            value *= 10;
            if (value < long.MinValue + digit) return false;
            value -= digit;
        }
        if (isNegative) return true;
        if (value == long.MinValue) return false;
        value = -value;
        return true;
    }

    /// <summary>Digits with a point and an exponent, rounded to the type's scale, half away from zero.</summary>
    public static bool TryDecimal(ReadOnlySpan<byte> text, DecimalType type, out Int128 value)
    {
        value = 0;
        text = Trim(text);
        var isNegative = text.Length > 0 && text[0] == '-';
        if (text.Length > 0 && text[0] is (byte)'-' or (byte)'+') text = text[1..];

        var exponent = 0L;
        var exponentAt = text.IndexOfAny((byte)'e', (byte)'E');
        if (exponentAt >= 0)
        {
            if (!TryInteger(text[(exponentAt + 1)..], out exponent) || Math.Abs(exponent) > 10_000) return false;
            text = text[..exponentAt];
        }
        var pointAt = text.IndexOf((byte)'.');
        var digits = text.Length - (pointAt < 0 ? 0 : 1);
        if (digits == 0) return false;

        // Which digit, counted from the first, is the last that the scale keeps.
        var keep = (pointAt < 0 ? text.Length : pointAt) + exponent + type.Scale;
        var limit = PowersOfTen.Of(type.Precision);
        var tenth = PowersOfTen.Of(type.Precision - 1);
        var isTooLarge = false;
        Int128 number = 0;
        var seen = 0L;
        var roundsUp = false;
        for (var i = 0; i < text.Length; i++)
        {
            if (i == pointAt) continue;
            var digit = text[i] - '0';
            if ((uint)digit > 9) return false;
            if (seen < keep)
            {
                isTooLarge |= number >= tenth;
                if (!isTooLarge) number = (number * 10) + digit;
            }
            else if (seen == keep)
            {
                roundsUp = digit >= 5;
            }
            seen++;
        }
        for (; seen < keep && number != 0 && !isTooLarge; seen++)
        {
            isTooLarge = number >= tenth;
            if (!isTooLarge) number *= 10;
        }
        if (roundsUp) number++;
        value = isNegative ? -number : number;
        return !isTooLarge && number < limit;
    }

    /// <summary>A number as Java reads it, and <c>inf</c>, <c>infinity</c>, <c>nan</c> in any case.</summary>
    public static bool TryDouble(ReadOnlySpan<byte> text, out double value)
    {
        text = Trim(text);
        value = 0;
        if (text.Length == 0 || text.Length > 400) return TryLong(text, out value);
        Span<byte> lower = stackalloc byte[text.Length];
        Ascii.ToLower(text, lower, out _);
        var word = lower[0] is (byte)'+' or (byte)'-' ? lower[1..] : lower;
        if (word.SequenceEqual("inf"u8) || word.SequenceEqual("infinity"u8))
        {
            value = lower[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
            return true;
        }
        if (lower.SequenceEqual("nan"u8))
        {
            value = double.NaN;
            return true;
        }
        // Java allows a letter for the type behind the number.
        if (lower[^1] is (byte)'d' or (byte)'f' && lower.Length > 1 && lower[^2] is >= (byte)'0' and <= (byte)'9' or (byte)'.') text = text[..^1];
        foreach (var each in text)
        {
            if (each is not ((>= (byte)'0' and <= (byte)'9') or (byte)'.' or (byte)'+' or (byte)'-' or (byte)'e' or (byte)'E')) return false;
        }
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    private static bool TryLong(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        return text.Length > 0 && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
    }
}
