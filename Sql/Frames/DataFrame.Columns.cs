using Dataflow.Sql.Analysis;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql;

public sealed partial class DataFrame
{
    /// <summary>Computes columns. Aggregates without groups make one row.</summary>
    /// <remarks>Lazy, narrow; wide with aggregates or windows.</remarks>
    /// <param name="columns">The columns.</param>
    public DataFrame Select(params Column[] columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        return With(new SelectSyntax([.. columns.Select(column => column.ToItem())]) { From = Source });
    }

    /// <summary>Keeps columns.</summary>
    /// <remarks>Lazy, narrow.</remarks>
    /// <param name="columns">Their names; <c>*</c> for all, <c>t.*</c> for those of an alias.</param>
    public DataFrame Select(params string[] columns) => Select(Functions.Cols(columns));

    /// <summary>Computes columns that are written in SQL.</summary>
    /// <remarks>Lazy, narrow; wide with aggregates or windows.</remarks>
    /// <param name="expressions">Entries of a select list: <c>price * 2 AS twice</c>.</param>
    public DataFrame SelectExpr(params string[] expressions)
    {
        ArgumentNullException.ThrowIfNull(expressions);
        return With(new SelectSyntax([.. expressions.Select(Parser.ParseItem)]) { From = Source });
    }

    /// <summary>Adds a column, or replaces the one of that name in its place.</summary>
    /// <remarks>Lazy, narrow; wide with windows.</remarks>
    /// <param name="name">Its name.</param>
    /// <param name="column">What it holds, of the columns as they are.</param>
    public DataFrame WithColumn(string name, Column column) => WithColumns((name, column));

    /// <summary>Adds columns, or replaces those of the same names in their places. All see the columns as they are.</summary>
    /// <remarks>Lazy, narrow; wide with windows.</remarks>
    /// <param name="columns">Names, and what they hold.</param>
    public DataFrame WithColumns(params (string Name, Column Value)[] columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        var left = columns.ToList();
        List<ItemSyntax> items = [];
        foreach (var column in Plan.Output)
        {
            var given = left.FindIndex(each => Same(each.Name, column.Name));
            if (given < 0 && columns.FirstOrDefault(each => Same(each.Name, column.Name)) is { Value: { } again }) items.Add(again.ToItem() with { Alias = column.Name });
            else if (given < 0) items.Add(Pass(column));
            else items.Add(left[given].Value.ToItem() with { Alias = left[given].Name });
            if (given >= 0) left.RemoveAt(given);
        }
        items.AddRange(left.Select(each => each.Value.ToItem() with { Alias = each.Name }));
        return With(new SelectSyntax([.. items]) { From = Source });
    }

    /// <summary>Gives a column another name. A name that is no column changes nothing.</summary>
    /// <remarks>Lazy, costs nothing.</remarks>
    /// <param name="name">The column.</param>
    /// <param name="newName">Its new name.</param>
    public DataFrame WithColumnRenamed(string name, string newName)
    {
        ArgumentException.ThrowIfNullOrEmpty(newName);
        return Projected(column => Same(column.Name, name) ? Named(column, newName) : NamedExpression.Pass(column));
    }

    /// <summary>Gives all columns new names.</summary>
    /// <remarks>Lazy, costs nothing.</remarks>
    /// <param name="names">A name for each column, in order.</param>
    /// <exception cref="QueryException">There are more or fewer names than columns.</exception>
    public DataFrame ToDataFrame(params string[] names)
    {
        ArgumentNullException.ThrowIfNull(names);
        if (names.Length != Plan.Output.Count)
            throw new QueryException("NUM_COLUMNS_MISMATCH", $"The frame has {Plan.Output.Count} columns ({Suggest.Some(Columns.ToArray())}), but {names.Length} names are given.");
        var next = 0;
        return Projected(column => Named(column, names[next++]));
    }

    /// <summary>Leaves out columns. Names that are no columns change nothing.</summary>
    /// <remarks>Lazy, costs nothing.</remarks>
    /// <param name="columns">Their names.</param>
    public DataFrame Drop(params string[] columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        return With(new Project([.. Plan.Output.Where(column => !columns.Any(name => Same(name, column.Name))).Select(NamedExpression.Pass)], Plan));
    }

    /// <summary>Leaves out one column: behind a join, the one of one side.</summary>
    /// <remarks>Lazy, costs nothing.</remarks>
    /// <param name="column">A column of the frame, such as <c>right["id"]</c>.</param>
    /// <exception cref="QueryException">It is no column of the frame.</exception>
    public DataFrame Drop(Column column)
    {
        ArgumentNullException.ThrowIfNull(column);
        if (Binder.Bind(column.Syntax, Plan, Binding()) is not ColumnReference dropped) throw new QueryException("UNRESOLVED_COLUMN", $"'{column}' is no column but an expression: only columns can be dropped.");
        return With(new Project([.. Plan.Output.Where(each => each != dropped).Select(NamedExpression.Pass)], Plan));
    }

    /// <summary>Gives the frame a name for expressions: <c>Col("o.id")</c> is then its <c>id</c>, also behind joins.</summary>
    /// <remarks>Lazy, costs nothing.</remarks>
    /// <param name="alias">The name.</param>
    public DataFrame As(string alias)
    {
        ArgumentException.ThrowIfNullOrEmpty(alias);
        return Projected(column => NamedExpression.Pass(column with { Qualifier = alias }));
    }

    private static bool Same(string name, string other) => string.Equals(name, other, StringComparison.OrdinalIgnoreCase);

    private static ItemSyntax Pass(ColumnReference column) => new(new BoundSyntax(column), column.Name);

    private static NamedExpression Named(ColumnReference column, string name) =>
        string.Equals(column.Name, name, StringComparison.Ordinal) ? NamedExpression.Pass(column) : NamedExpression.New(column, name);

    private DataFrame Projected(Func<ColumnReference, NamedExpression> item) => With(new Project(Plan.Output.ConvertAll(item), Plan));
}
