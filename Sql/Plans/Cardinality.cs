using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Plans;

/// <summary>About how many rows a plan gives. Guesses: they choose between plans that are all right.</summary>
public static class Cardinality
{
    // Of a table that says nothing.
    private const double Unknown = 1_000_000;

    // A text, with what points at it.
    private const double TextBytes = 40;

    /// <summary>About how many rows a plan gives; at least one.</summary>
    public static double Of(LogicalPlan plan) => Math.Max(1, plan switch
    {
        Scan scan => scan.Table.Statistics.Rows >= 0 ? scan.Table.Statistics.Rows : Unknown,
        Values values => values.Rows.Count,
        Filter filter => Of(filter.Input) * SelectivityOf(filter.Condition, filter.Input),
        Aggregate aggregate => OfAggregate(aggregate),
        Limit limit => Math.Min(limit.Count ?? double.MaxValue, Of(limit.Input)),
        Join join => OfJoin(join),
        Union union => union.Branches.Sum(Of),
        Expand expand => Of(expand.Input) * expand.Projections.Count,
        CommonTable common => Of(common.Definition.Plan),
        _ => plan.Inputs.Count == 0 ? Unknown : plan.Inputs.Max(Of),
    });

    /// <summary>About how many bytes a row of a plan takes.</summary>
    public static double WidthOf(LogicalPlan plan) => plan.Output.Sum(column => column.Type.Physical == PhysicalType.View ? TextBytes : Math.Max(1, column.Type.ByteWidth));

    /// <summary>About how many values of a column differ.</summary>
    /// <param name="plan">What gives the column.</param>
    /// <param name="column">The column.</param>
    /// <param name="rows">About how many rows the plan gives.</param>
    public static double DistinctOf(LogicalPlan plan, ColumnReference column, double rows) => Math.Min(rows, SourceOf(plan, column) switch
    {
        { Distinct: >= 0 } known => known.Distinct,
        { Bounds: { } bounds } => Math.Max(1, (double)(bounds.Max - bounds.Min) + 1),
        _ => rows,
    });

    /// <summary>Rows of the one table that some columns come from, before any filter; null if they come from several, or nothing is known of it.</summary>
    internal static double? TableRowsOf(LogicalPlan plan, IReadOnlyList<ColumnReference> columns)
    {
        switch (plan)
        {
            case Scan { Table.Statistics.Rows: >= 0 and var rows } scan: return columns.All(scan.Columns.Contains) ? rows : null;
            case Project project:
                var sources = columns.Select(column => project.Items.FirstOrDefault(item => item.Column == column)?.Value as ColumnReference).ToList();
                return sources.Contains(null) ? null : TableRowsOf(project.Input, sources!);
            case Aggregate or CommonTable or Union: return columns.All(plan.Output.Contains) ? Of(plan) : null;
            default:
                return plan.Inputs.FirstOrDefault(input => columns.All(input.Output.Contains)) is { } owner ? TableRowsOf(owner, columns) : null;
        }
    }

    /// <summary>Bounds of the values of an expression over a plan, as tables state them; null if none are known.</summary>
    public static ValueBounds? BoundsOf(LogicalPlan plan, Expression expression) => expression is ColumnReference column ? SourceOf(plan, column)?.Bounds : null;

    /// <summary>What tables say of a column that comes through as it is; null if nothing does.</summary>
    internal static Sources.ColumnStatistics? StatisticsOf(LogicalPlan plan, ColumnReference column) => SourceOf(plan, column);

    /// <summary>About which part of rows a condition is true for.</summary>
    /// <param name="condition">The condition.</param>
    /// <param name="input">The rows; null if nothing is known of them.</param>
    public static double SelectivityOf(Expression condition, LogicalPlan? input = null) =>
        Conjuncts.Of(condition).Aggregate(1.0, (all, conjunct) => all * OfOne(conjunct, input));

