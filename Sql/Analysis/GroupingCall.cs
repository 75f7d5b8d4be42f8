using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Analysis;

/// <summary><c>grouping(column)</c> or <c>grouping_id(columns)</c>, until <see cref="AggregateSplitter"/> puts a column in its place.</summary>
/// <param name="Columns">The grouping columns; none for all.</param>
/// <param name="IsId">Whether it is <c>grouping_id</c>.</param>
internal sealed record GroupingCall(ValueList<Expression> Columns, bool IsId) : Expression
{
    /// <inheritdoc/>
    public override DataType Type => IsId ? DataType.BigInt : DataType.TinyInt;

    /// <inheritdoc/>
    public override bool Nullable => false;

    /// <inheritdoc/>
    public override ValueList<Expression> Children => Columns;

    /// <inheritdoc/>
    public override Expression WithChildren(ValueList<Expression> children) => this with { Columns = children };
}
