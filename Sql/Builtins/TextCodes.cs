using System.Globalization;
using System.Text;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Text written in other ways: in addresses, quoted, masked, checked.</summary>
internal static class TextCodes
{
    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new RowFunction("url_encode", "url_encode(text)", "The text as it stands in an address: all but letters, digits and - _ . * as %XX, blanks as +.",
            [DataType.String], DataType.String, UrlEncode));
        registry.Add(new RowFunction("url_decode", "url_decode(text)", "The text that stands so in an address.", [DataType.String], DataType.String,
            static row => UrlDecode(row, isTry: false)) { Fails = true });
        registry.Add(new RowFunction("try_url_decode", "try_url_decode(text)", "The text that stands so in an address; null if none does.", [DataType.String], DataType.String,
            static row => UrlDecode(row, isTry: true)) { MakesNulls = true });
        registry.Add(new RowFunction("quote", "quote(text)", "The text in single quotes, those in it behind a backslash.", [DataType.String], DataType.String,
            static row => row.Return($"'{Encoding.UTF8.GetString(row.Text(0)).Replace("'", "\\'", StringComparison.Ordinal)}'")));
        registry.Add(new RowFunction("mask", "mask(text[, upper[, lower[, digit[, other]]]])",
            "The text with capitals, small letters, digits, and if one is given other characters, each replaced by one: X, x and n if not given.",
            [DataType.String, DataType.String, DataType.String, DataType.String, DataType.String], DataType.String, Mask) { Optional = 4 });
        registry.Add(new RowFunction("luhn_check", "luhn_check(text)", "Whether the digits fulfil Luhn's check.", [DataType.String], DataType.Boolean, LuhnCheck));
        registry.Add(new RowFunction("overlay", "overlay(text, replacement, start[, length]), OVERLAY(text PLACING replacement FROM start [FOR length])",
            "The text with the characters from a place on replaced; as many as the replacement has if no length is given.",
            [DataType.String, DataType.String, DataType.Int, DataType.Int], DataType.String, Overlay) { Optional = 1 });
        registry.Add(new RowFunction("encode", "encode(text, charset)", "The text's bytes: UTF-8, US-ASCII, ISO-8859-1, UTF-16, UTF-16BE, UTF-16LE or UTF-32.",
            [DataType.String, DataType.String], DataType.Binary, static row => row.Return(Charset(row).GetBytes(Encoding.UTF8.GetString(row.Text(0))))) { Fails = true });
        registry.Add(new RowFunction("decode", "decode(bytes, charset)", "The text of bytes: UTF-8, US-ASCII, ISO-8859-1, UTF-16, UTF-16BE, UTF-16LE or UTF-32.",
            [DataType.Binary, DataType.String], DataType.String, static row => row.Return(Charset(row).GetString(row.Text(0)))) { Fails = true });
    }

    private static void UrlEncode(RowEvaluator row)
    {
        var text = new StringBuilder();
        foreach (var code in row.Text(0))
        {
            if (char.IsAsciiLetterOrDigit((char)code) || code is (byte)'-' or (byte)'_' or (byte)'.' or (byte)'*') text.Append((char)code);
            else if (code == ' ') text.Append('+');
            else text.Append('%').Append(code.ToString("X2", CultureInfo.InvariantCulture));
        }
        row.Return(text.ToString());
    }

    private static void UrlDecode(RowEvaluator row, bool isTry)
    {
        var text = row.Text(0);
        var room = row.Room(text.Length);
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                room[length++] = text[i] == '+' ? (byte)' ' : text[i];
                continue;
            }
            if (i + 2 >= text.Length || !byte.TryParse(text.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out room[length++]))
            {
                if (!isTry) throw row.Error("CANNOT_DECODE_URL", $"'{Encoding.UTF8.GetString(text)}' can't be decoded: behind % stand two hexadecimal digits. Use try_url_decode for a null instead.");
                row.ReturnNull();
                return;
            }
            i += 2;
        }
        row.ReturnWritten(length);
    }

    private static void Mask(RowEvaluator row)
    {
        var text = new StringBuilder();
        foreach (var rune in Encoding.UTF8.GetString(row.Text(0)).EnumerateRunes())
        {
            var kind = Rune.IsUpper(rune) ? 1 : Rune.IsLower(rune) ? 2 : Rune.IsDigit(rune) ? 3 : 4;
            if (row.Count > kind) text.Append(Encoding.UTF8.GetString(row.Text(kind)));
            else if (kind == 4) text.Append(rune);
            else text.Append("Xxn"[kind - 1]);
        }
        row.Return(text.ToString());
    }

    private static void LuhnCheck(RowEvaluator row)
    {
        var text = row.Text(0);
        var sum = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var digit = text[^(i + 1)] - '0';
            if (digit is < 0 or > 9)
            {
                row.Return(false);
                return;
            }
            if (i % 2 == 1) digit = digit > 4 ? (digit * 2) - 9 : digit * 2;
            sum += digit;
        }
        row.Return(text.Length > 0 && sum % 10 == 0);
    }

    private static void Overlay(RowEvaluator row)
    {
        var text = row.Text(0);
        var replacement = row.Text(1);
        var start = Math.Max(0, row.Int(2) - 1);
        var length = row.Count > 3 && row.Int(3) >= 0 ? row.Int(3) : Utf8.Count(replacement);
        var from = Utf8.OffsetOf(text, start);
        var to = Utf8.OffsetOf(text, (int)Math.Min(int.MaxValue, (long)start + length));
        var room = row.Room(text.Length + replacement.Length);
        text[..from].CopyTo(room);
        replacement.CopyTo(room[from..]);
        text[to..].CopyTo(room[(from + replacement.Length)..]);
        row.ReturnWritten(from + replacement.Length + text.Length - to);
    }

    private static Encoding Charset(RowEvaluator row)
    {
        var name = Encoding.UTF8.GetString(row.Text(1));
        return name.ToUpperInvariant() switch
        {
            "UTF-8" => Encoding.UTF8,
            "US-ASCII" => Encoding.ASCII,
            "ISO-8859-1" => Encoding.Latin1,
            "UTF-16" or "UTF-16BE" => Encoding.BigEndianUnicode,
            "UTF-16LE" => Encoding.Unicode,
            "UTF-32" => new UTF32Encoding(bigEndian: true, byteOrderMark: false),
            _ => throw row.Error("INVALID_PARAMETER_VALUE.CHARSET", $"There is no charset '{name}'. There are: UTF-8, US-ASCII, ISO-8859-1, UTF-16, UTF-16BE, UTF-16LE, UTF-32."),
        };
    }
}
