namespace Dataflow.MLlib.Features;

/// <summary>Columns that a step reads, each with the column that it adds for it.</summary>
internal static class ColumnPairs
{
    /// <summary>The names of the new columns: those given, or else the inputs' with an ending.</summary>
    /// <exception cref="ArgumentException">There are no inputs, or not as many outputs, or one name comes twice.</exception>
    public static string[] Outputs(ValueList<string> inputs, ValueList<string> outputs, string ending, string user)
    {
        if (inputs.Count == 0) throw new ArgumentException($"{user} has no columns. Name them in InputColumns.");
        if (outputs.Count > 0 && outputs.Count != inputs.Count)
            throw new ArgumentException(
                $"{user} has {inputs.Count} InputColumns and {outputs.Count} OutputColumns. Name one output for each input, or none: then names end in '{ending}'.");
        string[] names = [.. outputs.Count > 0 ? outputs : inputs.Select(name => name + ending)];
        CheckOnce(inputs, user, nameof(inputs));
        CheckOnce(names, user, nameof(outputs));
        return names;
    }

    /// <summary>A frame with more columns. Names that are there already are refused, but for an input that is replaced.</summary>
    /// <exception cref="QueryException">A name is there already.</exception>
    public static DataFrame Add(DataFrame frame, string user, params (string Name, Column Value)[] columns)
    {
        foreach (var (name, _) in columns)
        {
            if (frame.Schema.IndexOf(name) >= 0)
                throw new QueryException("COLUMN_ALREADY_EXISTS",
                    $"{user} adds a column '{name}', and the frame has one already. Drop that, or name another output column.");
        }
        return frame.WithColumns(columns);
    }

    /// <summary>A column of vectors.</summary>
    /// <exception cref="QueryException">It is missing, or of another type.</exception>
    public static Column VectorOf(DataFrame frame, string name, string user)
    {
        var column = frame[name];
        return frame.Schema[frame.Schema.IndexOf(name)].Type is { Kind: not TypeKind.Vector } type
            ? throw new QueryException("DATATYPE_MISMATCH", $"Column '{name}' is {type}, and {user} takes vectors. Put columns of numbers into one with {nameof(VectorAssembler)}.")
            : column;
    }

    private static void CheckOnce(IEnumerable<string> names, string user, string which)
    {
        if (names.GroupBy(name => name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ArgumentException($"{user} has '{twice.Key}' twice among its {which}. Name each column once.");
    }
}
