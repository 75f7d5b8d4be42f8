using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Joins;
using Dataflow.Sql.Records;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Physical;

/// <summary>Reads a table.</summary>
/// <param name="Table">The table.</param>
/// <param name="Request">What of it.</param>
/// <param name="Columns">The columns that hold it.</param>
public sealed record ScanExec(ITable Table, ScanRequest Request, ValueList<ColumnReference> Columns) : PhysicalPlan
{
    /// <summary>Filters that become known while the query runs.</summary>
    internal ValueList<ScanSlot> Dynamic { get; init; } = [];

    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Columns;

    /// <inheritdoc/>
    public override ValueList<PhysicalPlan> Inputs => [];

    /// <inheritdoc/>
    public override string Describe() => $"Scan {Table.Name} [{Columns}]{(Request.Filters.Count == 0 ? "" : $" where {string.Join(" and ", Request.Filters)}")}{(Dynamic.Count == 0 ? "" : $" dynamic [{string.Join(", ", Dynamic)}]")}";

    /// <inheritdoc/>
    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run) =>
        Table is IRddTable rows ? rows.ToRdd(Request, Sources(run)) : new ScanRdd(run.Context, Table.Scan(Request), Sources(run));

    private ValueList<ScanFilterSource> Sources(QueryRun run) =>
        [.. Dynamic.Where(each => run.FilterOf(each.Slot) is not null).Select(each => new ScanFilterSource(each.Field, run.FilterOf(each.Slot)!))];
}

/// <summary>A dynamic filter of a scan, as planned.</summary>
/// <param name="Field">The field of the table.</param>
/// <param name="Slot">Which filter.</param>
internal sealed record ScanSlot(int Field, DynamicFilterSlot Slot)
{
    /// <summary>As the filter is called.</summary>
    public override string ToString() => Slot.ToString();
}

/// <summary>All rows of several inputs, one after the other.</summary>
/// <param name="Branches">The inputs, with columns of equal types.</param>
/// <param name="Columns">The columns.</param>
public sealed record UnionExec(ValueList<PhysicalPlan> Branches, ValueList<ColumnReference> Columns) : PhysicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Columns;

    /// <inheritdoc/>
    public override ValueList<PhysicalPlan> Inputs => Branches;

    /// <inheritdoc/>
    public override string Describe() => $"Union [{Columns}]";

    /// <inheritdoc/>
    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run) => run.Context.Union([.. Branches.Select(branch => branch.ToRdd(run))]);
}

/// <summary>Places rows anew: the end of one stage and the beginning of another.</summary>
/// <param name="Distribution">Where rows go.</param>
/// <param name="Input">The rows.</param>
public sealed record ExchangeExec(Distribution Distribution, PhysicalPlan Input) : PhysicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Input.Output;

    /// <inheritdoc/>
    public override ValueList<PhysicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override string Describe() => $"Exchange {Distribution}";

    /// <summary>The filter whose bound lies beside the exchange; null for none.</summary>
    internal DynamicFilterSlot? Bound { get; init; }

    /// <inheritdoc/>
    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run) =>
        new ExchangeRdd(run.DependencyOf(this), []);
}
