using Dataflow.Sql.Parsing;

namespace Dataflow.Sql;

public sealed partial class Column
{
    /// <summary>Whether both are equal; null if one is null.</summary>
    public static Column operator ==(Column left, Column right) => Operator("=", left.Syntax, right.Syntax);

    /// <summary>Whether both are equal; null if one is null. The text is a value, not a name.</summary>
    public static Column operator ==(Column left, string right) => Operator("=", left.Syntax, Of(right).Syntax);

    /// <summary>Whether both are equal; null if one is null. The text is a value, not a name.</summary>
    public static Column operator ==(string left, Column right) => Operator("=", Of(left).Syntax, right.Syntax);

    /// <summary>Whether both differ; null if one is null.</summary>
    public static Column operator !=(Column left, Column right) => Operator("<>", left.Syntax, right.Syntax);

    /// <summary>Whether both differ; null if one is null. The text is a value, not a name.</summary>
    public static Column operator !=(Column left, string right) => Operator("<>", left.Syntax, Of(right).Syntax);

    /// <summary>Whether both differ; null if one is null. The text is a value, not a name.</summary>
    public static Column operator !=(string left, Column right) => Operator("<>", Of(left).Syntax, right.Syntax);

    /// <summary>Whether the left is less.</summary>
    public static Column operator <(Column left, Column right) => Operator("<", left.Syntax, right.Syntax);

    /// <summary>Whether the left is less. The text is a value, not a name.</summary>
    public static Column operator <(Column left, string right) => Operator("<", left.Syntax, Of(right).Syntax);

    /// <summary>Whether the left is less. The text is a value, not a name.</summary>
    public static Column operator <(string left, Column right) => Operator("<", Of(left).Syntax, right.Syntax);

    /// <summary>Whether the left is less or equal.</summary>
    public static Column operator <=(Column left, Column right) => Operator("<=", left.Syntax, right.Syntax);

    /// <summary>Whether the left is less or equal. The text is a value, not a name.</summary>
    public static Column operator <=(Column left, string right) => Operator("<=", left.Syntax, Of(right).Syntax);

    /// <summary>Whether the left is less or equal. The text is a value, not a name.</summary>
    public static Column operator <=(string left, Column right) => Operator("<=", Of(left).Syntax, right.Syntax);

    /// <summary>Whether the left is greater.</summary>
    public static Column operator >(Column left, Column right) => Operator(">", left.Syntax, right.Syntax);

    /// <summary>Whether the left is greater. The text is a value, not a name.</summary>
    public static Column operator >(Column left, string right) => Operator(">", left.Syntax, Of(right).Syntax);

    /// <summary>Whether the left is greater. The text is a value, not a name.</summary>
    public static Column operator >(string left, Column right) => Operator(">", Of(left).Syntax, right.Syntax);

    /// <summary>Whether the left is greater or equal.</summary>
    public static Column operator >=(Column left, Column right) => Operator(">=", left.Syntax, right.Syntax);

    /// <summary>Whether the left is greater or equal. The text is a value, not a name.</summary>
    public static Column operator >=(Column left, string right) => Operator(">=", left.Syntax, Of(right).Syntax);

    /// <summary>Whether the left is greater or equal. The text is a value, not a name.</summary>
    public static Column operator >=(string left, Column right) => Operator(">=", Of(left).Syntax, right.Syntax);

    /// <summary>The sum.</summary>
    public static Column operator +(Column left, Column right) => Operator("+", left.Syntax, right.Syntax);

    /// <inheritdoc cref="operator +(Column, Column)"/>
    public static Column operator +(Column left, string right) => Operator("+", left.Syntax, Of(right).Syntax);

    /// <inheritdoc cref="operator +(Column, Column)"/>
    public static Column operator +(string left, Column right) => Operator("+", Of(left).Syntax, right.Syntax);

    /// <summary>The difference.</summary>
    public static Column operator -(Column left, Column right) => Operator("-", left.Syntax, right.Syntax);

    /// <inheritdoc cref="operator -(Column, Column)"/>
    public static Column operator -(Column left, string right) => Operator("-", left.Syntax, Of(right).Syntax);

    /// <inheritdoc cref="operator -(Column, Column)"/>
    public static Column operator -(string left, Column right) => Operator("-", Of(left).Syntax, right.Syntax);

    /// <summary>The product.</summary>
    public static Column operator *(Column left, Column right) => Operator("*", left.Syntax, right.Syntax);

    /// <inheritdoc cref="operator *(Column, Column)"/>
    public static Column operator *(Column left, string right) => Operator("*", left.Syntax, Of(right).Syntax);

    /// <inheritdoc cref="operator *(Column, Column)"/>
    public static Column operator *(string left, Column right) => Operator("*", Of(left).Syntax, right.Syntax);

    /// <summary>The quotient: a double, or a decimal if both are exact. Division by zero is an error when the query runs.</summary>
    public static Column operator /(Column left, Column right) => Operator("/", left.Syntax, right.Syntax);

