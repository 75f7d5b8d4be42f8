using Dataflow.Sql.Analysis;
using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql;

public sealed partial class DataFrame
{
    /// <summary>What to do about nulls.</summary>
    public NullVerbs Na => new(this);

    /// <summary>Keeps the rows for which a condition is true.</summary>
    /// <remarks>Lazy, narrow. Sources skip what they can tell apart without reading it.</remarks>
    /// <param name="condition">The condition.</param>
    public DataFrame Where(Column condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return With(new Filter(Binder.BindCondition(condition.Syntax, Plan, Binding()), Plan));
    }

    /// <summary>Keeps the rows for which a condition is true.</summary>
    /// <remarks>Lazy, narrow.</remarks>
    /// <param name="condition">The condition in SQL: <c>total > 100 and nation = 'PERU'</c>.</param>
    public DataFrame Where(string condition)
    {
        ArgumentException.ThrowIfNullOrEmpty(condition);
        var bound = Binder.BindCondition(Parser.ParseItem(condition).Value, Plan, Binding(condition));

        // Places in this text would be shown in that of the query.
        return With(new Filter(bound.Rewrite(part => part.Position.Start < 0 ? part : part with { Position = new TextPosition(-1) }), Plan));
    }

    /// <inheritdoc cref="Where(Column)"/>
    public DataFrame Filter(Column condition) => Where(condition);

    /// <inheritdoc cref="Where(string)"/>
    public DataFrame Filter(string condition) => Where(condition);

    /// <summary>Orders the rows.</summary>
    /// <remarks>Lazy, wide.</remarks>
    /// <param name="columns">By what, most significant first; with <c>Desc()</c> and the like.</param>
    public DataFrame OrderBy(params Column[] columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        if (columns.Length == 0) return this;
        return With(new QuerySyntax(new SelectSyntax([AllColumns]) { From = Source }) { Orders = [.. columns.Select(column => column.ToOrder())] });
    }

    /// <summary>Orders the rows, smallest first.</summary>
    /// <remarks>Lazy, wide.</remarks>
    /// <param name="columns">Names of columns, most significant first.</param>
    public DataFrame OrderBy(params string[] columns) => OrderBy(Functions.Cols(columns));

    /// <inheritdoc cref="OrderBy(Column[])"/>
    public DataFrame Sort(params Column[] columns) => OrderBy(columns);

    /// <inheritdoc cref="OrderBy(string[])"/>
    public DataFrame Sort(params string[] columns) => OrderBy(columns);

