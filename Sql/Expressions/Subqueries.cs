using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Expressions;

/// <summary>A query inside an expression. The optimiser turns all of them into joins; none is left in a physical plan.</summary>
/// <remarks>The plan may read columns of the query around it: <see cref="OuterReference"/>s.</remarks>
/// <param name="Plan">The query.</param>
public abstract record SubqueryExpression(LogicalPlan Plan) : Expression
{
    /// <summary>The same of another plan.</summary>
    public abstract SubqueryExpression WithPlan(LogicalPlan plan);
}

/// <summary>The one value of a query with one column; null if it has no row, an error if it has two.</summary>
/// <param name="Plan">The query.</param>
public sealed record ScalarSubquery(LogicalPlan Plan) : SubqueryExpression(Plan)
{
    /// <inheritdoc/>
    public override DataType Type => Plan.Output[0].Type;

    /// <inheritdoc/>
    public override bool Nullable => true;

    /// <inheritdoc/>
    public override ValueList<Expression> Children => [];

    /// <inheritdoc/>
    public override Expression WithChildren(ValueList<Expression> children) => this;

    /// <inheritdoc/>
    public override SubqueryExpression WithPlan(LogicalPlan plan) => this with { Plan = plan };

    /// <summary>As SQL.</summary>
    public override string ToString() => "(scalar subquery)";
}

/// <summary>Whether a query has a row.</summary>
/// <param name="Plan">The query.</param>
public sealed record ExistsSubquery(LogicalPlan Plan) : SubqueryExpression(Plan)
{
    /// <inheritdoc/>
    public override DataType Type => DataType.Boolean;

    /// <inheritdoc/>
    public override bool Nullable => false;

    /// <inheritdoc/>
    public override ValueList<Expression> Children => [];

    /// <inheritdoc/>
    public override Expression WithChildren(ValueList<Expression> children) => this;

    /// <inheritdoc/>
    public override SubqueryExpression WithPlan(LogicalPlan plan) => this with { Plan = plan };

    /// <summary>As SQL.</summary>
    public override string ToString() => "EXISTS (subquery)";
}

/// <summary>Whether values are a row of a query: true, false, or null where nulls leave it open.</summary>
/// <param name="Operands">As many values as the query has columns, of their types.</param>
/// <param name="Plan">The query.</param>
public sealed record InSubquery(ValueList<Expression> Operands, LogicalPlan Plan) : SubqueryExpression(Plan)
{
    /// <inheritdoc/>
    public override DataType Type => DataType.Boolean;

    /// <inheritdoc/>
    public override bool Nullable => Operands.Any(operand => operand.Nullable) || Plan.Output.Any(column => column.Nullable);

    /// <inheritdoc/>
    public override ValueList<Expression> Children => Operands;

    /// <inheritdoc/>
    public override Expression WithChildren(ValueList<Expression> children) => this with { Operands = children };

    /// <inheritdoc/>
    public override SubqueryExpression WithPlan(LogicalPlan plan) => this with { Plan = plan };

    /// <summary>As SQL.</summary>
    public override string ToString() => $"({Operands}) IN (subquery)";
}

/// <summary>A column of the query around a subquery.</summary>
/// <param name="Column">The column.</param>
public sealed record OuterReference(ColumnReference Column) : Expression
{
    /// <inheritdoc/>
    public override DataType Type => Column.Type;

    /// <inheritdoc/>
    public override bool Nullable => Column.Nullable;

    /// <inheritdoc/>
    public override ValueList<Expression> Children => [];

    /// <inheritdoc/>
    public override Expression WithChildren(ValueList<Expression> children) => this;

    /// <summary>As <c>outer(name#12)</c>.</summary>
    public override string ToString() => $"outer({Column})";
}
