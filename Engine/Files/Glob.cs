using System.Text;

namespace Dataflow.Files;

/// <summary>
/// Patterns of paths: <c>*</c> any run of characters within a name, <c>?</c> one character, <c>[a-c]</c> one of a set, <c>[!a-c]</c> one
/// outside it, <c>{a,b}</c> either, <c>**</c> any folders down. A backslash takes the next character as it is.
/// </summary>
/// <remarks>A wildcard passes over names that begin with <c>_</c> or <c>.</c>; a name in the pattern that begins so asks for them.</remarks>
public static class Glob
{
    private const int MostAlternatives = 10_000;

    /// <summary>Whether a text holds characters that mean something in a pattern.</summary>
    /// <param name="text">A path or a name.</param>
    public static bool IsPattern(string text) => text.AsSpan().IndexOfAny("*?[{\\") >= 0;

    /// <summary>Splits a list at its commas, but not at those between braces.</summary>
    /// <param name="list">Such as <c>a/*.txt,b/{c,d}</c>.</param>
    public static IReadOnlyList<string> SplitList(string list) =>
        [.. Split(list, 0, list.Length).Select(static part => part.Trim()).Where(static part => part.Length > 0)];

    /// <summary>Writes out what braces stand for: <c>a{b,c}d</c> gives <c>abd</c> and <c>acd</c>. Braces may hold other braces.</summary>
    /// <param name="pattern">A pattern.</param>
    /// <exception cref="ArgumentException">A brace is not closed, or there are more than 10,000 alternatives.</exception>
    public static IReadOnlyList<string> Alternatives(string pattern)
    {
        var all = new List<string>();
        Expand(pattern, pattern, all);
        return all;
    }

    /// <summary>Whether a name fits a pattern of one name, without braces and slashes. Case counts.</summary>
    /// <param name="pattern">Such as <c>part-*</c>.</param>
    /// <param name="name">The name.</param>
    public static bool Matches(string pattern, string name)
    {
        // A hidden name must be asked for by its first character.
        if (FilePath.IsHidden(name) && (pattern.Length == 0 || pattern[0] != name[0])) return false;

        int p = 0, n = 0, star = -1, resume = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = ++p;
                resume = n;
            }
            else if (p < pattern.Length && MatchesOne(pattern, ref p, name[n]))
            {
                n++;
            }
            else if (star >= 0)
            {
                // The last star takes one character more.
                p = star;
                n = ++resume;
            }
            else
            {
                return false;
            }
        }
        while (p < pattern.Length && pattern[p] == '*') p++;
        return p == pattern.Length;
    }

    /// <summary>The name that a pattern without wildcards stands for.</summary>
    internal static string Unescape(string pattern)
    {
        if (!pattern.Contains('\\')) return pattern;
        var text = new StringBuilder();
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] == '\\' && i + 1 < pattern.Length) i++;
            text.Append(pattern[i]);
        }
        return text.ToString();
    }

    // Leaves p behind what matched; where nothing matched p does not count.
    private static bool MatchesOne(string pattern, ref int p, char c)
    {
        switch (pattern[p])
        {
            case '?':
                p++;
                return true;
            case '[' when pattern.IndexOf(']', Math.Min(p + 2, pattern.Length)) is var close and > 0:
                var set = pattern.AsSpan(p + 1, close - p - 1);
                p = close + 1;
                return InSet(set, c);
            case '\\' when p + 1 < pattern.Length:
                p += 2;
                return pattern[p - 1] == c;
            default:
                return pattern[p++] == c;
        }
    }

    private static bool InSet(ReadOnlySpan<char> set, char c)
    {
        var not = set.Length > 1 && set[0] is '!' or '^';
        if (not) set = set[1..];
        var found = false;
        for (var i = 0; i < set.Length; i++)
        {
            if (i + 2 < set.Length && set[i + 1] == '-')
            {
                found |= c >= set[i] && c <= set[i + 2];
                i += 2;
            }
            else
            {
                found |= set[i] == c;
            }
        }
        return found != not;
    }

    private static void Expand(string pattern, string whole, List<string> all)
    {
        var open = Find(pattern, 0, '{');
        if (open < 0)
        {
            if (all.Count == MostAlternatives)
                throw new ArgumentException($"The braces of '{whole}' stand for more than {MostAlternatives:N0} paths. Name fewer, or use wildcards.");
            all.Add(pattern);
            return;
        }
        var close = Closing(pattern, open);
        if (close < 0)
            throw new ArgumentException($"A brace of '{whole}' is not closed. Close it, or write \\{{ for a brace in a name.");
        foreach (var choice in Split(pattern, open + 1, close))
            Expand(string.Concat(pattern.AsSpan(0, open), choice, pattern.AsSpan(close + 1)), whole, all);
    }

    private static int Find(string text, int from, char wanted)
    {
        for (var i = from; i < text.Length; i++)
        {
            if (text[i] == '\\') i++;
            else if (text[i] == wanted) return i;
        }
        return -1;
    }

    private static int Closing(string text, int open)
    {
        var depth = 0;
        for (var i = open; i < text.Length; i++)
        {
            if (text[i] == '\\') i++;
            else if (text[i] == '{') depth++;
            else if (text[i] == '}' && --depth == 0) return i;
        }
        return -1;
    }

    private static List<string> Split(string text, int start, int end)
    {
        var parts = new List<string>();
        var depth = 0;
        var from = start;
        for (var i = start; i < end; i++)
        {
            switch (text[i])
            {
                case '\\':
                    i++;
                    break;
                case '{':
                    depth++;
                    break;
                case '}':
                    depth--;
                    break;
                case ',' when depth <= 0:
                    parts.Add(text[from..i]);
                    from = i + 1;
                    break;
            }
        }
        parts.Add(text[from..end]);
        return parts;
    }
}
