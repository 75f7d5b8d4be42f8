using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Parsing;

/// <summary>A whole query.</summary>
/// <param name="Body">What gives the rows.</param>
internal sealed record QuerySyntax(BodySyntax Body)
{
    /// <summary>WITH.</summary>
    public ValueList<CommonSyntax> With { get; init; } = [];

    /// <summary>ORDER BY.</summary>
    public ValueList<OrderSyntax> Orders { get; init; } = [];

    /// <summary>The only entry of <see cref="Orders"/>, if it is ALL: all columns, unless one has that name.</summary>
    public OrderSyntax? OrderAll { get; init; }

    /// <summary>DISTRIBUTE BY: checked, and otherwise left to the planner.</summary>
    public ValueList<ExpressionSyntax> Distribution { get; init; } = [];

    /// <summary>LIMIT.</summary>
    public ExpressionSyntax? Limit { get; init; }

    /// <summary>OFFSET.</summary>
    public ExpressionSyntax? Offset { get; init; }

    /// <summary>First character in the text.</summary>
    public int Position { get; init; } = -1;
}

/// <summary>A name of WITH.</summary>
/// <param name="Name">The name.</param>
/// <param name="Columns">Names of its columns; empty for the query's.</param>
/// <param name="Query">The query.</param>
internal sealed record CommonSyntax(string Name, ValueList<string> Columns, QuerySyntax Query)
{
    /// <summary>First character in the text.</summary>
    public int Position { get; init; } = -1;
}

/// <summary>What gives the rows of a query.</summary>
internal abstract record BodySyntax
{
    /// <summary>First character in the text.</summary>
    public int Position { get; init; } = -1;
}

/// <summary>SELECT.</summary>
/// <param name="Items">The select list.</param>
internal sealed record SelectSyntax(ValueList<ItemSyntax> Items) : BodySyntax
{
    /// <summary>DISTINCT.</summary>
    public bool IsDistinct { get; init; }

    /// <summary>FROM; null for one row without columns.</summary>
    public SourceSyntax? From { get; init; }

    /// <summary>WHERE.</summary>
    public ExpressionSyntax? Where { get; init; }

    /// <summary>GROUP BY; null where nothing is written.</summary>
    public GroupingSyntax? Grouping { get; init; }

    /// <summary>HAVING.</summary>
    public ExpressionSyntax? Having { get; init; }

    /// <summary>QUALIFY.</summary>
    public ExpressionSyntax? Qualify { get; init; }

    /// <summary>WINDOW: names and what they stand for.</summary>
    public ValueList<KeyValuePair<string, WindowSyntax>> Windows { get; init; } = [];
}

/// <summary>An entry of a select list.</summary>
/// <param name="Value">The expression.</param>
/// <param name="Alias">Its name; null where none is written.</param>
internal sealed record ItemSyntax(ExpressionSyntax Value, string? Alias = null);

/// <summary>GROUP BY.</summary>
/// <param name="Elements">What stands there, comma between.</param>
/// <param name="IsAll">Whether the only element is ALL: all entries of the select list that are no aggregates, unless a column has that name.</param>
internal sealed record GroupingSyntax(ValueList<GroupingElementSyntax> Elements, bool IsAll = false);

/// <summary>The kinds of grouping elements.</summary>
internal enum GroupingKind
{
    /// <summary>An expression.</summary>
    Plain,

    /// <summary>ROLLUP: all leading parts of the list.</summary>
    Rollup,

    /// <summary>CUBE: all subsets of the list.</summary>
    Cube,

    /// <summary>GROUPING SETS: as listed; sets may be rollups and cubes themselves.</summary>
    Sets,
}

/// <summary>An element of GROUP BY.</summary>
/// <param name="Kind">Which kind.</param>
/// <param name="Sets">The list; each entry is one or several expressions that go together. Of GROUPING SETS: the keys that are named before it.</param>
/// <param name="Nested">The entries of GROUPING SETS.</param>
internal sealed record GroupingElementSyntax(GroupingKind Kind, ValueList<ValueList<ExpressionSyntax>> Sets, ValueList<GroupingElementSyntax> Nested)
{
    /// <summary>An expression.</summary>
    public static GroupingElementSyntax Of(ExpressionSyntax key) => new(GroupingKind.Plain, [[key]], []);
}

/// <summary>VALUES.</summary>
/// <param name="Rows">The rows.</param>
internal sealed record ValuesSyntax(ValueList<ValueList<ExpressionSyntax>> Rows) : BodySyntax;

/// <summary>A query in parentheses.</summary>
/// <param name="Query">The query.</param>
internal sealed record NestedSyntax(QuerySyntax Query) : BodySyntax;

/// <summary>The kinds of set operations.</summary>
internal enum SetKind
{
    /// <summary>Rows of either.</summary>
    Union,

    /// <summary>Rows of both.</summary>
    Intersect,

    /// <summary>Rows of the left that the right does not have.</summary>
    Except,
}

/// <summary>UNION, INTERSECT, EXCEPT.</summary>
/// <param name="Kind">Which.</param>
/// <param name="KeepsDuplicates">ALL.</param>
/// <param name="Left">The left query.</param>
/// <param name="Right">The right query.</param>
internal sealed record SetSyntax(SetKind Kind, bool KeepsDuplicates, BodySyntax Left, BodySyntax Right) : BodySyntax;

