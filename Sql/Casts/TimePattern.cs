using System.Globalization;
using System.Text;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Casts;

/// <summary>How dates and times are written: the letters of Java's DateTimeFormatter that Spark allows, taken apart once.</summary>
internal sealed class TimePattern
{
    private static readonly string[] Months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
    private static readonly string[] Days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

    private readonly List<(char Letter, int Count, string Literal)> _parts = [];

    private TimePattern() { }

    /// <summary>Takes a pattern apart.</summary>
    /// <param name="pattern">Letters; other text stands for itself, letters of it in quotes.</param>
    /// <param name="wrong">The letter that means nothing, if the result is null.</param>
    public static TimePattern? Parse(string pattern, out char wrong)
    {
        var result = new TimePattern();
        wrong = '\0';
        for (var i = 0; i < pattern.Length;)
        {
            var letter = pattern[i];
            if (letter == '\'')
            {
                var literal = new StringBuilder();
                for (i++; i < pattern.Length; i++)
                {
                    if (pattern[i] != '\'') literal.Append(pattern[i]);
                    else if (i + 1 < pattern.Length && pattern[i + 1] == '\'') literal.Append(pattern[i++]);
                    else break;
                }
                i++;
                // Two quotes are one.
                result._parts.Add(('\0', 0, literal.Length == 0 ? "'" : literal.ToString()));
                continue;
            }
            var count = 1;
            while (i + count < pattern.Length && pattern[i + count] == letter) count++;
            if (char.IsAsciiLetter(letter))
            {
                if (!"yuMLdDEaHhKkmsSQqzZXxVO".Contains(letter, StringComparison.Ordinal))
                {
                    wrong = letter;
                    return null;
                }
                result._parts.Add((letter, count, ""));
            }
            else if (letter is not ('[' or ']'))
            {
                result._parts.Add(('\0', 0, new string(letter, count)));
            }
            i += count;
        }
        return result;
    }

    /// <summary>Writes a time.</summary>
    /// <param name="local">Microseconds as clocks show them.</param>
    /// <param name="offset">Microseconds that clocks are ahead of UTC.</param>
    /// <param name="zone">The zone's name.</param>
    public string Format(long local, long offset, string zone)
    {
        var days = (int)TimeUnits.FloorDivide(local, TimeUnits.Day);
        var time = local - (days * TimeUnits.Day);
        var (year, month, day) = CivilDate.Of(days);
        var hour = (int)(time / (3600 * TimeUnits.Second));
        var text = new StringBuilder();
        foreach (var (letter, count, literal) in _parts)
        {
            switch (letter)
            {
                case '\0': text.Append(literal); break;
                case 'y' or 'u' when count == 2: Number(Math.Abs(year % 100), 2); break;
                case 'y' or 'u': Number(year, count); break;
                case 'M' or 'L': Named(Months, month - 1, month); break;
                case 'd': Number(day, count); break;
                case 'D': Number(days - CivilDate.DaysOf(year, 1, 1) + 1, count); break;
                case 'Q' or 'q': Number((month + 2) / 3, count); break;
                case 'E':
                    var name = Days[(int)((((days + 4L) % 7) + 7) % 7)];
                    text.Append(count >= 4 ? name : name.AsSpan(0, 3));
                    break;
                case 'a': text.Append(hour < 12 ? "AM" : "PM"); break;
                case 'H': Number(hour, count); break;
                case 'k': Number(hour == 0 ? 24 : hour, count); break;
                case 'K': Number(hour % 12, count); break;
                case 'h': Number(hour % 12 == 0 ? 12 : hour % 12, count); break;
                case 'm': Number((int)(time / (60 * TimeUnits.Second) % 60), count); break;
                case 's': Number((int)(time / TimeUnits.Second % 60), count); break;
                case 'S': text.Append((time % TimeUnits.Second).ToString("D6", CultureInfo.InvariantCulture).PadRight(9, '0').AsSpan(0, Math.Min(count, 9))); break;
                case 'V' or 'z': text.Append(zone); break;
                case 'O': text.Append("GMT"); Offset(true); break;
                case 'X' when offset == 0: text.Append('Z'); break;
                case 'Z' when count <= 3: Offset(false); break;
                default: Offset(count >= 3); break;
            }

            void Named(string[] names, int index, int number)
            {
                if (count <= 2) Number(number, count);
                else text.Append(count == 3 ? names[index].AsSpan(0, 3) : names[index]);
            }

            void Number(int number, int width) => text.Append(number.ToString("D" + width, CultureInfo.InvariantCulture));

            void Offset(bool hasColon)
            {
                var minutes = Math.Abs(offset) / (60 * TimeUnits.Second);
                text.Append(offset < 0 ? '-' : '+').Append((minutes / 60).ToString("D2", CultureInfo.InvariantCulture));
                if (hasColon) text.Append(':');
                text.Append((minutes % 60).ToString("D2", CultureInfo.InvariantCulture));
            }
        }
        return text.ToString();
    }

