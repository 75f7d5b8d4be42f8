using System.Globalization;

namespace Dataflow.Sql.Parsing;

/// <summary>Floating-point numbers as Java and Spark write them: <c>1.0</c>, <c>1.0E10</c>, <c>NaN</c>, <c>Infinity</c>.</summary>
internal static class FloatText
{
    /// <summary>The shortest text that reads back as the same double.</summary>
    public static string Of(double value) => Format(value, value.ToString("R", CultureInfo.InvariantCulture));

    /// <summary>The shortest text that reads back as the same float.</summary>
    public static string Of(float value) => Format(value, value.ToString("R", CultureInfo.InvariantCulture));

    private static string Format(double value, string shortest)
    {
        if (double.IsNaN(value)) return "NaN";
        if (double.IsInfinity(value)) return value > 0 ? "Infinity" : "-Infinity";
        if (value == 0) return double.IsNegative(value) ? "-0.0" : "0.0";
        var sign = shortest[0] == '-' ? "-" : "";
        var text = shortest.TrimStart('-');
        var e = text.IndexOf('E', StringComparison.Ordinal);
        var exponent = e < 0 ? 0 : int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        if (e >= 0) text = text[..e];
        var point = text.IndexOf('.', StringComparison.Ordinal);
        var whole = point < 0 ? text : text[..point];
        var digits = (whole + (point < 0 ? "" : text[(point + 1)..])).TrimStart('0');
        // The value is 0.digits times ten to this power.
        var leading = (whole + (point < 0 ? "" : text[(point + 1)..])).Length - digits.Length;
        var power = whole.Length - leading + exponent;
        digits = digits.TrimEnd('0');
        if (digits.Length == 0) digits = "0";
        if (Math.Abs(value) is >= 1e-3 and < 1e7)
        {
            if (power <= 0) return $"{sign}0.{new string('0', -power)}{digits}";
            return digits.Length <= power ? $"{sign}{digits.PadRight(power, '0')}.0" : $"{sign}{digits[..power]}.{digits[power..]}";
        }
        return $"{sign}{digits[0]}.{(digits.Length > 1 ? digits[1..] : "0")}E{power - 1}";
    }
}
