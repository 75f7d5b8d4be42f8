using Dataflow.Sql.Parsing;

namespace Dataflow.Sql;

/// <summary>What expressions begin with: columns, values and function calls. Meant for <c>using static Dataflow.Sql.Functions;</c></summary>
/// <remarks>Functions are called by their SQL names: <see cref="Call(string, Column[])"/> calls any, also those that the session has added.</remarks>
public static partial class Functions
{
    /// <summary>A column by name.</summary>
    /// <param name="name">Its name; with its alias before it as <c>o.total</c>; <c>*</c> for all columns, <c>o.*</c> for all of an alias. Names with points
    /// or blanks in them stand in backquotes.</param>
    /// <exception cref="QueryException">The name can't be one.</exception>
    public static Column Col(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name == "*") return new Column(new StarSyntax([], []));
        if (name.EndsWith(".*", StringComparison.Ordinal)) return new Column(new StarSyntax([.. Parts(name[..^2], name)], []));
        return new Column(new NameSyntax([.. Parts(name, name)]));
    }

    /// <summary>A value. Lists, and types without a SQL type, are refused.</summary>
    /// <param name="value">A number, text, day, time, bytes, or null; a column is given back as it is.</param>
    /// <exception cref="QueryException">There is no SQL type for it.</exception>
    public static Column Lit(object? value) => Column.Of(value);

    /// <summary>An expression that is written in SQL: <c>price * (1 - discount) AS net</c>.</summary>
    /// <param name="text">The expression.</param>
    /// <exception cref="QueryException">It is none.</exception>
    public static Column Expr(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        var item = Parser.ParseItem(text);
        var column = new Column(item.Value);
        return item.Alias is null ? column : column.As(item.Alias);
    }

    /// <summary>CASE: <c>When(Col("a") > 0, "plus").When(Col("a") == 0, "zero").Otherwise("minus")</c>.</summary>
    /// <param name="condition">The condition.</param>
    /// <param name="value">What it gives where the condition is true: a column or a value.</param>
    public static Column When(Column condition, object? value)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return new Column(new CaseSyntax(null, [condition.Syntax, Lit(value).Syntax], null));
    }

    /// <summary>Calls a function by its SQL name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="arguments">What it is given.</param>
    public static Column Call(string name, params Column[] arguments)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(arguments);
        return new Column(new CallSyntax(name.ToLowerInvariant(), [.. arguments.Select(argument => argument.Syntax)]));
    }

    /// <summary>Calls a function that the program wrote as a class: a kernel over whole columns, such as a model's prediction.</summary>
    /// <param name="function">The function. It travels to executors with the query, with what it holds.</param>
    /// <param name="arguments">What it is given.</param>
    public static Column Call(Builtins.ScalarFunction function, params Column[] arguments)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(arguments);
        return new Column(new FunctionSyntax(function, [.. arguments.Select(argument => argument.Syntax)]));
    }

    /// <summary>How many rows there are. (<c>count(*)</c>)</summary>
    public static Column Count() => new(new CallSyntax("count", [new StarSyntax([], [])]));

    /// <summary>How many rows have a value. (<c>count</c>)</summary>
    /// <param name="column">The column; <c>*</c> for all rows.</param>
    public static Column Count(Column column) => Call("count", column);

    /// <inheritdoc cref="Count(Column)"/>
    /// <param name="column">The column's name; <c>*</c> for all rows.</param>
    public static Column Count(string column) => Count(Col(column));

    /// <summary>How many combinations of values there are; rows with a null among them are not counted. (<c>count(DISTINCT ...)</c>)</summary>
    /// <param name="columns">The columns.</param>
    public static Column CountDistinct(params Column[] columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        return new Column(new CallSyntax("count", [.. columns.Select(column => column.Syntax)]) { IsDistinct = true });
    }

    /// <inheritdoc cref="CountDistinct(Column[])"/>
    /// <param name="columns">Their names.</param>
    public static Column CountDistinct(params string[] columns) => CountDistinct(Cols(columns));

    /// <summary>The sum of the different values. (<c>sum(DISTINCT ...)</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column SumDistinct(Column column)
    {
        ArgumentNullException.ThrowIfNull(column);
        return new Column(new CallSyntax("sum", [column.Syntax]) { IsDistinct = true });
    }

    internal static Column[] Cols(string[] names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return Array.ConvertAll(names, Col);
    }

    private static List<string> Parts(string path, string name)
    {
        List<string> parts = [];
        for (var at = 0; at <= path.Length; at++)
        {
            var isQuoted = at < path.Length && path[at] == '`';
            var end = isQuoted ? path.IndexOf('`', at + 1) : path.IndexOf('.', at);
            if (isQuoted && end < 0) throw Wrong();
            if (end < 0) end = path.Length;
            var part = isQuoted ? path[(at + 1)..end] : path[at..end];
            if (part.Length == 0) throw Wrong();
            parts.Add(part);
            if (isQuoted) end++;
            if (end < path.Length && path[end] != '.') throw Wrong();
            at = end;
        }
        return parts;

        QueryException Wrong() => new("INVALID_ATTRIBUTE_NAME_SYNTAX", $"'{name}' is no name of a column. Write name or alias.name, with backquotes around parts that have points in them; expressions go into Expr(...).");
    }
}
