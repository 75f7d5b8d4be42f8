using Dataflow.Sql.Builtins;

namespace Dataflow.Sql.Expressions;

/// <summary>A scalar function of some arguments: operators are functions too. Arguments have the types that the function asked for.</summary>
/// <param name="Function">The function.</param>
/// <param name="Arguments">What it is given.</param>
/// <param name="Result">The type of its values, which the function worked out.</param>
public sealed record Call(ScalarFunction Function, ValueList<Expression> Arguments, DataType Result) : Expression
{
    /// <inheritdoc/>
    public override DataType Type => Result;

    /// <inheritdoc/>
    public override bool Nullable => Function.IsNullable(Arguments);

    /// <inheritdoc/>
    public override ValueList<Expression> Children => Arguments;

    /// <inheritdoc/>
    public override bool IsDeterministic => Function.IsDeterministic && base.IsDeterministic;

    /// <inheritdoc/>
    public override bool MayFail => Function.MayFail || base.MayFail;

    /// <inheritdoc/>
    public override Expression WithChildren(ValueList<Expression> children) => this with { Arguments = children };

    /// <summary>As SQL.</summary>
    public override string ToString() => Function.Print(Arguments);
}

/// <summary>A conversion to another type. It fails for values that do not fit, unless it is a <c>try_cast</c>, which gives null for them.</summary>
/// <param name="Operand">What is converted.</param>
/// <param name="Target">The type.</param>
/// <param name="IsTry">Whether values that do not fit become null.</param>
public sealed record Cast(Expression Operand, DataType Target, bool IsTry = false) : Expression
{
    /// <inheritdoc/>
    public override DataType Type => Target;

    /// <inheritdoc/>
    public override bool Nullable => IsTry || Operand.Nullable;

    /// <inheritdoc/>
    public override ValueList<Expression> Children => [Operand];

    /// <inheritdoc/>
    public override bool MayFail => !IsTry;

    /// <inheritdoc/>
    public override Expression WithChildren(ValueList<Expression> children) => this with { Operand = children[0] };

    /// <summary>As SQL.</summary>
    public override string ToString() => $"{(IsTry ? "TRY_CAST" : "CAST")}({Operand} AS {Target.SqlName.ToUpperInvariant()})";
}

/// <summary>The value of the first branch whose condition is true. Later branches are not computed for that row.</summary>
/// <param name="Branches">Condition and value by turns.</param>
/// <param name="Else">The value if no condition is true; NULL where none was written.</param>
public sealed record Case(ValueList<Expression> Branches, Expression Else) : Expression
{
    /// <inheritdoc/>
    public override DataType Type => Else.Type;

    /// <inheritdoc/>
    public override bool Nullable => Else.Nullable || Branches.Where((_, i) => i % 2 == 1).Any(value => value.Nullable);

    /// <inheritdoc/>
    public override ValueList<Expression> Children => [.. Branches, Else];

    /// <inheritdoc/>
    public override Expression WithChildren(ValueList<Expression> children) => this with { Branches = [.. children.Take(children.Count - 1)], Else = children[^1] };

    /// <summary>As SQL.</summary>
    public override string ToString()
    {
        var branches = Enumerable.Range(0, Branches.Count / 2).Select(i => $" WHEN {Branches[2 * i]} THEN {Branches[(2 * i) + 1]}");
        return $"CASE{string.Concat(branches)} ELSE {Else} END";
    }
}

/// <summary>Whether a value is one of a list of literals of its type. Null if it is null, or if none fits and one of the list is null.</summary>
/// <param name="Operand">The value.</param>
/// <param name="Values">The literals.</param>
public sealed record InList(Expression Operand, ValueList<Literal> Values) : Expression
{
    /// <inheritdoc/>
    public override DataType Type => DataType.Boolean;

    /// <inheritdoc/>
    public override bool Nullable => Operand.Nullable || Values.Any(value => value.Nullable);

    /// <inheritdoc/>
    public override ValueList<Expression> Children => [Operand];

    /// <inheritdoc/>
    public override Expression WithChildren(ValueList<Expression> children) => this with { Operand = children[0] };

    /// <summary>As SQL.</summary>
    public override string ToString() => $"{Operand} IN ({Values})";
}