    private static double OfOne(Expression condition, LogicalPlan? input) => condition switch
    {
        Call { Function.Name: "=", Arguments: [ColumnReference column, Literal] } => OfEquality(column, input),
        Call { Function.Name: "=" } => 0.05,
        Call { Function.Name: "<" or "<=", Arguments: [ColumnReference column, Literal { Value: { } value }] } => Below(column, value, input) ?? 0.35,
        Call { Function.Name: ">" or ">=", Arguments: [ColumnReference column, Literal { Value: { } value }] } => 1 - (Below(column, value, input) ?? 0.65),
        Call { Function.Name: "<" or "<=" or ">" or ">=" } => 0.35,
        Call { Function.Name: "<>" or "isnotnull" } => 0.9,
        Call { Function.Name: "not", Arguments: [var inner] } => 1 - Math.Min(0.9, OfOne(inner, input)),
        Call { Function.Name: "like" or "rlike" or "ilike" } => 0.1,
        Call { Function.Name: "or" } or => Math.Min(1, or.Arguments.Sum(branch => SelectivityOf(branch, input))),
        InList { Operand: ColumnReference column } list => Math.Min(1, OfEquality(column, input) * list.Values.Count),
        InList list => Math.Min(1, 0.05 * list.Values.Count),
        _ => 0.5,
    };

    private static double OfEquality(ColumnReference column, LogicalPlan? input) => input is null ? 0.05 : SourceOf(input, column) switch
    {
        { Distinct: > 0 } known => 1.0 / known.Distinct,
        { Bounds: { } bounds } => 1 / Math.Max(1, Math.Min(Of(input), (double)(bounds.Max - bounds.Min) + 1)),
        _ => 0.05,
    };

    // The part of a column's range that is below a value.
    private static double? Below(ColumnReference column, object value, LogicalPlan? input)
    {
        if (input is null || SourceOf(input, column)?.Bounds is not { } bounds || bounds.Max <= bounds.Min) return null;
        var number = value switch
        {
            int integer => (double)integer,
            long integer => integer,
            short integer => integer,
            sbyte integer => integer,
            Int128 integer => (double)integer,
            _ => double.NaN,
        };
        return double.IsNaN(number) ? null : Math.Clamp((number - (double)bounds.Min) / (double)(bounds.Max - bounds.Min), 0.001, 0.999);
    }

    private static double OfAggregate(Aggregate aggregate)
    {
        if (aggregate.Keys.Count == 0) return 1;
        var rows = Of(aggregate.Input);
        var groups = aggregate.Keys.Aggregate(1.0, (all, key) => all * (key.Value is ColumnReference column ? DistinctOf(aggregate.Input, column, rows) : Math.Sqrt(rows)));
        return Math.Min(rows, groups);
    }

    private static double OfJoin(Join join)
    {
        var left = Of(join.Left);
        var right = Of(join.Right);
        return join.Kind switch
        {
            JoinKind.Semi or JoinKind.Anti or JoinKind.NullAwareAnti => left / 2,
            JoinKind.Mark or JoinKind.Single => left,
            JoinKind.Left => Math.Max(left, Matches()),
            JoinKind.Right => Math.Max(right, Matches()),
            JoinKind.Full => Math.Max(left + right, Matches()),
            _ => Matches(),
        };

        double Matches() => JoinSize.Of(join.Left, left, join.Right, right, Conjuncts.Of(join.Condition));
    }

    // What the table says of a column that comes through as it is.
    private static Sources.ColumnStatistics? SourceOf(LogicalPlan plan, ColumnReference column)
    {
        switch (plan)
        {
            case Scan scan:
                for (var i = 0; i < scan.Columns.Count; i++)
                {
                    if (scan.Columns[i] == column) return scan.Table.Statistics.Columns.GetValueOrDefault(scan.Fields[i]);
                }
                return null;
            case Project project:
                return project.Items.FirstOrDefault(item => item.Column == column)?.Value is ColumnReference source ? SourceOf(project.Input, source) : null;
            case Aggregate aggregate:
                return aggregate.Keys.FirstOrDefault(item => item.Column == column)?.Value is ColumnReference key ? SourceOf(aggregate.Input, key) : null;
            default:
                foreach (var input in plan.Inputs)
                {
                    if (input.Output.Contains(column)) return SourceOf(input, column);
                }
                return null;
        }
    }
}
