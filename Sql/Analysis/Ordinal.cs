using Dataflow.Sql.Parsing;

namespace Dataflow.Sql.Analysis;

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
