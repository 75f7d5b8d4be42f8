using Dataflow.Sql.Analysis;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;

namespace Dataflow.Sql;

/// <summary>
/// An expression in a query: names and operators, not data. It gets its meaning, and its errors, when a verb of a frame takes it. Immutable.
/// </summary>
/// <remarks>
/// Numbers, booleans, days and times become columns by themselves: <c>Col("price") * 2</c>. Texts do so beside comparisons only, since elsewhere they
/// could be names: use <see cref="Functions.Lit"/>. Errors of types and names are <see cref="QueryException"/>s of the verb.
/// </remarks>
public sealed partial class Column
{
    internal Column(ExpressionSyntax syntax) => Syntax = syntax;

    internal ExpressionSyntax Syntax { get; }

    /// <summary>The name behind AS; null for the one that the expression makes.</summary>
    internal string? Alias { get; private init; }

    /// <summary>How it sorts; null where nothing was said.</summary>
    internal OrderSyntax? Ordering { get; private init; }

    /// <summary>A value as a column.</summary>
    public static implicit operator Column(bool value) => Of(value);

    /// <summary>A value as a column.</summary>
    public static implicit operator Column(int value) => Of(value);

    /// <summary>A value as a column.</summary>
    public static implicit operator Column(long value) => Of(value);

    /// <summary>A value as a column.</summary>
    public static implicit operator Column(double value) => Of(value);

    /// <summary>A value as a column.</summary>
    public static implicit operator Column(decimal value) => Of(value);

    /// <summary>A value as a column.</summary>
    public static implicit operator Column(DateOnly value) => Of(value);

    /// <summary>A value as a column: without zone if its kind is unspecified.</summary>
    public static implicit operator Column(DateTime value) => Of(value);

    /// <summary>A value as a column.</summary>
    public static implicit operator Column(DateTimeOffset value) => Of(value);

    /// <summary>A value as a column.</summary>
    public static implicit operator Column(TimeSpan value) => Of(value);

    /// <summary>The same under a name.</summary>
    /// <param name="alias">The name of the column in the result.</param>
    public Column As(string alias)
    {
        ArgumentException.ThrowIfNullOrEmpty(alias);
        return new Column(Syntax) { Alias = alias, Ordering = Ordering };
    }

    /// <summary>Converted to a type. What does not fit is an error when the query runs.</summary>
    /// <param name="type">The type.</param>
    public Column Cast(DataType type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return new Column(new CastSyntax(Syntax, type, IsTry: false));
    }

    /// <summary>Converted to a type. What does not fit is an error when the query runs.</summary>
    /// <param name="type">The type in SQL, such as <c>decimal(12,2)</c>.</param>
    /// <exception cref="QueryException">There is no such type.</exception>
    public Column Cast(string type) => Cast(Parser.ParseType(type));

    /// <summary>Converted to a type; null where the value does not fit.</summary>
    /// <param name="type">The type.</param>
    public Column TryCast(DataType type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return new Column(new CastSyntax(Syntax, type, IsTry: true));
    }

    /// <inheritdoc cref="TryCast(DataType)"/>
    /// <param name="type">The type in SQL, such as <c>decimal(12,2)</c>.</param>
    /// <exception cref="QueryException">There is no such type.</exception>
    public Column TryCast(string type) => TryCast(Parser.ParseType(type));

    /// <summary>Smallest first, nulls first.</summary>
    public Column Asc() => Sorted(false, null);

    /// <summary>Smallest first, nulls first.</summary>
    public Column AscNullsFirst() => Sorted(false, true);

    /// <summary>Smallest first, nulls last.</summary>
    public Column AscNullsLast() => Sorted(false, false);

    /// <summary>Largest first, nulls last.</summary>
    public Column Desc() => Sorted(true, null);

    /// <summary>Largest first, nulls first.</summary>
    public Column DescNullsFirst() => Sorted(true, true);

    /// <summary>Largest first, nulls last.</summary>
    public Column DescNullsLast() => Sorted(true, false);

    /// <summary>An aggregate or window function over a window instead of a group.</summary>
    /// <param name="window">The window; made by <see cref="Window"/>.</param>
    /// <exception cref="InvalidOperationException">The column is no function call.</exception>
    public Column Over(WindowSpec window)
    {
        ArgumentNullException.ThrowIfNull(window);
        if (Syntax is not CallSyntax call) throw new InvalidOperationException($"'{this}' is no function call: OVER goes with functions such as Sum, Rank and Lag.");
        return new Column(call with { Over = window.Syntax }) { Alias = Alias };
    }

    /// <summary>A further branch of <see cref="Functions.When"/>.</summary>
    /// <param name="condition">The condition.</param>
    /// <param name="value">What it gives where that is the first condition to be true: a column or a value.</param>
    /// <exception cref="InvalidOperationException">The column is no <c>When</c>, or <c>Otherwise</c> has closed it.</exception>
    public Column When(Column condition, object? value)
    {
        ArgumentNullException.ThrowIfNull(condition);
        if (Syntax is not CaseSyntax { Operand: null, Else: null } choice) throw new InvalidOperationException("When() goes behind When(...) and before Otherwise(...).");
        return new Column(choice with { Branches = [.. choice.Branches, condition.Syntax, Of(value).Syntax] });
    }

    /// <summary>What <see cref="Functions.When"/> gives where no condition is true; without it that is null.</summary>
    /// <param name="value">A column or a value.</param>
    /// <exception cref="InvalidOperationException">The column is no <c>When</c>, or has this already.</exception>
    public Column Otherwise(object? value)
    {
        if (Syntax is not CaseSyntax { Operand: null, Else: null } choice) throw new InvalidOperationException("Otherwise() goes behind When(...), once.");
        return new Column(choice with { Else = Of(value).Syntax });
    }

    /// <summary>The name of its column in a result.</summary>
    public override string ToString() => Alias ?? SyntaxText.NameOf(Syntax);

    /// <summary>Whether it is the same object: <c>==</c> makes a condition instead.</summary>
    public override bool Equals(object? obj) => ReferenceEquals(this, obj);

    /// <inheritdoc/>
    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    /// <summary>A value, or a column as it is.</summary>
    /// <exception cref="QueryException">There is no SQL type for it.</exception>
    internal static Column Of(object? value) => value as Column ?? new Column(new BoundSyntax(Parameters.ToLiteral(value)
        ?? throw new QueryException("UNSUPPORTED_DATATYPE", $"There is no SQL type for a {value!.GetType()}. Use numbers, text, days, times, bytes or null.")));

    internal OrderSyntax ToOrder() => Ordering ?? new OrderSyntax(Syntax);

    internal ItemSyntax ToItem() => Ordering is null
        ? new ItemSyntax(Syntax, Alias)
        : throw new QueryException("INVALID_USAGE_OF_ORDERING", $"'{this}' says how to sort; Asc() and Desc() go with OrderBy and windows only.");

    private Column Sorted(bool isDescending, bool? nullsFirst) => new(Syntax) { Alias = Alias, Ordering = new OrderSyntax(Syntax, isDescending, nullsFirst) };

    private Column Call(string name, params ReadOnlySpan<ExpressionSyntax> arguments) => new(new CallSyntax(name, [Syntax, .. arguments]));
}
