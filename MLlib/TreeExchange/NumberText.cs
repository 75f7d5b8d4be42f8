using System.Globalization;
using System.Text;

namespace Dataflow.MLlib.TreeExchange;

/// <summary>Numbers as C's printf writes them, since model files compare equal byte by byte only if their numbers do.</summary>
internal static class NumberText
{
    /// <summary>As <c>%.17g</c>: 17 digits, of which trailing zeros are dropped.</summary>
    public static StringBuilder AppendFull(this StringBuilder text, double value)
    {
        if (!double.IsFinite(value)) return text.Append(double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return Append(text, value.ToString("E16", CultureInfo.InvariantCulture), 17);
    }

    /// <summary>As <c>%g</c> if six digits are enough to read the same number again, else with as many as that takes.</summary>
    public static StringBuilder AppendShort(this StringBuilder text, double value)
    {
        if (!double.IsFinite(value)) return text.Append(double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf");
        for (var digits = 6; digits < 17; digits += digits == 6 ? 9 : 1)
        {
            var form = value.ToString(digits switch { 6 => "E5", 15 => "E14", _ => "E15" }, CultureInfo.InvariantCulture);
            if (double.Parse(form, CultureInfo.InvariantCulture) == value) return Append(text, form, digits);
        }
        return text.AppendFull(value);
    }

    // Of [-]d.ddddE[+-]ddd.
    private static StringBuilder Append(StringBuilder text, string form, int precision)
    {
        var number = form.AsSpan();
        if (number[0] == '-')
        {
            text.Append('-');
            number = number[1..];
        }
        var mark = number.IndexOf('E');
        var exponent = int.Parse(number[(mark + 1)..], CultureInfo.InvariantCulture);
        Span<char> digits = stackalloc char[20];
        digits[0] = number[0];
        number[2..mark].CopyTo(digits[1..]);
        digits = digits[..(mark - 1)].TrimEnd('0');
        if (digits.IsEmpty) return text.Append('0');

        if (exponent < -4 || exponent >= precision)
        {
            text.Append(digits[0]);
            if (digits.Length > 1) text.Append('.').Append(digits[1..]);
            return text.Append('e').Append(exponent < 0 ? '-' : '+').Append(Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture));
        }
        if (exponent < 0) return text.Append("0.").Append('0', -exponent - 1).Append(digits);
        if (digits.Length <= exponent + 1) return text.Append(digits).Append('0', exponent + 1 - digits.Length);
        return text.Append(digits[..(exponent + 1)]).Append('.').Append(digits[(exponent + 1)..]);
    }
}
