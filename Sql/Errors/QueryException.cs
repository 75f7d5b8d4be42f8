using System.Globalization;
using Dataflow.Errors;

namespace Dataflow.Sql;

/// <summary>A query that is wrong, or that met a value it can't compute with: says what, where in its text, and what would have been right.</summary>
/// <remarks>The same however often it is tried, so a query ends with the first; and the same wherever its task ran, also in another process.</remarks>
public sealed class QueryException : DataflowException, IFinalError, ITravellingError
{
    private const int MaxShown = 160;

    /// <summary>An error at a place of a text.</summary>
    /// <param name="errorClass">Which kind, as Spark names them: <c>UNRESOLVED_COLUMN</c>, <c>DIVIDE_BY_ZERO</c>.</param>
    /// <param name="message">What is wrong and what to do, without the place.</param>
    /// <param name="text">The query; null if it did not come from a text.</param>
    /// <param name="position">First character of what is wrong, from 0; -1 if unknown.</param>
    public QueryException(string errorClass, string message, string? text = null, int position = -1)
        : base(Describe(message, text, position))
    {
        ErrorClass = errorClass;
        Problem = message;
        if (text is not null && position >= 0) (Line, Column) = PlaceOf(text, position);
    }

    private QueryException(string message, string errorClass, string problem, int line, int column) : base(message)
    {
        ErrorClass = errorClass;
        Problem = problem;
        Line = line;
        Column = column;
    }

    static QueryException() => TravellingErrors.Register(OfParts);

    /// <summary>Which kind of error.</summary>
    public string ErrorClass { get; }

    /// <summary>What is wrong, without the place.</summary>
    public string Problem { get; }

    /// <summary>Line in the text, from 1; 0 if unknown.</summary>
    public int Line { get; }

    /// <summary>Character in the line, from 1; 0 if unknown.</summary>
    public int Column { get; }

    IReadOnlyList<string?> ITravellingError.Parts =>
        [Message, ErrorClass, Problem, Line.ToString(CultureInfo.InvariantCulture), Column.ToString(CultureInfo.InvariantCulture)];

    /// <summary>Has the errors of executors known in this process. Called before queries run.</summary>
    internal static void Register() { }

    private static QueryException? OfParts(IReadOnlyList<string?> parts) =>
        parts is [{ } message, { } errorClass, { } problem, { } line, { } column]
        && int.TryParse(line, CultureInfo.InvariantCulture, out var atLine) && int.TryParse(column, CultureInfo.InvariantCulture, out var atColumn)
            ? new QueryException(message, errorClass, problem, atLine, atColumn)
            : null;

    private static string Describe(string message, string? text, int position)
    {
        if (text is null || position < 0) return message;
        var (line, column) = PlaceOf(text, position);
        var start = position == 0 ? 0 : text.LastIndexOf('\n', Math.Min(position, text.Length) - 1) + 1;
        var end = text.IndexOf('\n', start);
        var shown = (end < 0 ? text[start..] : text[start..end]).Replace('\t', ' ').TrimEnd('\r');
        var before = column - 1;
        // Of a long line the part around the place.
        if (shown.Length > MaxShown)
        {
            var first = Math.Clamp(before - (MaxShown / 2), 0, shown.Length - MaxShown);
            var last = first + MaxShown;
            shown = $"{(first > 0 ? "..." : "")}{shown[first..last]}{(last < shown.Length ? "..." : "")}";
            before += (first > 0 ? 3 : 0) - first;
        }
        return $"{message} (line {line}, column {column})\n  {shown}\n  {new string(' ', before)}^";
    }

    private static (int Line, int Column) PlaceOf(string text, int position)
    {
        position = Math.Min(position, text.Length);
        var before = text.AsSpan(0, position);
        return (before.Count('\n') + 1, position - (before.LastIndexOf('\n') + 1) + 1);
    }
}
