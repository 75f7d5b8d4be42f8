using System.Globalization;
using System.Text.RegularExpressions;

namespace Dataflow.Examples;

/// <summary>What was typed behind the name of an example. Its usage text lists the options: any other is refused.</summary>
internal sealed partial class Arguments
{
    private readonly Dictionary<string, string> _options = [];
    private readonly string _usage;

    /// <summary>Reads them. Prints the usage and ends the program when asked for help, or when one is not understood.</summary>
    public Arguments(string[] args, string usage)
    {
        _usage = usage;
        var known = OptionName().Matches(usage).Select(match => match.Value).ToHashSet();
        var rest = new List<string>();
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] is "--help" or "-h") End(0, usage);
            else if (!args[i].StartsWith("--", StringComparison.Ordinal)) rest.Add(args[i]);
            else if (!known.Contains(args[i])) Refuse($"There is no option {args[i]}.");
            else if (i + 1 == args.Length) Refuse($"{args[i]} needs a value.");
            else _options[args[i]] = args[++i];
        }
        Paths = rest.Count > 0 ? string.Join(',', rest) : null;
    }

    /// <summary>All that is no option, with commas between: as every source of files takes it. Null if there is nothing.</summary>
    public string? Paths { get; }

    /// <summary>The text of an option; null if it was not given.</summary>
    public string? Text(string name) => _options.GetValueOrDefault(name);

    /// <summary>A whole number, at least 1.</summary>
    public int Number(string name, int otherwise)
    {
        if (Text(name) is not { } text) return otherwise;
        if (!int.TryParse(text, CultureInfo.InvariantCulture, out var number) || number < 1)
            Refuse($"{name} wants a whole number from 1, not '{text}'.");
        return number;
    }

    /// <summary>A number of bytes, such as <c>512m</c> or <c>1g</c>; null if it was not given.</summary>
    public long? Bytes(string name)
    {
        if (Text(name) is not { } text) return null;
        var shift = char.ToLowerInvariant(text[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        if (!long.TryParse(shift > 0 ? text[..^1] : text, CultureInfo.InvariantCulture, out var number) || number < 1)
            Refuse($"{name} wants a number of bytes such as 512m or 1g, not '{text}'.");
        return number << shift;
    }

    private void Refuse(string why) => End(2, $"{why}\n\n{_usage}");

    private static void End(int code, string text)
    {
        (code == 0 ? Console.Out : Console.Error).WriteLine(text);
        Environment.Exit(code);
    }

    [GeneratedRegex("--[a-z]+")]
    private static partial Regex OptionName();
}
