using Dataflow.Sql.Analysis;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Warehousing;

/// <summary>Makes the columns of rows those of the table that they are added to, by Spark's rules with ANSI mode on: a value that does not fit is an error when the rows are computed.</summary>
internal static class TableColumns
{
    /// <summary>Columns go by their names.</summary>
    /// <exception cref="QueryException">One is missing, is too many, or has a type that does not go with the table's.</exception>
    public static DataFrame ByName(DataFrame rows, Schema table, string name)
    {
        var missing = table.Where(field => rows.Schema.IndexOf(field.Name) < 0).Select(field => field.Name).ToArray();
        var more = rows.Schema.Where(field => table.IndexOf(field.Name) < 0).Select(field => field.Name).ToArray();
        if (missing.Length + more.Length > 0)
        {
            var lacks = missing.Length > 0 ? $" The rows lack {string.Join(", ", missing)}." : "";
            var has = more.Length > 0 ? $" The table does not have {string.Join(", ", more)}." : "";
            throw new QueryException("INCOMPATIBLE_DATA_FOR_TABLE", $"The rows have other columns ({string.Join(", ", rows.Columns)}) than the table '{name}' ({table}).{lacks}{has} Select the table's columns.");
        }
        return With(rows, table, name, [.. table.Select(field => rows.Plan.Output[rows.Schema.IndexOf(field.Name)])]);
    }

    /// <summary>Columns go by their places; those of the table that are not named become null.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="table">The table's columns.</param>
    /// <param name="name">The table's name.</param>
    /// <param name="columns">Which of the table's columns the rows have, in order; none for all.</param>
    /// <exception cref="QueryException">Their number is another, or one has a type that does not go with the table's.</exception>
    public static DataFrame ByPlace(DataFrame rows, Schema table, string name, ValueList<string> columns)
    {
        ValueList<string> wanted = columns.Count > 0 ? columns : [.. table.Select(field => field.Name)];
        if (wanted.FirstOrDefault(column => table.IndexOf(column) < 0) is { } unknown)
            throw new QueryException("UNRESOLVED_COLUMN", $"The table '{name}' has no column '{unknown}'.{Suggest.Hint(unknown, table.Select(field => field.Name))} Its columns: {table}.");
        if (wanted.Distinct(StringComparer.OrdinalIgnoreCase).Count() < wanted.Count) throw new QueryException("COLUMN_ALREADY_EXISTS", $"INSERT INTO {name} names a column twice: {wanted}.");
        if (wanted.Count != rows.Schema.Count)
            throw new QueryException("INSERT_COLUMN_ARITY_MISMATCH", $"The rows have {rows.Schema.Count} columns ({string.Join(", ", rows.Columns)}), and {wanted.Count} of the table '{name}' are to be filled: {string.Join(", ", wanted)}.");
        return With(rows, table, name, [.. table.Select(field => Array.FindIndex([.. wanted], column => column.Equals(field.Name, StringComparison.OrdinalIgnoreCase)) is >= 0 and var at ? rows.Plan.Output[at] : null)]);
    }

    private static DataFrame With(DataFrame rows, Schema table, string name, ColumnReference?[] sources)
    {
        if (sources.SequenceEqual(rows.Plan.Output) && table.Select(field => (field.Name, field.Type)).SequenceEqual(rows.Schema.Select(field => (field.Name, field.Type)))) return rows;
        var settings = rows.Session.Settings();
        ValueList<NamedExpression> items =
        [
            .. table.Select((field, i) => NamedExpression.New(
                sources[i] is not { } source ? Literal.NullOf(field.Type)
                : Fits(source.Type, field.Type) ? LiteralConversion.Cast(source, field.Type, settings)
                : throw new QueryException("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST",
                    $"'{source.Name}' is {source.Type}, and the column '{field.Name}' of the table '{name}' is {field.Type}. Write CAST({source.Name} AS {field.Type.SqlName.ToUpperInvariant()}), if that is meant."),
                field.Name)),
        ];
        return new DataFrame(rows.Session, new Project(items, rows.Plan), rows.Text);
    }

    private static bool Fits(DataType from, DataType to) => from == to || from.Kind == TypeKind.Null || (from.IsNumber && to.IsNumber) || (to.Kind == TypeKind.String && from.Kind <= TypeKind.DayTimeInterval)
        || (IsTime(from) && IsTime(to));

    private static bool IsTime(DataType type) => type.Kind is TypeKind.Date or TypeKind.Timestamp or TypeKind.TimestampNtz;
}
