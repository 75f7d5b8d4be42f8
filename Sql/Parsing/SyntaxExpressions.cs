using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Parsing;

/// <summary>An expression as it was written, before names have a meaning. The parser and <c>Column</c> make the same ones.</summary>
internal abstract record ExpressionSyntax
{
    /// <summary>First character in the text; -1 if it did not come from a text.</summary>
    public int Position { get; init; } = -1;
}

/// <summary>A value.</summary>
/// <param name="Value">The value.</param>
/// <param name="Text">How it was written, where its text can't be told from the value: intervals.</param>
internal sealed record LiteralSyntax(Literal Value, string? Text = null) : ExpressionSyntax;

/// <summary>A value whose type stands before it: <c>DATE '1998-12-01'</c>. Time stamps need the session's zone, so the binder reads it.</summary>
/// <param name="Target">Its type.</param>
/// <param name="Text">Its text.</param>
internal sealed record TypedTextSyntax(DataType Target, string Text) : ExpressionSyntax;

/// <summary>A parameter.</summary>
/// <param name="Name">Its name; null for <c>?</c>.</param>
/// <param name="Index">Which <c>?</c> it is, from 0.</param>
internal sealed record ParameterSyntax(string? Name, int Index) : ExpressionSyntax;

/// <summary>A name: a column, perhaps with its table before it.</summary>
/// <param name="Parts">The parts between the points.</param>
internal sealed record NameSyntax(ValueList<string> Parts) : ExpressionSyntax
{
    /// <summary>A name without points.</summary>
    public NameSyntax(string name) : this([name]) { }
}

/// <summary>All columns, or all of a table. In select lists and <c>count(*)</c> only.</summary>
/// <param name="Qualifier">The table; empty for all.</param>
/// <param name="Except">Names that are left out.</param>
internal sealed record StarSyntax(ValueList<string> Qualifier, ValueList<string> Except) : ExpressionSyntax;

/// <summary>An expression that is bound already: a column of a <c>DataFrame</c>.</summary>
/// <param name="Value">The expression.</param>
internal sealed record BoundSyntax(Expression Value) : ExpressionSyntax;

/// <summary>A column asked of a frame: <c>frame["id"]</c>. It tells the two sides of a self-join apart, where names can't.</summary>
/// <param name="Frame">The frame; compared by reference.</param>
/// <param name="Column">Its column.</param>
internal sealed record FrameColumnSyntax(object Frame, ColumnReference Column) : ExpressionSyntax;

/// <summary>An operator: a function that is written as a sign and whose operands are made alike.</summary>
/// <param name="Name">The function's name: <c>+</c>, <c>and</c>, <c>negative</c>.</param>
/// <param name="Operands">One or two.</param>
internal sealed record OperatorSyntax(string Name, ValueList<ExpressionSyntax> Operands) : ExpressionSyntax;

/// <summary>A function call.</summary>
/// <param name="Name">The function.</param>
/// <param name="Arguments">What it is given; a <see cref="StarSyntax"/> for <c>count(*)</c>.</param>
internal sealed record CallSyntax(string Name, ValueList<ExpressionSyntax> Arguments) : ExpressionSyntax
{
    /// <summary>Whether equal arguments count once.</summary>
    public bool IsDistinct { get; init; }

    /// <summary>IGNORE NULLS.</summary>
    public bool IgnoresNulls { get; init; }

    /// <summary>FILTER (WHERE ...).</summary>
    public ExpressionSyntax? Filter { get; init; }

    /// <summary>WITHIN GROUP (ORDER BY ...).</summary>
    public ValueList<OrderSyntax> Within { get; init; } = [];

    /// <summary>OVER (...).</summary>
    public WindowSyntax? Over { get; init; }

    /// <summary>Whether it is a window of time as Spark writes it, which has a start and an end.</summary>
    public bool IsTimeWindow => Name is "window" or "session_window" && Over is null;

    /// <summary>Whether it is the start or the end of such a window.</summary>
    public bool IsOfWindow { get; init; }

    /// <summary>The start or the end of a window of time.</summary>
    public CallSyntax OfWindow(bool isEnd) => this with { Name = (Name == "window" ? "window" : "session") + (isEnd ? "_end" : "_start"), IsOfWindow = true };
}

/// <summary>A call of a function that is at hand, not named: a lambda of the program.</summary>
/// <param name="Function">The function.</param>
/// <param name="Arguments">What it is given.</param>
internal sealed record FunctionSyntax(Builtins.ScalarFunction Function, ValueList<ExpressionSyntax> Arguments) : ExpressionSyntax;

/// <summary>A part of a date: <c>EXTRACT(YEAR FROM d)</c>.</summary>
/// <param name="Unit">The part, as written.</param>
/// <param name="Source">The date, time stamp or interval.</param>
internal sealed record ExtractSyntax(string Unit, ExpressionSyntax Source) : ExpressionSyntax;

