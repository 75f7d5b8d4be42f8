using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;
using Dataflow.Streaming.State;

namespace Dataflow.Streaming.Groups;

/// <summary>Groups that the program sees to. In a stream <see cref="StateGroups"/> takes its place.</summary>
/// <param name="Work">What is done with them.</param>
/// <param name="Rows">The columns that rows are made of.</param>
/// <param name="Columns">The columns that come of it.</param>
/// <param name="Input">The rows.</param>
internal sealed record FoldGroups(GroupWork Work, ValueList<ColumnReference> Rows, ValueList<ColumnReference> Columns, LogicalPlan Input) : LogicalPlan
{
    public override ValueList<ColumnReference> Output => Columns;

    /// <summary>The rows that groups begin with; null where they do not.</summary>
    public LogicalPlan? Initial { get; init; }

    /// <summary>The columns that those are made of.</summary>
    public ValueList<ColumnReference> InitialRows { get; init; } = [];

    public override ValueList<LogicalPlan> Inputs => Initial is null ? [Input] : [Input, Initial];

    public override IEnumerable<Expression> Expressions => Rows.Concat(InitialRows);

    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this with { Input = inputs[0], Initial = inputs.Count > 1 ? inputs[1] : null };

    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => this with
    {
        Rows = Rows.ConvertAll(row => (ColumnReference)map(row)),
        InitialRows = InitialRows.ConvertAll(row => (ColumnReference)map(row)),
    };

    public override LogicalPlan MapColumns(Func<ColumnReference, ColumnReference> map) => this with { Columns = Columns.ConvertAll(column => map(column)) };

    public override string Describe() => $"{Work.Verb} [{Columns}]";
}

/// <summary>Groups that the program sees to, which go on from batch to batch.</summary>
/// <param name="Operator">Its number among the operators of the query that have state.</param>
/// <param name="Work">What is done with them.</param>
/// <param name="Rows">The columns that rows are made of.</param>
/// <param name="Columns">The columns that come of it.</param>
/// <param name="Time">Which rows come too late; null for none.</param>
/// <param name="Input">The rows.</param>
internal sealed record StateGroups(int Operator, GroupWork Work, ValueList<ColumnReference> Rows, ValueList<ColumnReference> Columns, GroupTime? Time, LogicalPlan Input) : StatePlan(Operator)
{
    public override ValueList<ColumnReference> Output => Columns;

    /// <summary>The rows that groups begin with; null where they do not.</summary>
    public LogicalPlan? Initial { get; init; }

    /// <summary>The columns that those are made of.</summary>
    public ValueList<ColumnReference> InitialRows { get; init; } = [];

    public override ValueList<LogicalPlan> Inputs => Initial is null ? [Input] : [Input, Initial];

    public override IEnumerable<Expression> Expressions => Rows.Concat(InitialRows).Concat(Time is null ? [] : [Time.Column]);

    public override IEnumerable<(LogicalPlan Input, Expression IsLate)> LateRows(long watermark)
    {
        if (Time is not null && Work.Timeout == GroupTimeout.EventTime && Time.LateBefore(watermark) is > long.MinValue and var before) yield return (Input, State.LateRows.IsBefore(Time.Column, before));
    }

    public override bool WaitsForWatermark => Work.Timeout == GroupTimeout.EventTime;

    public override StateDescription Describe(StateNames names) => new(
        StateDescription.OfGroups,
        [new StateSide([.. Work.KeySchema.Select(key => StateColumn.Make(key.Name, key.Type))], [.. GroupTable.Names.Zip(GroupTable.Values, StateColumn.Make)])]);

    public override string Shape => $"groups by ({string.Join(", ", Work.KeySchema.Select(key => $"{key.Name} {key.Type}"))}); {Work.Shape}";

    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this with { Input = inputs[0], Initial = inputs.Count > 1 ? inputs[1] : null };

    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => this with
    {
        Rows = Rows.ConvertAll(row => (ColumnReference)map(row)),
        InitialRows = InitialRows.ConvertAll(row => (ColumnReference)map(row)),
        Time = Time is null ? null : Time with { Column = (ColumnReference)map(Time.Column) },
    };

    public override LogicalPlan MapColumns(Func<ColumnReference, ColumnReference> map) => this with { Columns = Columns.ConvertAll(column => map(column)) };

    public override string Describe() => $"StateGroups {Operator} {Work.Verb} [{Columns}]";
}

/// <summary>The time of rows.</summary>
/// <param name="Column">Where it is.</param>
/// <param name="LagMicroseconds">Rows come so much later than by the watermark, as they wait in front of it.</param>
/// <param name="IsWindow">Whether it is a window's: then what ends at the watermark comes no more.</param>
internal sealed record GroupTime(ColumnReference Column, long LagMicroseconds, bool IsWindow)
{
    /// <summary>Up to when everything has come.</summary>
    public long Behind(long watermark) => watermark < long.MinValue + LagMicroseconds ? long.MinValue : watermark - LagMicroseconds;

    /// <summary>Rows with times before this come too late.</summary>
    public long LateBefore(long watermark) => Behind(watermark) is > long.MinValue and var behind && IsWindow ? behind + 1 : Behind(watermark);
}
