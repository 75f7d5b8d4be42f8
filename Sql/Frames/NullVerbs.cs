using Dataflow.Sql.Parsing;

namespace Dataflow.Sql;

/// <summary>What a frame can do about nulls: <c>frame.Na.Fill(0)</c>.</summary>
public sealed class NullVerbs
{
    private readonly DataFrame _frame;

    internal NullVerbs(DataFrame frame) => _frame = frame;

    /// <summary>Leaves out rows that have nulls.</summary>
    /// <remarks>Lazy, narrow.</remarks>
    /// <param name="onlyIfAll">Leaves out only rows in which all of the columns are null.</param>
    /// <param name="columns">Names of the columns that are looked at; null for all.</param>
    public DataFrame Drop(bool onlyIfAll = false, string[]? columns = null)
    {
        var wanted = Wanted(columns).Select(column => column.IsNotNull()).ToArray();
        if (wanted.Length == 0) return _frame;
        return _frame.Where(wanted.Aggregate((left, right) => onlyIfAll ? left | right : left & right));
    }

    /// <summary>Leaves out rows that have fewer than a number of values that are not null.</summary>
    /// <remarks>Lazy, narrow.</remarks>
    /// <param name="least">How many such values a row must have.</param>
    /// <param name="columns">Names of the columns that are looked at; null for all.</param>
    public DataFrame Drop(int least, string[]? columns = null)
    {
        var counts = Wanted(columns).Select(column => column.IsNotNull().Cast(DataType.Int)).ToArray();
        return counts.Length == 0 ? _frame : _frame.Where(counts.Aggregate((left, right) => left + right) >= least);
    }

    /// <summary>Puts a value where nulls are, in all columns whose type it fits: numbers into numbers, texts into texts, and so on.</summary>
    /// <remarks>Lazy, narrow. The types of columns stay.</remarks>
    /// <param name="value">The value.</param>
    /// <param name="columns">Names of columns; null for all.</param>
    public DataFrame Fill(object value, string[]? columns = null)
    {
        ArgumentNullException.ThrowIfNull(value);
        var literal = Column.Of(value);
        var type = ((BoundSyntax)literal.Syntax).Value.Type;
        _ = Wanted(columns);
        return Mapped(columns, field => field.Type.Kind == type.Kind || (field.Type.IsNumber && type.IsNumber), field =>
            new Column(new CallSyntax("coalesce", [new NameSyntax(field.Name), literal.Cast(field.Type).Syntax])));
    }

    /// <summary>Puts values in the place of others.</summary>
    /// <remarks>Lazy, narrow. The types of columns stay.</remarks>
    /// <param name="values">What is replaced, by what; null is a fine replacement.</param>
    /// <param name="columns">Names of columns; null for all whose type the values fit.</param>
    public DataFrame Replace(IReadOnlyDictionary<object, object?> values, string[]? columns = null)
    {
        ArgumentNullException.ThrowIfNull(values);
        _ = Wanted(columns);
        if (values.Count == 0) return _frame;
        var type = ((BoundSyntax)Column.Of(values.Keys.First()).Syntax).Value.Type;
        return Mapped(columns, field => field.Type.Kind == type.Kind || (field.Type.IsNumber && type.IsNumber), field =>
        {
            var name = new NameSyntax(field.Name);
            ValueList<ExpressionSyntax> branches =
                [.. values.SelectMany(pair => new[] { new OperatorSyntax("=", [name, Column.Of(pair.Key).Syntax]), Column.Of(pair.Value).Cast(field.Type).Syntax })];
            return new Column(new CaseSyntax(null, branches, name));
        });
    }

    private Column[] Wanted(string[]? columns) => columns is null
        ? [.. _frame.Plan.Output.Select(column => new Column(new BoundSyntax(column)))]
        : [.. columns.Select(name => _frame[name])];

    private DataFrame Mapped(string[]? columns, Func<Field, bool> fits, Func<Field, Column> map) => _frame.WithColumns(
        [.. _frame.Schema.Where(field => fits(field) && (columns is null || columns.Contains(field.Name, StringComparer.OrdinalIgnoreCase))).Select(field => (field.Name, map(field)))]);
}
