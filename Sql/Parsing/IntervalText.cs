using System.Globalization;
using System.Text;
using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Parsing;

/// <summary>Adds up the parts of an interval literal: months, and microseconds.</summary>
internal sealed class IntervalText
{
    private const long Second = 1_000_000, Minute = 60 * Second, Hour = 60 * Minute, Day = 24 * Hour;
    private static readonly string[] Units = ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"];
    private static readonly string[] DayTimeUnits = Units[2..];

    private Int128 _months;
    private Int128 _micros;
    private bool _hasMonths;
    private bool _hasMicros;
    private int _largest = Units.Length;
    private int _smallest = -1;

    /// <summary>Whether a word is a unit, in singular or plural.</summary>
    public static bool IsUnit(string word) => TryUnit(word, out _, out _);

    /// <summary>Adds an amount of a unit.</summary>
    /// <returns>False if it is not a number that the unit may have: only seconds have a fraction.</returns>
    public bool Add(string amount, string unit, int sign)
    {
        if (!TryUnit(unit, out var months, out var micros)) return false;
        var place = months > 0 ? (months == 12 ? 0 : 1) : micros >= Day ? 2 : micros == Hour ? 3 : micros == Minute ? 4 : 5;
        (_largest, _smallest) = (Math.Min(_largest, place), Math.Max(_smallest, place));
        amount = amount.Trim();
        if (amount.StartsWith('-') || amount.StartsWith('+'))
        {
            if (amount[0] == '-') sign = -sign;
            amount = amount[1..];
        }
        var point = amount.IndexOf('.', StringComparison.Ordinal);
        var whole = point < 0 ? amount : amount[..point];
        if (point >= 0 && micros != Second) return false;
        if (!long.TryParse(whole.Length == 0 ? "0" : whole, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
        var fraction = 0L;
        if (point >= 0)
        {
            var digits = amount[(point + 1)..];
            if (digits.Length > 9 || !digits.All(char.IsAsciiDigit)) return false;
            fraction = long.Parse("0" + digits.PadRight(6, '0')[..6], CultureInfo.InvariantCulture);
        }
        if (months > 0)
        {
            _hasMonths = true;
            _months += (Int128)number * months * sign;
        }
        else
        {
            _hasMicros = true;
            _micros += (((Int128)number * micros) + fraction) * sign;
        }
        return IsInRange;
    }

    /// <summary>Adds text of units: <c>3 days 4 hours</c>.</summary>
    public bool AddUnits(string text, int sign)
    {
        var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length > 0 && words[0].Equals("INTERVAL", StringComparison.OrdinalIgnoreCase)) words = words[1..];
        if (words.Length == 0 || words.Length % 2 != 0) return false;
        for (var i = 0; i < words.Length; i += 2)
        {
            if (!Add(words[i], words[i + 1], sign)) return false;
        }
        return true;
    }

    /// <summary>Adds text from one unit to a smaller one: <c>'1-2' YEAR TO MONTH</c>, <c>'1 2:3:4.5' DAY TO SECOND</c>.</summary>
    public bool AddRange(string text, string from, string to, int sign)
    {
        text = text.Trim();
        if (text.StartsWith('-') || text.StartsWith('+'))
        {
            if (text[0] == '-') sign = -sign;
            text = text[1..];
        }
        if (Is(from, "YEAR") && Is(to, "MONTH"))
        {
            var both = text.Split('-');
            return both.Length == 2 && both[1].Length > 0 && Add(both[0], "YEAR", sign) && Add(both[1], "MONTH", sign);
        }
        var first = Array.FindIndex(DayTimeUnits, unit => Is(from, unit));
        var last = Array.FindIndex(DayTimeUnits, unit => Is(to, unit));
        if (first < 0 || last <= first) return false;
        var parts = text.Split(' ', ':');
        if (parts.Length != last - first + 1 || (first == 0 && text.IndexOf(' ', StringComparison.Ordinal) < 0)) return false;
        for (var i = 0; i < parts.Length; i++)
        {
            if (parts[i].Length == 0 || !Add(parts[i], DayTimeUnits[first + i], sign)) return false;
        }
        return true;

        static bool Is(string word, string unit) => word.Equals(unit, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The whole; null if it has months and smaller units.</summary>
    public Literal? ToLiteral() => _hasMonths == _hasMicros
        ? null
        : _hasMonths ? new Literal((int)_months, DataType.YearMonthInterval) : new Literal((long)_micros, DataType.DayTimeInterval);

    /// <summary>How Spark writes it: <c>INTERVAL '1 02:00:00' DAY TO SECOND</c>, from the largest unit that was written to the smallest.</summary>
    public override string ToString()
    {
        var total = _hasMonths ? _months : _micros;
        var rest = Int128.Abs(total);
        var text = new StringBuilder(total < 0 ? "-" : "");
        for (var place = _largest; place <= _smallest; place++)
        {
            var size = place switch { 0 => 12, 1 => 1, 2 => Day, 3 => Hour, 4 => Minute, _ => Second };
            if (place > _largest) text.Append(place == 1 ? '-' : place == 3 ? ' ' : ':');
            var whole = rest / size;
            rest %= size;
            text.Append(place >= 3 ? whole.ToString("D2", CultureInfo.InvariantCulture) : whole.ToString(CultureInfo.InvariantCulture));
            if (place == 5 && rest > 0) text.Append('.').Append(rest.ToString("D6", CultureInfo.InvariantCulture).TrimEnd('0'));
        }
        return $"INTERVAL '{text}' {Units[_largest]}{(_largest == _smallest ? "" : $" TO {Units[_smallest]}")}";
    }

    private bool IsInRange => _months >= int.MinValue && _months <= int.MaxValue && _micros >= long.MinValue && _micros <= long.MaxValue;

    private static bool TryUnit(string word, out int months, out long micros)
    {
        var unit = word.ToUpperInvariant();
        if (unit.Length > 1 && unit[^1] == 'S') unit = unit[..^1];
        (months, micros) = unit switch
        {
            "YEAR" => (12, 0L),
            "QUARTER" => (3, 0L),
            "MONTH" => (1, 0L),
            "WEEK" => (0, 7 * Day),
            "DAY" => (0, Day),
            "HOUR" => (0, Hour),
            "MINUTE" => (0, Minute),
            "SECOND" => (0, Second),
            "MILLISECOND" => (0, 1_000L),
            "MICROSECOND" => (0, 1L),
            _ => (0, 0L),
        };
        return months > 0 || micros > 0;
    }
}
