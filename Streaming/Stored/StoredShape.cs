namespace Dataflow.Streaming.Stored;

/// <summary>What a field of a record is that is kept.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">What its codec writes.</param>
/// <param name="IsNullable">Whether it may be null, and so be added.</param>
internal sealed record StoredFieldShape(string Name, string Type, bool IsNullable)
{
    public override string ToString() => $"{Name}{(IsNullable ? "?" : "")}:{Type}";
}

/// <summary>What the values look like that are kept under a name.</summary>
/// <param name="Fields">The fields of a record; null for what is one value.</param>
/// <param name="Schema">What the codec of the whole writes.</param>
internal sealed record StoredShape(StoredFieldShape[]? Fields, string Schema)
{
    /// <summary>Tells shapes apart in front of each value. FNV-1a, spread as in MurmurHash3.</summary>
    public uint Hash
    {
        get
        {
            var hash = 0x811C_9DC5u;
            foreach (var c in ToString()) hash = (hash ^ c) * 0x0100_0193;
            hash = (hash ^ (hash >> 16)) * 0x85EB_CA6B;
            hash = (hash ^ (hash >> 13)) * 0xC2B2_AE35;
            return hash ^ (hash >> 16);
        }
    }

    public override string ToString() => Fields is null ? Schema : $"{{{string.Join(", ", Fields.Select(field => field.ToString()))}}}";

    /// <summary>A shape from its text.</summary>
    public static StoredShape Parse(string text)
    {
        if (!text.StartsWith('{')) return new StoredShape(null, text);
        return new StoredShape([.. Parts(text[1..^1]).Select(Field)], "");

        static StoredFieldShape Field(string text)
        {
            var colon = text.IndexOf(':');
            var name = text[..colon];
            return new StoredFieldShape(name.TrimEnd('?'), text[(colon + 1)..], name.EndsWith('?'));
        }
    }

    /// <summary>What keeps values of one shape from being read as another; null if nothing does: fields may be added that may be null.</summary>
    /// <param name="there">Those that are there.</param>
    /// <param name="now">Those that are wanted.</param>
    public static string? Difference(StoredShape there, StoredShape now)
    {
        if (there.Fields is null || now.Fields is null) return there.ToString() == now.ToString() ? null : $"was {there}, and is now {now}";
        var differences = new List<string>();
        foreach (var field in there.Fields)
        {
            var same = Array.Find(now.Fields, each => each.Name == field.Name);
            if (same is null) differences.Add($"had a field {field.Name} ({field.Type}), which is gone");
            else if (same.Type != field.Type) differences.Add($"had {field.Name} as {field.Type}, and now has it as {same.Type}");
        }
        foreach (var field in now.Fields)
        {
            if (!field.IsNullable && !Array.Exists(there.Fields, each => each.Name == field.Name))
                differences.Add($"has a new field {field.Name} ({field.Type}), which can't be null as it would be in what is kept already: make it nullable");
        }
        return differences.Count == 0 ? null : string.Join(", ", differences);
    }

    // Cut at the commas that stand in no brackets.
    private static IEnumerable<string> Parts(string text)
    {
        var (depth, start) = (0, 0);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is '{' or '<' or '(' or '[') depth++;
            if (text[i] is '}' or '>' or ')' or ']') depth--;
            if (text[i] != ',' || depth > 0) continue;
            yield return text[start..i];
            start = i + 2;
        }
        if (start < text.Length) yield return text[start..];
    }
}
