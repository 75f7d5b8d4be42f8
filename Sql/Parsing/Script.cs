namespace Dataflow.Sql.Parsing;

/// <summary>Cuts a script at its semicolons: not at those in strings, names and comments.</summary>
public static class Script
{
    /// <summary>The statements of a script, without their semicolons; empty ones are left out.</summary>
    /// <param name="text">The script. Where a string or comment is not closed, the rest is one statement, whose error says so.</param>
    public static IReadOnlyList<string> Split(string text)
    {
        List<string> statements = [];
        var start = 0;
        foreach (var end in Ends(text))
        {
            var statement = text[start..end];
            if (!IsBlank(statement)) statements.Add(statement.Trim());
            start = Math.Min(end + 1, text.Length);
        }
        return statements;
    }

    /// <summary>Whether a text ends with a semicolon that ends a statement: what a shell waits for.</summary>
    /// <param name="text">Some lines.</param>
    public static bool IsComplete(string text)
    {
        if (!text.Contains(';', StringComparison.Ordinal)) return false;
        try
        {
            return Lexer.Read(text) is [.., var last, _] && last.Is(";");
        }
        catch (QueryException)
        {
            // A string or comment that is not closed yet; or a mistake, which ends with the line that has a semicolon last.
            return text.AsSpan().TrimEnd().EndsWith(";") && text.AsSpan().Count('\'') % 2 == 0
                && text.LastIndexOf("/*", StringComparison.Ordinal) <= text.LastIndexOf("*/", StringComparison.Ordinal);
        }
    }

    private static IReadOnlyList<int> Ends(string text)
    {
        try
        {
            return [.. Lexer.Read(text).Where(token => token.Is(";")).Select(token => token.Start), text.Length];
        }
        catch (QueryException)
        {
            return FirstEnds(text);
        }
    }

    // What comes before the mistake may be good: cut there, one semicolon at a time.
    private static IReadOnlyList<int> FirstEnds(string text)
    {
        List<int> ends = [];
        var start = 0;
        for (var at = text.IndexOf(';', StringComparison.Ordinal); at >= 0; at = text.IndexOf(';', at + 1))
        {
            try
            {
                Lexer.Read(text[start..at]);
                ends.Add(at);
                start = at + 1;
            }
            catch (QueryException)
            {
                // This semicolon stands inside a string or comment, or behind the mistake.
            }
        }
        ends.Add(text.Length);
        return ends;
    }

    private static bool IsBlank(string statement)
    {
        try
        {
            return Lexer.Read(statement).Length == 1;
        }
        catch (QueryException)
        {
            return false;
        }
    }
}
