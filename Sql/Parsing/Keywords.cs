using System.Collections.Frozen;

namespace Dataflow.Sql.Parsing;

/// <summary>Words that end what stands before them. As in Spark nearly all words may be names; these may be only in backquotes, or behind AS or a point.</summary>
internal static class Keywords
{
    private static readonly FrozenSet<string> Clauses = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "QUALIFY", "WINDOW", "UNION", "EXCEPT", "MINUS", "INTERSECT",
        "ON", "USING", "JOIN", "INNER", "CROSS", "NATURAL", "AND", "OR", "NOT", "IN", "IS", "LIKE", "ILIKE", "RLIKE", "REGEXP", "BETWEEN", "AS",
        "CASE", "WHEN", "THEN", "ELSE", "END", "SORT", "CLUSTER", "DISTRIBUTE", "LATERAL", "TABLESAMPLE", "PIVOT", "UNPIVOT", "DIV", "ESCAPE");

    // Left(x, 2) is a function, and "FROM a LEFT JOIN b" must not call a "left": these are names, but no aliases without AS.
    private static readonly FrozenSet<string> Joins = FrozenSet.Create(StringComparer.OrdinalIgnoreCase, "LEFT", "RIGHT", "FULL", "SEMI", "ANTI");

    /// <summary>Whether a word can't be a name.</summary>
    public static bool IsReserved(string word) => Clauses.Contains(word);

    /// <summary>Whether a word can't be an alias where AS is left out.</summary>
    public static bool EndsSource(string word) => Clauses.Contains(word) || Joins.Contains(word);
}
