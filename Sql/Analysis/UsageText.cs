namespace Dataflow.Sql.Analysis;

/// <summary>Reads how many arguments a function takes from how its usage is written: <c>substring(text, start[, length])</c>, <c>concat(value, ...)</c>.</summary>
internal static class UsageText
{
    /// <summary>The least and the most arguments.</summary>
    public static (int Least, int Most) Arguments(string usage)
    {
        var open = usage.IndexOf('(', StringComparison.Ordinal);
        if (open < 0) return (0, int.MaxValue);
        var inside = usage[(open + 1)..Math.Max(open + 1, usage.LastIndexOf(')'))];
        if (inside.Trim().Length == 0) return (0, 0);
        int least = 0, most = 0, depth = 0;
        var isEmpty = true;
        var repeatsLast = false;
        foreach (var c in inside)
        {
            repeatsLast |= c == '.' && depth == 0;
            if (c == '[') depth++;
            else if (c == ']') depth--;
            else if (c == ',') isEmpty = true;
            else if (!char.IsWhiteSpace(c) && isEmpty)
            {
                isEmpty = false;
                most++;
                if (depth == 0) least++;
            }
        }
        return inside.Contains("...", StringComparison.Ordinal) ? (repeatsLast ? Math.Max(0, least - 1) : least, int.MaxValue) : (least, most);
    }
}
