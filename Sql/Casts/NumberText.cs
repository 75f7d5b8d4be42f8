using System.Globalization;

namespace Dataflow.Sql.Casts;

/// <summary>Floating-point numbers as Spark writes them: <c>1.0</c>, <c>1.0E10</c>, <c>NaN</c>, <c>Infinity</c>.</summary>
internal static class NumberText
{
    public static string Of(double value) => Of(value.ToString("R", CultureInfo.InvariantCulture), value);

    public static string Of(float value) => Of(value.ToString("R", CultureInfo.InvariantCulture), value);

    private static string Of(string shortest, double value)
    {
        if (double.IsNaN(value)) return "NaN";
        if (double.IsInfinity(value)) return value > 0 ? "Infinity" : "-Infinity";
        if (value == 0) return double.IsNegative(value) ? "-0.0" : "0.0";

        // The digits and where the point stands: value = 0.d1d2d3... x 10^point.
        var isNegative = shortest[0] == '-';
        var text = isNegative ? shortest.AsSpan(1) : shortest;
        var exponentAt = text.IndexOf('E');
        var exponent = exponentAt < 0 ? 0 : int.Parse(text[(exponentAt + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = exponentAt < 0 ? text : text[..exponentAt];
        var pointAt = mantissa.IndexOf('.');
        var digits = pointAt < 0 ? mantissa.ToString() : string.Concat(mantissa[..pointAt], mantissa[(pointAt + 1)..]);
        var point = (pointAt < 0 ? mantissa.Length : pointAt) + exponent;
        var zeros = digits.Length - digits.TrimStart('0').Length;
        digits = digits.Trim('0');
        point -= zeros;

        var sign = isNegative ? "-" : "";
        if (point is > -3 and <= 7)
        {
            if (point <= 0) return $"{sign}0.{new string('0', -point)}{digits}";
            if (digits.Length <= point) return $"{sign}{digits.PadRight(point, '0')}.0";
            return $"{sign}{digits[..point]}.{digits[point..]}";
        }
        return $"{sign}{digits[0]}.{(digits.Length > 1 ? digits[1..] : "0")}E{point - 1}";
    }
}
