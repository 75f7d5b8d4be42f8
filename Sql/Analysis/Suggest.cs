namespace Dataflow.Sql.Analysis;

/// <summary>Finds the names that someone who mistyped may have meant.</summary>
internal static class Suggest
{
    /// <summary>The nearest of some names, best first; none that differ in more than about a third of their characters.</summary>
    /// <param name="name">What was written.</param>
    /// <param name="known">What there is.</param>
    /// <param name="most">How many at most.</param>
    public static IReadOnlyList<string> Nearest(string name, IEnumerable<string> known, int most = 3)
    {
        var lower = name.ToLowerInvariant();
        return
        [
            .. known.Distinct(StringComparer.OrdinalIgnoreCase)
                .Select(each => (Name: each, Distance: Distance(lower, each.ToLowerInvariant())))
                .Where(each => each.Distance <= Math.Max(1, Math.Min(name.Length, each.Name.Length) / 3))
                .OrderBy(each => each.Distance)
                .ThenBy(each => each.Name, StringComparer.Ordinal)
                .Take(most)
                .Select(each => each.Name),
        ];
    }

    /// <summary>" Did you mean 'a' or 'b'?", or nothing.</summary>
    public static string Hint(string name, IEnumerable<string> known)
    {
        var nearest = Nearest(name, known);
        return nearest.Count == 0 ? "" : $" Did you mean {string.Join(" or ", nearest.Select(each => $"'{each}'"))}?";
    }

    /// <summary>Up to ten names, and how many more there are.</summary>
    public static string Some(IReadOnlyCollection<string> names) =>
        string.Join(", ", names.Take(10)) + (names.Count > 10 ? $" and {names.Count - 10} more" : "");

    /// <summary>How many characters must be put in, left out, replaced or swapped with their neighbour. (Damerau 1964, Levenshtein 1966.)</summary>
    private static int Distance(string a, string b)
    {
        if (a.Length > 64 || b.Length > 64) return a == b ? 0 : 64;
        var beforeLast = new int[b.Length + 1];
        var last = new int[b.Length + 1];
        var row = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++) last[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                row[j] = Math.Min(Math.Min(row[j - 1], last[j]) + 1, last[j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = Math.Min(row[j], beforeLast[j - 2] + 1);
            }
            (beforeLast, last, row) = (last, row, beforeLast);
        }
        return last[b.Length];
    }
}
