namespace Dataflow.Streaming.Stored;

/// <summary>What groups keep, as the text of an operator: <c>groups by (KEYS); timeout T; keeps KIND NAME=SHAPE; ...</c></summary>
internal static class GroupShape
{
    private const string Begin = "groups by ", Keeps = "keeps ";

    /// <summary>The shapes of values in the text of an operator.</summary>
    public static IEnumerable<StoredShape> Values(string @operator) => @operator.Split("; ").Where(IsKept).SelectMany(part => Shapes(part[(part.IndexOf('=') + 1)..]));

    /// <summary>What keeps a query from going on with the state of another.</summary>
    /// <param name="there">What has state there.</param>
    /// <param name="now">What has now, as many.</param>
    /// <returns>The differences; null if others than groups differ, whose state must stay as it is.</returns>
    public static List<string>? Changes(string[] there, string[] now)
    {
        var differences = new List<string>();
        for (var i = 0; i < there.Length; i++)
        {
            if (there[i] == now[i]) continue;
            if (!there[i].StartsWith(Begin, StringComparison.Ordinal) || !now[i].StartsWith(Begin, StringComparison.Ordinal)) return null;
            differences.AddRange(Differences(there[i].Split("; "), now[i].Split("; ")));
        }
        return differences;
    }

    private static IEnumerable<string> Differences(string[] there, string[] now)
    {
        if (there[0] != now[0]) yield return $"state was of {there[0]}, and is now of {now[0]}";
        if (there[1] != now[1]) yield return $"it had {there[1]}, and has now {now[1]}";
        foreach (var part in there.Where(IsKept))
        {
            var (kind, name, shape) = Split(part);
            var same = now.Where(IsKept).Select(Split).FirstOrDefault(each => each.Name == name);
            if (same.Name is null)
            {
                yield return $"the {kind} '{name}' that groups kept is gone";
                continue;
            }
            if (same.Kind != kind) yield return $"'{name}' was kept as a {kind}, and is now a {same.Kind}";
            var (before, after) = (Shapes(shape).ToArray(), Shapes(same.Shape).ToArray());

            // Keys are found by their bytes.
            if (before.Length > 1 && after.Length > 1 && before[0].ToString() != after[0].ToString()) yield return $"the map '{name}' had keys {before[0]}, and has now {after[0]}";
            for (var i = 0; i < Math.Min(before.Length, after.Length); i++)
            {
                if (StoredShape.Difference(before[i], after[i]) is { } difference) yield return $"the {kind} '{name}' {difference}";
            }
        }
    }

    private static bool IsKept(string part) => part.StartsWith(Keeps, StringComparison.Ordinal);

    private static (string Kind, string Name, string Shape) Split(string part)
    {
        var equals = part.IndexOf('=');
        var words = part[Keeps.Length..equals].Split(' ', 2);
        return (words[0], words[1], part[(equals + 1)..]);
    }

    // Maps have two: of keys, and of values.
    private static IEnumerable<StoredShape> Shapes(string text) => text.Split(" => ").Select(StoredShape.Parse);
}
