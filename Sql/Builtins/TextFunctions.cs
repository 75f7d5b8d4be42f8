using System.Buffers;
using System.Globalization;
using System.Text;
using Dataflow.Sql.Casts;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Text in other shapes: case, blanks, padding, order.</summary>
internal static class TextFunctions
{
    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new RowFunction("lower", "lower(text)", "The text in lower case.", [DataType.String], DataType.String, static row => Case(row, false)) { Also = ["lcase"] });
        registry.Add(new RowFunction("upper", "upper(text)", "The text in upper case.", [DataType.String], DataType.String, static row => Case(row, true)) { Also = ["ucase"] });
        registry.Add(new RowFunction("initcap", "initcap(text)", "The text with the first letter of each word in upper case and the others in lower case.",
            [DataType.String], DataType.String, InitCap));
        registry.Add(new RowFunction("trim", "trim([characters, ]text), TRIM([BOTH] [characters] FROM text)", "The text without blanks, or other characters, at its ends.",
            [DataType.String, DataType.String], DataType.String, static row => Trim(row, row.Count - 1, true, true)) { Optional = 1 });
        registry.Add(new RowFunction("ltrim", "ltrim([characters, ]text), TRIM(LEADING [characters] FROM text)", "The text without blanks, or other characters, at its start.",
            [DataType.String, DataType.String], DataType.String, static row => Trim(row, row.Count - 1, true, false)) { Optional = 1 });
        registry.Add(new RowFunction("rtrim", "rtrim([characters, ]text), TRIM(TRAILING [characters] FROM text)", "The text without blanks, or other characters, at its end.",
            [DataType.String, DataType.String], DataType.String, static row => Trim(row, row.Count - 1, false, true)) { Optional = 1 });
        registry.Add(new RowFunction("btrim", "btrim(text[, characters])", "The text without blanks, or other characters, at its ends.",
            [DataType.String, DataType.String], DataType.String, static row => Trim(row, 0, true, true)) { Optional = 1 });
        registry.Add(new RowFunction("lpad", "lpad(text, length[, filling])", "The text cut or filled at its start to so many characters.",
            [DataType.String, DataType.Int, DataType.String], DataType.String, static row => Pad(row, true)) { Optional = 1 });
        registry.Add(new RowFunction("rpad", "rpad(text, length[, filling])", "The text cut or filled at its end to so many characters.",
            [DataType.String, DataType.Int, DataType.String], DataType.String, static row => Pad(row, false)) { Optional = 1 });
        registry.Add(new RowFunction("repeat", "repeat(text, times)", "The text so many times.", [DataType.String, DataType.Int], DataType.String, Repeat));
        registry.Add(new RowFunction("space", "space(length)", "So many blanks.", [DataType.Int], DataType.String, static row =>
        {
            var length = Math.Max(0, row.Int(0));
            row.Room(length).Fill((byte)' ');
            row.ReturnWritten(length);
        }));
        registry.Add(new RowFunction("reverse", "reverse(text)", "The characters from the last to the first.", [DataType.String], DataType.String, Reverse));
        registry.Add(new RowFunction("chr", "chr(number)", "The character of a code from 0 to 255; larger ones are taken modulo 256, negative ones give an empty text.",
            [DataType.BigInt], DataType.String, static row => row.Return(row.Long(0) < 0 ? "" : ((char)(row.Long(0) & 255)).ToString())) { Also = ["char"] });
        registry.Add(new RowFunction("replace", "replace(text, search[, replacement])", "The text with each occurrence replaced, or left out.",
            [DataType.String, DataType.String, DataType.String], DataType.String, Replace) { Optional = 1 });
        registry.Add(new RowFunction("translate", "translate(text, from, to)", "The text with each character of one list replaced by that of the other, or left out.",
            [DataType.String, DataType.String, DataType.String], DataType.String, Translate));
        registry.Add(new RowFunction("format_number", "format_number(number, digits)", "The number with separators every three digits, rounded to so many behind the point.",
            [DataType.Double, DataType.Int], DataType.String, FormatNumber) { MakesNulls = true });
        registry.Add(new RowFunction("soundex", "soundex(text)", "How the word sounds in English: a letter and three digits.", [DataType.String], DataType.String, Soundex));
    }

    private static void Case(RowEvaluator row, bool isUpper)
    {
        var text = row.Text(0);
        var room = row.Room(text.Length);
        if ((isUpper ? Ascii.ToUpper(text, room, out _) : Ascii.ToLower(text, room, out _)) == OperationStatus.Done)
        {
            row.ReturnWritten(text.Length);
            return;
        }
        var characters = Encoding.UTF8.GetString(text);
        row.Return(isUpper ? characters.ToUpperInvariant() : characters.ToLowerInvariant());
    }

    private static void InitCap(RowEvaluator row)
    {
        var characters = Encoding.UTF8.GetString(row.Text(0)).ToLowerInvariant().ToCharArray();
        for (var i = 0; i < characters.Length; i++)
        {
            if (i == 0 || characters[i - 1] == ' ') characters[i] = char.ToUpperInvariant(characters[i]);
        }
        row.Return(new string(characters));
    }

    private static void Trim(RowEvaluator row, int argument, bool atStart, bool atEnd)
    {
        var text = row.Text(argument);
        var characters = row.Count == 1 ? " "u8 : row.Text(1 - argument);
        int first = 0, last = text.Length;
        while (atStart && first < last && Contains(characters, text.Slice(first, Utf8.LengthAt(text, first)))) first += Utf8.LengthAt(text, first);
        while (atEnd && last > first)
        {
            var start = last - 1;
            while (start > first && Utf8.IsContinuation(text[start])) start--;
            if (!Contains(characters, text[start..last])) break;
            last = start;
        }
        row.ReturnPart(argument, first, last - first);

        static bool Contains(ReadOnlySpan<byte> characters, ReadOnlySpan<byte> one) => characters.IndexOf(one) >= 0;
    }

    private static void Pad(RowEvaluator row, bool atStart)
    {
        var text = row.Text(0);
        var length = Math.Max(0, row.Int(1));
        var have = Utf8.Count(text);
        var filling = row.Count > 2 ? row.Text(2) : " "u8;
        if (have >= length || filling.Length == 0)
        {
            row.ReturnPart(0, 0, Utf8.OffsetOf(text, length));
            return;
        }
        var (whole, part) = Math.DivRem(length - have, Utf8.Count(filling));
        var rest = filling[..Utf8.OffsetOf(filling, part)];
        var room = row.Room(((long)whole * filling.Length) + rest.Length + text.Length);
        var at = 0;
        if (!atStart) Put(text, room, ref at);
        for (; whole > 0; whole--) Put(filling, room, ref at);
        Put(rest, room, ref at);
        if (atStart) Put(text, room, ref at);
        row.ReturnWritten(at);
    }

    private static void Put(ReadOnlySpan<byte> part, Span<byte> room, ref int at)
    {
        part.CopyTo(room[at..]);
        at += part.Length;
    }

    private static void Repeat(RowEvaluator row)
    {
        var text = row.Text(0);
        var times = Math.Max(0, row.Int(1));
        var room = row.Room((long)text.Length * times);
        for (var at = 0; at < room.Length && text.Length > 0;) Put(text, room, ref at);
        row.ReturnWritten(room.Length);
    }

    private static void Reverse(RowEvaluator row)
    {
        var text = row.Text(0);
        var room = row.Room(text.Length);
        for (var at = 0; at < text.Length;)
        {
            var length = Utf8.LengthAt(text, at);
            text.Slice(at, length).CopyTo(room[(text.Length - at - length)..]);
            at += length;
        }
        row.ReturnWritten(text.Length);
    }

    private static void Replace(RowEvaluator row)
    {
        var text = row.Text(0);
        var search = row.Text(1);
        var count = search.Length == 0 ? 0 : text.Count(search);
        if (count == 0)
        {
            row.ReturnPart(0, 0, text.Length);
            return;
        }
        var replacement = row.Count > 2 ? row.Text(2) : [];
        var room = row.Room(text.Length + ((long)count * (replacement.Length - search.Length)));
        var at = 0;
        for (; count > 0; count--)
        {
            var found = text.IndexOf(search);
            Put(text[..found], room, ref at);
            Put(replacement, room, ref at);
            text = text[(found + search.Length)..];
        }
        Put(text, room, ref at);
        row.ReturnWritten(at);
    }

    private static void Translate(RowEvaluator row)
    {
        var from = row.Text(1);
        var to = row.Text(2);
        // A list of characters is short: it is walked for each character.
        var text = row.Text(0);
        var room = row.Room(text.Length * 4L);
        var end = 0;
        for (var at = 0; at < text.Length;)
        {
            var one = text.Slice(at, Utf8.LengthAt(text, at));
            at += one.Length;
            var index = 0;
            var found = false;
            for (var place = 0; place < from.Length; index++)
            {
                var length = Utf8.LengthAt(from, place);
                found = from.Slice(place, length).SequenceEqual(one);
                if (found) break;
                place += length;
            }
            if (!found)
            {
                Put(one, room, ref end);
                continue;
            }
            var start = Utf8.OffsetOf(to, index);
            if (start < to.Length) Put(to.Slice(start, Utf8.LengthAt(to, start)), room, ref end);
        }
        row.ReturnWritten(end);
    }

    private static void FormatNumber(RowEvaluator row)
    {
        var (number, digits) = (row.Double(0), row.Int(1));
        if (digits < 0) row.ReturnNull();
        else if (!double.IsFinite(number)) row.Return(NumberText.Of(number));
        else row.Return(number.ToString("N" + Math.Min(digits, 300), CultureInfo.InvariantCulture));
    }

    private static void Soundex(RowEvaluator row)
    {
        const string codes = "01230120022455012623010202";
        var text = Encoding.UTF8.GetString(row.Text(0));
        if (text.Length == 0 || !char.IsAsciiLetter(text[0]))
        {
            row.ReturnPart(0, 0, row.Text(0).Length);
            return;
        }
        Span<char> result = ['0', '0', '0', '0'];
        result[0] = char.ToUpperInvariant(text[0]);
        var last = codes[result[0] - 'A'];
        var length = 1;
        for (var i = 1; i < text.Length && length < 4; i++)
        {
            if (!char.IsAsciiLetter(text[i]))
            {
                last = '0';
                continue;
            }
            var letter = char.ToUpperInvariant(text[i]);
            // H and W do not part equal sounds; vowels do.
            if (letter is 'H' or 'W') continue;
            var code = codes[letter - 'A'];
            if (code != '0' && code != last) result[length++] = code;
            last = code;
        }
        row.Return(new string(result));
    }
}