    /// <inheritdoc cref="operator /(Column, Column)"/>
    public static Column operator /(Column left, string right) => Operator("/", left.Syntax, Of(right).Syntax);

    /// <inheritdoc cref="operator /(Column, Column)"/>
    public static Column operator /(string left, Column right) => Operator("/", Of(left).Syntax, right.Syntax);

    /// <summary>What is left of a division, with the sign of the left.</summary>
    public static Column operator %(Column left, Column right) => Operator("%", left.Syntax, right.Syntax);

    /// <inheritdoc cref="operator %(Column, Column)"/>
    public static Column operator %(Column left, string right) => Operator("%", left.Syntax, Of(right).Syntax);

    /// <inheritdoc cref="operator %(Column, Column)"/>
    public static Column operator %(string left, Column right) => Operator("%", Of(left).Syntax, right.Syntax);

    /// <summary>The negative.</summary>
    public static Column operator -(Column operand) => Operator("negative", operand.Syntax);

    /// <summary>Whether both conditions are true.</summary>
    public static Column operator &(Column left, Column right) => Operator("and", left.Syntax, right.Syntax);

    /// <summary>Whether a condition is true.</summary>
    public static Column operator |(Column left, Column right) => Operator("or", left.Syntax, right.Syntax);

    /// <summary>Whether the condition is false.</summary>
    public static Column operator !(Column operand) => Operator("not", operand.Syntax);

    /// <summary>Whether both are equal, where null equals null; never null itself.</summary>
    /// <param name="other">A column or a value.</param>
    public Column EqualsNullSafe(object? other) => Operator("<=>", Syntax, Of(other).Syntax);

    /// <summary>Whether it is null.</summary>
    public Column IsNull() => Operator("isnull", Syntax);

    /// <summary>Whether it has a value.</summary>
    public Column IsNotNull() => Operator("isnotnull", Syntax);

    /// <summary>Whether it is a floating-point number that is none.</summary>
    public Column IsNaN() => Call("isnan");

    /// <summary>The bits that both have.</summary>
    /// <param name="other">A whole number.</param>
    public Column BitAnd(Column other) => Operator("&", Syntax, other.Syntax);

    /// <summary>The bits that one has.</summary>
    /// <param name="other">A whole number.</param>
    public Column BitOr(Column other) => Operator("|", Syntax, other.Syntax);

    /// <summary>The bits that only one has.</summary>
    /// <param name="other">A whole number.</param>
    public Column BitXor(Column other) => Operator("^", Syntax, other.Syntax);

    /// <summary>Whether it is one of some values.</summary>
    /// <param name="values">Columns or values; one list stands for its elements.</param>
    public Column In(params object?[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values is [not Column and var only] && Analysis.Parameters.Elements(only) is { } elements) values = [.. elements];
        return new Column(new InSyntax(Syntax, [.. values.Select(value => Of(value).Syntax)]));
    }

    /// <summary>Whether it lies between two values, both included.</summary>
    /// <param name="low">A column or a value.</param>
    /// <param name="high">A column or a value.</param>
    public Column Between(object low, object high) => new(new BetweenSyntax(Syntax, Of(low).Syntax, Of(high).Syntax));

    /// <summary>Whether a text fits a pattern.</summary>
    /// <param name="pattern">Where % stands for any characters, _ for one, and a backslash takes the next as it is.</param>
    public Column Like(string pattern) => new(new LikeSyntax("like", Syntax, [Of(pattern).Syntax], null, NeedsAll: false));

    /// <summary>As <see cref="Like"/>, without regard to case.</summary>
    /// <param name="pattern">The pattern.</param>
    public Column ILike(string pattern) => new(new LikeSyntax("ilike", Syntax, [Of(pattern).Syntax], null, NeedsAll: false));

    /// <summary>Whether a regular expression is found in a text.</summary>
    /// <param name="pattern">The expression, in .NET's syntax.</param>
    public Column RLike(string pattern) => new(new LikeSyntax("rlike", Syntax, [Of(pattern).Syntax], null, NeedsAll: false));

    /// <summary>Whether a text begins with another.</summary>
    /// <param name="prefix">A column or a text.</param>
    public Column StartsWith(object prefix) => Call("startswith", Of(prefix).Syntax);

    /// <summary>Whether a text ends with another.</summary>
    /// <param name="suffix">A column or a text.</param>
    public Column EndsWith(object suffix) => Call("endswith", Of(suffix).Syntax);

    /// <summary>Whether a text holds another.</summary>
    /// <param name="part">A column or a text.</param>
    public Column Contains(object part) => Call("contains", Of(part).Syntax);

    /// <summary>Part of a text.</summary>
    /// <param name="start">First character, from 1; from the end if negative.</param>
    /// <param name="length">How many characters.</param>
    public Column Substr(Column start, Column length) => Call("substring", start.Syntax, length.Syntax);

    private static Column Operator(string name, params ReadOnlySpan<ExpressionSyntax> operands) => new(new OperatorSyntax(name, [.. operands]));
}