    /// <summary>Keeps some rows: the first ones of a sorted frame, any of another.</summary>
    /// <remarks>Lazy; behind <c>OrderBy</c> only the best rows are kept while sorting.</remarks>
    /// <param name="count">How many at most.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public DataFrame Limit(long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        // LIMIT behind OFFSET is one node, which the planner sorts for at once.
        if (Plan is Limit { Count: null } offset) return With(new Limit(count, offset.Offset, offset.Input));
        return With(new Limit(count, 0, Plan));
    }

    /// <summary>Leaves out the first rows.</summary>
    /// <remarks>Lazy.</remarks>
    /// <param name="count">How many.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public DataFrame Offset(long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return With(new Limit(null, count, Plan));
    }

    /// <summary>Each row once.</summary>
    /// <remarks>Lazy, wide. Nulls are equal.</remarks>
    public DataFrame Distinct() => With(SetBinder.Distinct(Plan));

    /// <summary>One row, any, for each combination of values of some columns; without names as <see cref="Distinct"/>.</summary>
    /// <remarks>Lazy, wide.</remarks>
    /// <param name="columns">Names of columns.</param>
    public DataFrame DropDuplicates(params string[] columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        if (columns.Length == 0) return Distinct();
        ValueList<ExpressionSyntax> keys = [.. Functions.Cols(columns).Select(column => column.Syntax)];
        var first = new CallSyntax("row_number", []) { Over = new WindowSyntax(null, keys, keys.ConvertAll(key => new OrderSyntax(key)), null) };
        return With(new SelectSyntax([AllColumns]) { From = Source, Qualify = new OperatorSyntax("=", [first, Functions.Lit(1).Syntax]) });
    }

    /// <summary>The rows of both, by position of the columns; duplicates stay.</summary>
    /// <remarks>Lazy, narrow.</remarks>
    /// <param name="other">A frame with as many columns, of types that go together.</param>
    public DataFrame Union(DataFrame other) => Set(SetKind.Union, true, other);

    /// <summary>The rows of both, by name of the columns; duplicates stay.</summary>
    /// <remarks>Lazy, narrow.</remarks>
    /// <param name="other">A frame with the same columns in any order.</param>
    /// <param name="allowMissing">Whether columns that only one has are null in rows of the other; else that is an error.</param>
    /// <exception cref="QueryException">A column is missing.</exception>
    public DataFrame UnionByName(DataFrame other, bool allowMissing = false)
    {
        ArgumentNullException.ThrowIfNull(other);
        var added = other.Schema.Where(field => Schema.IndexOf(field.Name) < 0).ToArray();
        var missing = added.FirstOrDefault() ?? Schema.FirstOrDefault(field => other.Schema.IndexOf(field.Name) < 0);
        if (missing is not null && !allowMissing)
            throw new QueryException("UNRESOLVED_COLUMN", $"Only one of the two frames has a column '{missing.Name}'. Add it to the other, or allow it to be missing.");
        var left = WithColumns([.. added.Select(field => (field.Name, Functions.Lit(null).Cast(field.Type)))]);
        var right = other.Select([.. left.Schema.Select(field => other.Schema.IndexOf(field.Name) < 0
            ? Functions.Lit(null).Cast(field.Type).As(field.Name)
            : new Column(new BoundSyntax(other.Plan.Output[other.Schema.IndexOf(field.Name)])).As(field.Name))]);
        return left.Union(right);
    }

    /// <summary>Rows that are in both, each once.</summary>
    /// <remarks>Lazy, wide.</remarks>
    /// <param name="other">A frame with as many columns, of types that go together.</param>
    public DataFrame Intersect(DataFrame other) => Set(SetKind.Intersect, false, other);

    /// <summary>Rows that are in both, as often as in the one that has fewer.</summary>
    /// <remarks>Lazy, wide.</remarks>
    /// <param name="other">A frame with as many columns, of types that go together.</param>
    public DataFrame IntersectAll(DataFrame other) => Set(SetKind.Intersect, true, other);

    /// <summary>Rows that the other does not have, each once.</summary>
    /// <remarks>Lazy, wide.</remarks>
    /// <param name="other">A frame with as many columns, of types that go together.</param>
    public DataFrame Except(DataFrame other) => Set(SetKind.Except, false, other);

    /// <summary>Rows of this frame, less one for each equal row of the other.</summary>
    /// <remarks>Lazy, wide.</remarks>
    /// <param name="other">A frame with as many columns, of types that go together.</param>
    public DataFrame ExceptAll(DataFrame other) => Set(SetKind.Except, true, other);

    /// <summary>Some of the rows, drawn at random without replacement.</summary>
    /// <remarks>Lazy, narrow. The same seed gives the same rows as long as tables and plan are the same.</remarks>
    /// <param name="fraction">How likely each row is to be taken: the size is only about this part.</param>
    /// <param name="seed">Begins the random numbers.</param>
    /// <exception cref="ArgumentOutOfRangeException">The fraction is not from 0 to 1.</exception>
    public DataFrame Sample(double fraction, long seed = 0)
    {
        if (fraction is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(fraction), fraction, "A fraction is from 0 to 1.");
        var function = SampleFunction.Instance;
        return With(new Filter(new Call(function, [new Literal(fraction, DataType.Double), new Literal(seed, DataType.BigInt)], DataType.Boolean), Plan));
    }

    private DataFrame Set(SetKind kind, bool keepsDuplicates, DataFrame other)
    {
        ArgumentNullException.ThrowIfNull(other);
        MustShareSessionWith(other);
        return With(new SetSyntax(kind, keepsDuplicates, new SelectSyntax([AllColumns]) { From = Source }, new SelectSyntax([AllColumns]) { From = other.Source }));
    }
}
