using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;

namespace Dataflow.Sql.Analysis;

/// <summary>An entry of a select list.</summary>
/// <param name="Value">What it computes.</param>
/// <param name="Name">Its column's name.</param>
/// <param name="Alias">The name behind AS; null where none is written.</param>
internal sealed record SelectItem(Expression Value, string Name, string? Alias);

/// <summary>An entry of ORDER BY.</summary>
/// <param name="Bound">How rows sort.</param>
/// <param name="Position">Where it stood.</param>
internal sealed record OrderKey(SortOrder Bound, int Position);

/// <summary>The columns that * and t.* stand for.</summary>
internal static class Star
{
    /// <summary>The columns, in order.</summary>
    /// <exception cref="QueryException">There is no such table, or a name behind EXCEPT is no column.</exception>
    public static IReadOnlyList<ScopeColumn> Expand(StarSyntax star, Scope scope, BindingContext context)
    {
        IReadOnlyList<ScopeColumn> columns = star.Qualifier.Count switch
        {
            0 => [.. scope.Columns.Where(column => !column.IsMerged)],
            1 => scope.Of(star.Qualifier[0]),
            _ => [],
        };
        if (columns.Count == 0)
        {
            var name = string.Join('.', star.Qualifier);
            if (star.Qualifier.Count == 0) throw context.Error("INVALID_USAGE_OF_STAR_OR_REGEX", "'*' has no columns here: there is no FROM.", star.Position);
            var tables = scope.Columns.Select(column => column.Qualifier).OfType<string>().Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
            throw context.Error(
                "CANNOT_RESOLVE_STAR_EXPAND",
                $"There is no table '{name}' in FROM. In scope: {Suggest.Some(tables)}.{Suggest.Hint(name, tables)}",
                star.Position);
        }
        foreach (var name in star.Except)
        {
            if (!columns.Any(column => Same(column, name)))
            {
                throw context.Error(
                    "EXCEPT_RESOLVED_COLUMNS_WITHOUT_MATCH",
                    $"'{name}' behind EXCEPT is none of {Suggest.Some([.. columns.Select(column => column.Display)])}.",
                    star.Position);
            }
        }
        return star.Except.Count == 0 ? columns : [.. columns.Where(column => !star.Except.Any(name => Same(column, name)))];

        static bool Same(ScopeColumn column, string name) => string.Equals(column.Column.Name, name, StringComparison.OrdinalIgnoreCase);
    }
}

/// <summary>Reads a number in GROUP BY or ORDER BY, which stands for a column of the select list.</summary>
internal static class Ordinal
{
    /// <summary>The place, from 0; null if it is no number.</summary>
    /// <exception cref="QueryException">There is no such column.</exception>
    public static int? Read(ExpressionSyntax syntax, int columns, string errorClass, string clause, BindingContext context)
    {
        if (syntax is not LiteralSyntax { Value: { Type.Kind: TypeKind.Int, Value: int place } }) return null;
        if (place >= 1 && place <= columns) return place - 1;
        throw context.Error(errorClass, $"{clause} {place}: the select list has the columns 1 to {columns}.", syntax.Position);
    }
}
