using Dataflow.Sql.Builtins;

namespace Dataflow.Sql.Expressions;

/// <summary>An aggregate function over the rows of a group. Stands in <see cref="Plans.Aggregate"/> and <see cref="Plans.Window"/> only.</summary>
/// <param name="Function">The function.</param>
/// <param name="Arguments">What it is given of each row; empty for <c>count(*)</c>.</param>
/// <param name="Result">The type of its value, which the function worked out.</param>
/// <param name="IsDistinct">Whether equal arguments count once.</param>
/// <param name="Filter">Rows that count; null for all.</param>
public sealed record AggregateCall(
    AggregateFunction Function, ValueList<Expression> Arguments, DataType Result, bool IsDistinct = false, Expression? Filter = null) : Expression
{
    /// <inheritdoc/>
    public override DataType Type => Result;

    /// <inheritdoc/>
    public override bool Nullable => Function.IsNullable;

    /// <inheritdoc/>
    public override ValueList<Expression> Children => Filter is null ? Arguments : [.. Arguments, Filter];

    /// <inheritdoc/>
    public override Expression WithChildren(ValueList<Expression> children) => Filter is null
        ? this with { Arguments = children }
        : this with { Arguments = [.. children.Take(children.Count - 1)], Filter = children[^1] };

    /// <summary>As SQL.</summary>
    public override string ToString() =>
        $"{Function.Name}({(IsDistinct ? "DISTINCT " : "")}{(Arguments.Count == 0 ? "*" : Arguments)}){(Filter is null ? "" : $" FILTER (WHERE {Filter})")}";
}

/// <summary>How rows are ordered.</summary>
/// <param name="Key">By what.</param>
/// <param name="Descending">Largest first.</param>
/// <param name="NullsFirst">Whether nulls come before all values. Where nothing is written: first if ascending, last if descending.</param>
public sealed record SortOrder(Expression Key, bool Descending, bool NullsFirst)
{
    /// <summary>As SQL.</summary>
    public override string ToString() => $"{Key} {(Descending ? "DESC" : "ASC")} NULLS {(NullsFirst ? "FIRST" : "LAST")}";
}

/// <summary>Which rows around a row a window function sees.</summary>
/// <param name="IsRange">Whether offsets are of the order's value; else they count rows.</param>
/// <param name="Start">Where it begins: null for the first row; else an offset from the row itself, negative before it.</param>
/// <param name="End">Where it ends, inclusive: null for the last row; else an offset.</param>
public sealed record WindowFrame(bool IsRange, Literal? Start, Literal? End)
{
    /// <summary>All rows of the partition.</summary>
    public static WindowFrame All { get; } = new(false, null, null);

    /// <summary>As SQL.</summary>
    public override string ToString() => $"{(IsRange ? "RANGE" : "ROWS")} BETWEEN {Bound(Start, "PRECEDING")} AND {Bound(End, "FOLLOWING")}";

    private static string Bound(Literal? offset, string unbounded) => offset is null ? $"UNBOUNDED {unbounded}" : offset.ToString();
}

/// <summary>A window function, or an aggregate over a window. Stands in <see cref="Plans.Window"/> only.</summary>
/// <param name="Function">An <see cref="AggregateCall"/>, or a <see cref="WindowCall"/>.</param>
/// <param name="Partitions">Rows with equal values are looked at together.</param>
/// <param name="Orders">In this order.</param>
/// <param name="Frame">Which of them the function sees.</param>
public sealed record WindowExpression(Expression Function, ValueList<Expression> Partitions, ValueList<SortOrder> Orders, WindowFrame Frame) : Expression
{
    /// <inheritdoc/>
    public override DataType Type => Function.Type;

    /// <inheritdoc/>
    public override bool Nullable => Function.Nullable;

    /// <inheritdoc/>
    public override ValueList<Expression> Children => [Function, .. Partitions, .. Orders.Select(order => order.Key)];

    /// <inheritdoc/>
    public override Expression WithChildren(ValueList<Expression> children) => this with
    {
        Function = children[0],
        Partitions = [.. children.Skip(1).Take(Partitions.Count)],
        Orders = [.. Orders.Select((order, i) => order with { Key = children[1 + Partitions.Count + i] })],
    };

    /// <summary>As SQL.</summary>
    public override string ToString() => $"{Function} OVER (PARTITION BY {Partitions} ORDER BY {Orders} {Frame})";
}

/// <summary>A function that only windows have: <c>row_number</c>, <c>lag</c>.</summary>
/// <param name="Function">The function.</param>
/// <param name="Arguments">What it is given.</param>
/// <param name="Result">The type of its value.</param>
public sealed record WindowCall(WindowFunction Function, ValueList<Expression> Arguments, DataType Result) : Expression
{
    /// <inheritdoc/>
    public override DataType Type => Result;

    /// <inheritdoc/>
    public override bool Nullable => Function.IsNullable;

    /// <inheritdoc/>
    public override ValueList<Expression> Children => Arguments;

    /// <inheritdoc/>
    public override Expression WithChildren(ValueList<Expression> children) => this with { Arguments = children };

    /// <summary>As SQL.</summary>
    public override string ToString() => $"{Function.Name}({Arguments})";
}