/// <summary>What stands in FROM.</summary>
internal abstract record SourceSyntax
{
    /// <summary>First character in the text.</summary>
    public int Position { get; init; } = -1;

    /// <summary>How the query calls it; null where nothing is written.</summary>
    public string? Alias { get; init; }

    /// <summary>How the query calls its columns; empty where nothing is written.</summary>
    public ValueList<string> Columns { get; init; } = [];
}

/// <summary>A table, view, name of WITH, or file.</summary>
/// <param name="Name">Its name, in parts.</param>
internal sealed record TableSyntax(ValueList<string> Name) : SourceSyntax;

/// <summary>Files of a format, with options: <c>USING csv OPTIONS (path 'orders.csv', header 'true')</c>.</summary>
/// <param name="Format">The format.</param>
/// <param name="Fields">Their columns; empty to find them.</param>
/// <param name="Options">What is written in parentheses.</param>
internal sealed record FilesSyntax(string Format, ValueList<Field> Fields, ValueList<FileOptionSyntax> Options) : SourceSyntax;

/// <summary>An option of files.</summary>
/// <param name="Name">Its name as written.</param>
/// <param name="Value">Its value as text.</param>
/// <param name="Position">First character in the text.</param>
internal sealed record FileOptionSyntax(string Name, string Value, int Position);

/// <summary>A function that gives a table: <c>range(10)</c>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Arguments">What it is given.</param>
internal sealed record TableFunctionSyntax(string Name, ValueList<ExpressionSyntax> Arguments) : SourceSyntax;

/// <summary>A query in FROM.</summary>
/// <param name="Query">The query.</param>
internal sealed record DerivedSyntax(QuerySyntax Query) : SourceSyntax
{
    /// <summary>LATERAL: whether it may read the columns of the sources before it.</summary>
    public bool IsLateral { get; init; }
}

/// <summary>PIVOT: values of columns become columns, which hold aggregates of the rows that have them.</summary>
/// <param name="Source">The rows. Columns that neither aggregates nor <paramref name="Turned"/> read are what rows are grouped by.</param>
/// <param name="Aggregates">The aggregates, each with its alias.</param>
/// <param name="Turned">The columns whose values become columns.</param>
/// <param name="Values">The values, and how their columns are called; each entry has as many as there are columns.</param>
internal sealed record PivotSyntax(SourceSyntax Source, ValueList<ItemSyntax> Aggregates, ValueList<ExpressionSyntax> Turned, ValueList<PivotValueSyntax> Values) : SourceSyntax
{
    /// <summary>What rows are grouped by; null for all columns that are read by nothing else.</summary>
    public ValueList<ExpressionSyntax>? Keys { get; init; }
}

/// <summary>A value, or several, that become columns of a PIVOT.</summary>
/// <param name="Values">Constants, one for each column.</param>
/// <param name="Alias">How the columns are called; null for the values' text.</param>
internal sealed record PivotValueSyntax(ValueList<ExpressionSyntax> Values, string? Alias);

/// <summary>UNPIVOT: columns become rows, with a column of their names and columns of their values.</summary>
/// <param name="Source">The rows.</param>
/// <param name="KeepsNulls">INCLUDE NULLS: whether rows whose values are all null are kept.</param>
/// <param name="Name">The column that holds the names.</param>
/// <param name="Values">The columns that hold values.</param>
/// <param name="Sets">The columns that become rows: each entry has as many as there are value columns.</param>
internal sealed record UnpivotSyntax(SourceSyntax Source, bool KeepsNulls, string Name, ValueList<string> Values, ValueList<PivotValueSyntax> Sets) : SourceSyntax
{
    /// <summary>Columns that go along; null for all others.</summary>
    public ValueList<ExpressionSyntax>? Keys { get; init; }
}

/// <summary>Some rows of a source: TABLESAMPLE.</summary>
/// <param name="Source">The source.</param>
/// <param name="Fraction">About which part of the rows, 0 to 1; null for a number of rows.</param>
/// <param name="Rows">How many rows, whichever they are; null for a part.</param>
/// <param name="Seed">With which random numbers.</param>
internal sealed record SampleSyntax(SourceSyntax Source, double? Fraction, ExpressionSyntax? Rows, long Seed) : SourceSyntax;

/// <summary>A plan that is bound already: the rows of a <c>DataFrame</c>.</summary>
/// <param name="Plan">The plan.</param>
internal sealed record PlanSyntax(LogicalPlan Plan) : SourceSyntax;

/// <summary>A join.</summary>
/// <param name="Kind">Which rows it gives.</param>
/// <param name="Left">The left side.</param>
/// <param name="Right">The right side.</param>
internal sealed record JoinSyntax(JoinKind Kind, SourceSyntax Left, SourceSyntax Right) : SourceSyntax
{
    /// <summary>ON.</summary>
    public ExpressionSyntax? On { get; init; }

    /// <summary>USING.</summary>
    public ValueList<string> Using { get; init; } = [];

    /// <summary>NATURAL.</summary>
    public bool IsNatural { get; init; }
}
