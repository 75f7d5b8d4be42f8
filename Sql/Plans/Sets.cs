using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Plans;

/// <summary>All rows of several inputs, duplicates included (UNION ALL). The inputs have columns of equal types; UNION is an aggregate over it.</summary>
/// <param name="Branches">The inputs.</param>
/// <param name="Columns">The columns, which stand for those of each input by position.</param>
public sealed record Union(ValueList<LogicalPlan> Branches, ValueList<ColumnReference> Columns) : LogicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Columns;

    /// <inheritdoc/>
    public override ValueList<LogicalPlan> Inputs => Branches;

    /// <inheritdoc/>
    public override IEnumerable<Expression> Expressions => [];

    /// <inheritdoc/>
    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this with { Branches = inputs };

    /// <inheritdoc/>
    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => this;

    /// <inheritdoc/>
    public override LogicalPlan MapColumns(Func<ColumnReference, ColumnReference> map) => this with { Columns = Columns.ConvertAll(map) };

    /// <inheritdoc/>
    public override string Describe() => $"Union [{Columns}]";
}

/// <summary>Rows that are in both inputs, or in the left only. With <paramref name="KeepsDuplicates"/> as often as both have them, or as the left has more.</summary>
/// <param name="IsExcept">Rows of the left only; else rows of both.</param>
/// <param name="KeepsDuplicates">ALL.</param>
/// <param name="Left">The left input.</param>
/// <param name="Right">The right input, with columns of equal types.</param>
public sealed record SetOperation(bool IsExcept, bool KeepsDuplicates, LogicalPlan Left, LogicalPlan Right) : LogicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Left.Output;

    /// <inheritdoc/>
    public override ValueList<LogicalPlan> Inputs => [Left, Right];

    /// <inheritdoc/>
    public override IEnumerable<Expression> Expressions => [];

    /// <inheritdoc/>
    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this with { Left = inputs[0], Right = inputs[1] };

    /// <inheritdoc/>
    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => this;

    /// <inheritdoc/>
    public override string Describe() => $"{(IsExcept ? "Except" : "Intersect")}{(KeepsDuplicates ? " all" : "")}";
}

/// <summary>A query that others read more than once (WITH). All references of one definition share it; the planner computes it once where that pays.</summary>
/// <param name="Definition">The query.</param>
/// <param name="Columns">New columns, one for each of the query's.</param>
public sealed record CommonTable(CommonDefinition Definition, ValueList<ColumnReference> Columns) : LogicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Columns;

    /// <inheritdoc/>
    public override ValueList<LogicalPlan> Inputs => [];

    /// <inheritdoc/>
    public override IEnumerable<Expression> Expressions => [];

    /// <inheritdoc/>
    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this;

    /// <inheritdoc/>
    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => this;

    /// <inheritdoc/>
    public override LogicalPlan MapColumns(Func<ColumnReference, ColumnReference> map) => this with { Columns = Columns.ConvertAll(map) };

    /// <inheritdoc/>
    public override string Describe() => $"CommonTable {Definition.Name} [{Columns}]";
}

/// <summary>What a name of WITH stands for. Two of the same text are not the same.</summary>
/// <param name="name">The name.</param>
/// <param name="plan">The query.</param>
public sealed class CommonDefinition(string name, LogicalPlan plan)
{
    /// <summary>The name.</summary>
    public string Name { get; } = name;

    /// <summary>The query.</summary>
    public LogicalPlan Plan { get; } = plan;
}
