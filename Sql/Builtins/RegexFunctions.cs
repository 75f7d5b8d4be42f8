using System.Text;
using System.Text.RegularExpressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Regular expressions. Searching one text ends after ten seconds, in an error.</summary>
internal static class RegexFunctions
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new RowFunction("rlike", "text RLIKE pattern", "Whether a part of the text fits the regular expression.",
            [DataType.String, DataType.String], DataType.Boolean, static row => Guarded(row, (regex, text) => row.Return(regex.IsMatch(text)))) { Also = ["regexp", "regexp_like"], Fails = true });
        registry.Add(new RowFunction("regexp_replace", "regexp_replace(text, pattern, replacement)", "The text with each part that fits replaced; $1 is the first group of it.",
            [DataType.String, DataType.String, DataType.String], DataType.String,
            static row => Guarded(row, (regex, text) => row.Return(regex.Replace(text, Encoding.UTF8.GetString(row.Text(2)))))) { Fails = true });
        registry.Add(new RowFunction("regexp_extract", "regexp_extract(text, pattern[, group])", "A group, the first if none is given, of the first part that fits; empty if none does.",
            [DataType.String, DataType.String, DataType.Int], DataType.String, static row => Guarded(row, (regex, text) =>
            {
                var group = row.Count > 2 ? row.Int(2) : 1;
                if (group < 0 || group >= regex.GetGroupNumbers().Length)
                {
                    throw row.Error("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX",
                        $"The pattern '{regex}' has groups 0 to {regex.GetGroupNumbers().Length - 1}, not {group}.");
                }
                row.Return(regex.Match(text).Groups[group].Value);
            })) { Optional = 1, Fails = true });
        registry.Add(new RowFunction("regexp_count", "regexp_count(text, pattern)", "How many parts of the text fit.", [DataType.String, DataType.String], DataType.Int,
            static row => Guarded(row, (regex, text) => row.Return(regex.Count(text)))) { Fails = true });
        registry.Add(new RowFunction("regexp_substr", "regexp_substr(text, pattern)", "The first part that fits; null if none does.", [DataType.String, DataType.String], DataType.String,
            static row => Guarded(row, (regex, text) =>
            {
                var match = regex.Match(text);
                if (match.Success) row.Return(match.Value);
                else row.ReturnNull();
            })) { Fails = true, MakesNulls = true });
        registry.Add(new RowFunction("regexp_instr", "regexp_instr(text, pattern)", "Where the first part that fits begins, counted in characters from 1; 0 if none does.",
            [DataType.String, DataType.String], DataType.Int, static row => Guarded(row, (regex, text) =>
            {
                var match = regex.Match(text);
                row.Return(match.Success ? text.AsSpan(0, match.Index).EnumerateRunes().Count() + 1 : 0);
            })) { Fails = true });
    }

    private static int Count(this SpanRuneEnumerator runes)
    {
        var count = 0;
        foreach (var _ in runes) count++;
        return count;
    }

    // The pattern is compiled anew only where it is another than for the row before.
    private static void Guarded(RowEvaluator row, Action<Regex, string> use)
    {
        var pattern = row.Text(1);
        if (row.State is not Known known || !pattern.SequenceEqual(known.Text)) row.State = known = Compile(row, Encoding.UTF8.GetString(pattern), pattern.ToArray());
        try
        {
            use(known.Regex, Encoding.UTF8.GetString(row.Text(0)));
        }
        catch (RegexMatchTimeoutException)
        {
            throw row.Error("INVALID_PARAMETER_VALUE.PATTERN",
                $"The pattern '{known.Regex}' was searched for {Limit.TotalSeconds:0} seconds in one text of {row.Text(0).Length} bytes. Write it without nested repetitions.");
        }
    }

    private static Known Compile(RowEvaluator row, string pattern, byte[] text)
    {
        try
        {
            return new Known(new Regex(pattern, RegexOptions.CultureInvariant, Limit), text);
        }
        catch (ArgumentException error)
        {
            throw row.Error("INVALID_PARAMETER_VALUE.PATTERN", $"'{pattern}' is no regular expression: {error.Message}");
        }
    }

    private sealed record Known(Regex Regex, byte[] Text);
}
