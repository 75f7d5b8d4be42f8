using System.Globalization;

namespace Dataflow.MLlib.TreeExchange;

/// <summary>The lines <c>key=value</c> of one section of a model, read as numbers on demand; a value that is not what it should be is an error with its line.</summary>
internal sealed class LightGbmFields(string source)
{
    private delegate bool Parser<T>(ReadOnlySpan<char> word, out T value);

    private readonly Dictionary<string, (string Value, int Line)> fields = new(StringComparer.Ordinal);

    public bool Add(string key, string value, int line) => fields.TryAdd(key, (value, line));

    public string? Text(string key) => fields.TryGetValue(key, out var field) ? field.Value : null;

    public int Line(string key) => fields.TryGetValue(key, out var field) ? field.Line : 0;

    public int? Number(string key, int least, int most)
    {
        if (!fields.TryGetValue(key, out var field)) return null;
        if (!int.TryParse(field.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
            throw Fault(field.Line, key, field.Value, "a whole number");
        return value >= least && value <= most ? value : throw new ModelFormatException(source, field.Line, $"{key} is {value}; it must be from {least} to {most}.");
    }

    public double? Double(string key)
    {
        if (!fields.TryGetValue(key, out var field)) return null;
        return TryFinite(field.Value, out var value) ? value : throw Fault(field.Line, key, field.Value, "a finite number");
    }

    public double[]? Doubles(string key, long count) => Array<double>(key, count, TryFinite, "a finite number");

    /// <summary>As <see cref="Doubles"/>, infinities included: a split that parts only missing values from others has the threshold inf.</summary>
    public double[]? Numbers(string key, long count) => Array<double>(key, count, TryNumber, "a number");

    public int[]? Integers(string key, long count = -1) => Array<int>(key, count, TryInteger, "a whole number of 32 bits");

    public long[]? Longs(string key, long count) => Array<long>(key, count, TryLong, "a whole number");

    public uint[]? Words(string key) => Array<uint>(key, -1, TryWord, "a whole number from 0 to 4294967295");

    /// <summary>A number, infinities as C writes them included.</summary>
    public static bool TryNumber(ReadOnlySpan<char> word, out double value)
    {
        value = word switch { "inf" => double.PositiveInfinity, "-inf" => double.NegativeInfinity, _ => double.NaN };
        return double.IsInfinity(value) || TryFinite(word, out value);
    }

    private T[]? Array<T>(string key, long count, Parser<T> parse, string kind)
    {
        if (!fields.TryGetValue(key, out var field)) return null;
        var words = field.Value.AsSpan();
        var found = 0L;
        foreach (var range in words.Split(' ')) found += words[range].IsEmpty ? 0 : 1;
        if (count >= 0 && found != count)
        {
            // A tree of one leaf may leave empty what its other nodes would have.
            if (found == 0) return null;
            throw new ModelFormatException(source, field.Line, $"{key} has {found} numbers; num_leaves and num_cat of this tree say {count}.");
        }
        var values = new T[found];
        var next = 0;
        foreach (var range in words.Split(' '))
        {
            var word = words[range];
            if (word.IsEmpty) continue;
            if (!parse(word, out values[next++])) throw Fault(field.Line, key, word.ToString(), kind);
        }
        return values;
    }

    private static bool TryFinite(ReadOnlySpan<char> word, out double value)
        => double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);

    private static bool TryInteger(ReadOnlySpan<char> word, out int value)
        => int.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    private static bool TryLong(ReadOnlySpan<char> word, out long value)
        => long.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    private static bool TryWord(ReadOnlySpan<char> word, out uint value)
        => uint.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private ModelFormatException Fault(int line, string key, string value, string kind)
        => new(source, line, $"'{(value.Length <= 60 ? value : value[..60] + "...")}' of {key} is not {kind}.");
}
