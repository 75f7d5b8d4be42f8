namespace Dataflow.Files;

/// <summary>The names of a folder that look like one that is missing: what an error about a path offers.</summary>
internal static class SimilarNames
{
    /// <summary>The names nearest to one, best first: at most a third of its characters differ.</summary>
    public static IReadOnlyList<string> Of(string name, IEnumerable<string> known, int most = 3) =>
    [
        .. known.Select(other => (other, distance: Distance(name.ToLowerInvariant(), other.ToLowerInvariant())))
            .Where(pair => pair.distance <= Math.Max(1, name.Length / 3))
            .OrderBy(pair => pair.distance).ThenBy(pair => pair.other, StringComparer.Ordinal)
            .Take(most).Select(pair => pair.other),
    ];

    // Levenshtein, one row at a time.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.Length];
    }
}
