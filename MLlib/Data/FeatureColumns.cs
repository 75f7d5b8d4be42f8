using Dataflow.Sql.Expressions;

namespace Dataflow.MLlib.Data;

/// <summary>
/// Which columns of a frame are features, in order: numbers are one feature each, vectors as many as they have elements. Checked against the frame when it is made;
/// travels to executors.
/// </summary>
internal sealed class FeatureColumns
{
    private FeatureColumns(string[] names, bool[] isVector)
    {
        Names = names;
        IsVector = isVector;
    }

    /// <summary>Names of the columns.</summary>
    public string[] Names { get; }

    /// <summary>Which of them are vectors.</summary>
    public bool[] IsVector { get; }

    /// <summary>How many columns there are.</summary>
    public int Count => Names.Length;

    /// <summary>How many features there are, if no column is a vector; else -1: the rows say.</summary>
    public int KnownWidth => IsVector.Contains(true) ? -1 : Names.Length;

    /// <summary>Finds the columns in a frame.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="columns">Their names.</param>
    /// <param name="user">Who wants them, for errors: <c>LogisticRegression</c>.</param>
    /// <exception cref="QueryException">One is missing, named twice, or neither number nor vector.</exception>
    public static FeatureColumns Of(DataFrame frame, IReadOnlyList<string> columns, string user)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (columns.Count == 0) throw new ArgumentException($"{user} has no feature columns. Name a vector column in FeaturesColumn, or numeric columns in FeatureColumns.");
        var isVector = new bool[columns.Count];
        for (var i = 0; i < isVector.Length; i++) isVector[i] = KindOf(frame, columns[i], user) == TypeKind.Vector;
        if (columns.GroupBy(name => name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ArgumentException($"{user} has the feature column '{twice.Key}' twice. Name each once.");
        return new FeatureColumns([.. columns], isVector);
    }

    /// <summary>The feature columns as arguments of a function, numbers as doubles (floats as they are).</summary>
    /// <param name="frame">A frame that has them.</param>
    public Column[] In(DataFrame frame) => [.. Names.Select((name, i) => IsVector[i] || TypeOf(frame, name).Kind is TypeKind.Float or TypeKind.Double ? frame[name] : frame[name].Cast(DataType.Double))];

    /// <summary>A frame of the features, in order, and of other columns behind them as doubles: labels, weights.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="user">Who wants them, for errors.</param>
    /// <param name="others">Names of numeric columns; null ones are left out.</param>
    /// <exception cref="QueryException">One is missing, or no number.</exception>
    public DataFrame Select(DataFrame frame, string user, params ReadOnlySpan<string?> others)
    {
        List<Column> columns = [.. In(frame).Select((column, i) => column.As($"f{i}"))];
        foreach (var name in others)
        {
            if (name is null) continue;
            if (KindOf(frame, name, user) == TypeKind.Vector) throw NoNumber(frame, name, user);
            columns.Add(frame[name].Cast(DataType.Double).As($"o{columns.Count}"));
        }
        return frame.Select([.. columns]);
    }

    /// <summary>Names of the features: those of the columns; <c>features_3</c> for element 3 of a vector.</summary>
    /// <param name="width">How many features there are.</param>
    /// <param name="widths">Elements of each vector column, by column; 1 for numbers.</param>
    public string[] FeatureNames(int width, ReadOnlySpan<int> widths)
    {
        var names = new List<string>(width);
        for (var i = 0; i < Names.Length; i++)
        {
            if (!IsVector[i]) names.Add(Names[i]);
            else for (var j = 0; j < widths[i]; j++) names.Add($"{Names[i]}_{j}");
        }
        return [.. names];
    }

    private static DataType TypeOf(DataFrame frame, string name) => frame.Schema[frame.Schema.IndexOf(name)].Type;

    private static TypeKind KindOf(DataFrame frame, string name, string user)
    {
        _ = frame[name];
        var type = TypeOf(frame, name);
        return type.IsNumber || type.Kind is TypeKind.Boolean or TypeKind.Vector ? type.Kind : throw NoNumber(frame, name, user);
    }

    private static QueryException NoNumber(DataFrame frame, string name, string user)
    {
        var type = TypeOf(frame, name);
        var next = type.Kind == TypeKind.String ? "Turn it into numbers with StringIndexer first, or cast it." : type.Kind == TypeKind.Vector ? "Take an element of it with vector_get." : "Cast it, or leave it out.";
        return new QueryException("DATATYPE_MISMATCH", $"Column '{name}' is {type}, and {user} needs numbers there. {next}");
    }
}