/// <summary>A conversion.</summary>
/// <param name="Operand">What is converted.</param>
/// <param name="Target">To which type.</param>
/// <param name="IsTry">Whether what does not fit becomes null.</param>
internal sealed record CastSyntax(ExpressionSyntax Operand, DataType Target, bool IsTry) : ExpressionSyntax;

/// <summary>CASE.</summary>
/// <param name="Operand">What conditions are compared with; null for CASE WHEN.</param>
/// <param name="Branches">Condition and value by turns.</param>
/// <param name="Else">The value if none is true; null for NULL.</param>
internal sealed record CaseSyntax(ExpressionSyntax? Operand, ValueList<ExpressionSyntax> Branches, ExpressionSyntax? Else) : ExpressionSyntax;

/// <summary>BETWEEN.</summary>
/// <param name="Operand">The value.</param>
/// <param name="Low">Lower bound, inclusive.</param>
/// <param name="High">Upper bound, inclusive.</param>
internal sealed record BetweenSyntax(ExpressionSyntax Operand, ExpressionSyntax Low, ExpressionSyntax High) : ExpressionSyntax;

/// <summary>LIKE, ILIKE and RLIKE.</summary>
/// <param name="Name"><c>like</c>, <c>ilike</c> or <c>rlike</c>.</param>
/// <param name="Operand">The text.</param>
/// <param name="Patterns">The pattern; several with ANY or ALL.</param>
/// <param name="Escape">The escape character; null for a backslash.</param>
/// <param name="NeedsAll">Whether all patterns must fit.</param>
internal sealed record LikeSyntax(string Name, ExpressionSyntax Operand, ValueList<ExpressionSyntax> Patterns, string? Escape, bool NeedsAll) : ExpressionSyntax;

/// <summary>IN with a list.</summary>
/// <param name="Operand">The value.</param>
/// <param name="Values">The list.</param>
internal sealed record InSyntax(ExpressionSyntax Operand, ValueList<ExpressionSyntax> Values) : ExpressionSyntax;

/// <summary>IN with a query.</summary>
/// <param name="Operand">The value; a <see cref="RowSyntax"/> for several.</param>
/// <param name="Query">The query.</param>
internal sealed record InQuerySyntax(ExpressionSyntax Operand, QuerySyntax Query) : ExpressionSyntax;

/// <summary>EXISTS.</summary>
/// <param name="Query">The query.</param>
internal sealed record ExistsSyntax(QuerySyntax Query) : ExpressionSyntax;

/// <summary>The one value of a query.</summary>
/// <param name="Query">The query.</param>
internal sealed record ScalarQuerySyntax(QuerySyntax Query) : ExpressionSyntax;

/// <summary>Several values in parentheses: before IN, and in GROUP BY.</summary>
/// <param name="Values">The values.</param>
internal sealed record RowSyntax(ValueList<ExpressionSyntax> Values) : ExpressionSyntax;

/// <summary>An expression and how it sorts.</summary>
/// <param name="Key">By what.</param>
/// <param name="IsDescending">Largest first.</param>
/// <param name="NullsFirst">Where nulls come; null where nothing is written.</param>
internal sealed record OrderSyntax(ExpressionSyntax Key, bool IsDescending = false, bool? NullsFirst = null);

/// <summary>What stands in OVER, and in a WINDOW clause.</summary>
/// <param name="Name">A window of the WINDOW clause that it begins with; null for none.</param>
/// <param name="Partitions">PARTITION BY.</param>
/// <param name="Orders">ORDER BY.</param>
/// <param name="Frame">ROWS or RANGE; null where nothing is written.</param>
internal sealed record WindowSyntax(string? Name, ValueList<ExpressionSyntax> Partitions, ValueList<OrderSyntax> Orders, FrameSyntax? Frame)
{
    /// <summary>First character in the text.</summary>
    public int Position { get; init; } = -1;
}

/// <summary>Which rows a window function sees.</summary>
/// <param name="IsRange">RANGE; else ROWS.</param>
/// <param name="Start">Where it begins.</param>
/// <param name="End">Where it ends.</param>
internal sealed record FrameSyntax(bool IsRange, FrameEndSyntax Start, FrameEndSyntax End);

/// <summary>An end of a frame.</summary>
/// <param name="IsFollowing">Behind the row; else before it.</param>
/// <param name="Offset">How far; null for UNBOUNDED, 0 for CURRENT ROW.</param>
internal sealed record FrameEndSyntax(bool IsFollowing, ExpressionSyntax? Offset)
{
    /// <summary>Whether it is the row itself.</summary>
    public bool IsCurrentRow { get; init; }
}