    /// <summary>Reads a time that was written so.</summary>
    /// <param name="text">All of it must fit.</param>
    /// <param name="local">Microseconds as clocks show them.</param>
    /// <param name="zone">The zone in the text; null if there is none.</param>
    public bool TryParse(ReadOnlySpan<char> text, out long local, out Zone? zone)
    {
        (local, zone) = (0, null);
        var (year, month, day, dayOfYear, hour, minute, second, micros, half) = (1970, 1, 1, 0, 0, 0, 0, 0L, -1);
        for (var i = 0; i < _parts.Count; i++)
        {
            var (letter, count, literal) = _parts[i];
            var number = 0;
            switch (letter)
            {
                case '\0':
                    if (!text.StartsWith(literal, StringComparison.Ordinal)) return false;
                    text = text[literal.Length..];
                    continue;
                case 'a':
                    if (text.Length < 2) return false;
                    half = text[..2].Equals("AM", StringComparison.OrdinalIgnoreCase) ? 0 : text[..2].Equals("PM", StringComparison.OrdinalIgnoreCase) ? 12 : -1;
                    if (half < 0) return false;
                    text = text[2..];
                    continue;
                case 'M' or 'L' when count >= 3:
                    if (!TryName(ref text, Months, count == 3, out month)) return false;
                    month++;
                    continue;
                case 'E':
                    if (!TryName(ref text, Days, count <= 3, out _)) return false;
                    continue;
                case 'S':
                    var digits = 0;
                    while (digits < text.Length && digits < count && char.IsAsciiDigit(text[digits])) digits++;
                    if (digits == 0) return false;
                    micros = long.Parse(text[..digits].ToString().PadRight(6, '0').AsSpan(0, 6), NumberStyles.None, CultureInfo.InvariantCulture);
                    text = text[digits..];
                    continue;
                case 'X' or 'x' or 'Z' or 'z' or 'V' or 'O':
                    var end = 0;
                    while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] is '+' or '-' or ':' or '/' or '_')) end++;
                    zone = Zone.Find(text[..end].ToString());
                    if (zone is null) return false;
                    text = text[end..];
                    continue;
                default:
                    // Fields that follow each other have the width they are written with; else one letter takes what there is.
                    var isTight = count > 1 || (i + 1 < _parts.Count && _parts[i + 1].Letter is not '\0' and not 'a');
                    if (!TryNumber(ref text, isTight ? count : letter is 'y' or 'u' ? 6 : 2, isTight ? count : 1, out number)) return false;
                    break;
            }
            switch (letter)
            {
                case 'y' or 'u': year = count == 2 ? 2000 + number : number; break;
                case 'M' or 'L': month = number; break;
                case 'd': day = number; break;
                case 'D': dayOfYear = number; break;
                case 'H': hour = number; break;
                case 'k': hour = number % 24; break;
                case 'h' or 'K': hour = number % 12; break;
                case 'm': minute = number; break;
                case 's': second = number; break;
                case 'Q' or 'q': month = (number * 3) - 2; break;
                default: return false;
            }
        }
        if (text.Length > 0 || month is < 1 or > 12 || day < 1 || day > CivilDate.DaysIn(year, month) || hour > 23 || minute > 59 || second > 59) return false;
        if (half >= 0) hour = (hour % 12) + half;
        var days = dayOfYear > 0 ? CivilDate.DaysOf(year, 1, 1) + dayOfYear - 1 : CivilDate.DaysOf(year, month, day);
        local = (days * TimeUnits.Day) + (((((hour * 60L) + minute) * 60) + second) * TimeUnits.Second) + micros;
        return true;
    }

    private static bool TryNumber(ref ReadOnlySpan<char> text, int most, int least, out int number)
    {
        number = 0;
        var length = 0;
        while (length < text.Length && length < most && char.IsAsciiDigit(text[length])) number = (number * 10) + text[length++] - '0';
        text = text[length..];
        return length >= least;
    }

    private static bool TryName(ref ReadOnlySpan<char> text, string[] names, bool isShort, out int index)
    {
        for (index = 0; index < names.Length; index++)
        {
            var name = isShort ? names[index].AsSpan(0, 3) : names[index];
            if (!text.StartsWith(name, StringComparison.OrdinalIgnoreCase)) continue;
            text = text[name.Length..];
            return true;
        }
        return false;
    }
}
