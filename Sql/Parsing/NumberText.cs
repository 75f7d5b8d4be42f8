using System.Globalization;
using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Parsing;

/// <summary>
/// Number literals as Spark reads them: 1 is an int, a bigint or a decimal, as it fits; 1.5 is a decimal of its own digits; 1e3 is a double. Suffixes say
/// otherwise: Y tinyint, S smallint, L bigint, F float, D double, BD decimal.
/// </summary>
internal static class NumberText
{
    /// <summary>The literal; null if it is not a number or out of range.</summary>
    public static Literal? Read(string text)
    {
        var digits = text.Length;
        while (digits > 0 && char.IsAsciiLetter(text[digits - 1])) digits--;
        var suffix = text[digits..].ToUpperInvariant();
        var number = text[..digits];
        return suffix switch
        {
            // As Spark: 1E309 is infinity, 1E309D is out of range.
            "" when number.Contains('e', StringComparison.OrdinalIgnoreCase) =>
                double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? new Literal(value, DataType.Double) : null,
            "" => number.Contains('.', StringComparison.Ordinal) ? Decimal(number) : Integer(number),
            "Y" => sbyte.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? new Literal(value, DataType.TinyInt) : null,
            "S" => short.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? new Literal(value, DataType.SmallInt) : null,
            "L" => long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? new Literal(value, DataType.BigInt) : null,
            "D" => Floating(number),
            "F" => float.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && float.IsFinite(value)
                ? new Literal(value, DataType.Float)
                : null,
            "BD" => Decimal(number),
            _ => null,
        };
    }

    private static Literal? Integer(string text)
    {
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var small)) return new Literal(small, DataType.Int);
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var large) ? new Literal(large, DataType.BigInt) : Decimal(text);
    }

    private static Literal? Floating(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? new Literal(value, DataType.Double) : null;

    /// <summary>A decimal whose precision and scale are its digits': 0.05 is decimal(2,2), 12.50 is decimal(4,2), 1e2BD is decimal(3,0).</summary>
    private static Literal? Decimal(string text)
    {
        var exponent = 0;
        var e = text.IndexOf('e', StringComparison.OrdinalIgnoreCase);
        if (e >= 0 && !int.TryParse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent)) return null;
        var mantissa = e >= 0 ? text[..e] : text;
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var scale = (point < 0 ? 0 : mantissa.Length - point - 1) - exponent;
        var unsigned = mantissa.Replace(".", "", StringComparison.Ordinal);
        if (unsigned.Length > 60 || Math.Abs(exponent) > DecimalType.MaxPrecision) return null;
        if (!Int128.TryParse(unsigned, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var unscaled)) return null;
        for (; scale < 0; scale++)
        {
            if (Int128.Abs(unscaled) > Int128.MaxValue / 10) return null;
            unscaled *= 10;
        }
        var digits = unscaled == 0 ? 1 : Int128.Abs(unscaled).ToString(CultureInfo.InvariantCulture).Length;
        var precision = Math.Max(digits, scale);
        return precision > DecimalType.MaxPrecision ? null : new Literal(unscaled, DataType.Decimal(Math.Max(precision, 1), scale));
    }
}
