using Dataflow.Sql.Parsing;

namespace Dataflow.Sql;

/// <summary>Begins windows: <c>Window.PartitionBy("city").OrderBy(Col("day"))</c>.</summary>
public static class Window
{
    /// <summary>The first row of the partition.</summary>
    public const long UnboundedPreceding = long.MinValue;

    /// <summary>The last row of the partition.</summary>
    public const long UnboundedFollowing = long.MaxValue;

    /// <summary>The row itself.</summary>
    public const long CurrentRow = 0;

    /// <summary>All rows as one partition.</summary>
    public static WindowSpec All { get; } = new(new WindowSyntax(null, [], [], null));

    /// <summary>A window over the rows with equal values.</summary>
    /// <param name="columns">The columns.</param>
    public static WindowSpec PartitionBy(params Column[] columns) => All.PartitionBy(columns);

    /// <inheritdoc cref="PartitionBy(Column[])"/>
    /// <param name="columns">Their names.</param>
    public static WindowSpec PartitionBy(params string[] columns) => All.PartitionBy(columns);

    /// <summary>A window over all rows in an order.</summary>
    /// <param name="columns">By what; with <c>Desc()</c> and the like.</param>
    public static WindowSpec OrderBy(params Column[] columns) => All.OrderBy(columns);

    /// <inheritdoc cref="OrderBy(Column[])"/>
    /// <param name="columns">Their names.</param>
    public static WindowSpec OrderBy(params string[] columns) => All.OrderBy(columns);
}

/// <summary>Which rows a window function sees, and in which order: what <see cref="Column.Over"/> takes. Immutable.</summary>
/// <remarks>Without a frame it sees, with an order, all rows up to those equal to its own; without one, the whole partition.</remarks>
public sealed class WindowSpec
{
    internal WindowSpec(WindowSyntax syntax) => Syntax = syntax;

    internal WindowSyntax Syntax { get; }

    /// <summary>The same over the rows with equal values.</summary>
    /// <param name="columns">The columns.</param>
    public WindowSpec PartitionBy(params Column[] columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        return new WindowSpec(Syntax with { Partitions = [.. columns.Select(column => column.Syntax)] });
    }

    /// <inheritdoc cref="PartitionBy(Column[])"/>
    /// <param name="columns">Their names.</param>
    public WindowSpec PartitionBy(params string[] columns) => PartitionBy(Functions.Cols(columns));

    /// <summary>The same in an order.</summary>
    /// <param name="columns">By what; with <c>Desc()</c> and the like.</param>
    public WindowSpec OrderBy(params Column[] columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        return new WindowSpec(Syntax with { Orders = [.. columns.Select(column => column.ToOrder())] });
    }

    /// <inheritdoc cref="OrderBy(Column[])"/>
    /// <param name="columns">Their names.</param>
    public WindowSpec OrderBy(params string[] columns) => OrderBy(Functions.Cols(columns));

    /// <summary>The same that sees rows by their distance.</summary>
    /// <param name="start">Rows from the row itself: negative before it, or <see cref="Window.UnboundedPreceding"/>.</param>
    /// <param name="end">Rows from the row itself: positive behind it, or <see cref="Window.UnboundedFollowing"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">It ends before it begins.</exception>
    public WindowSpec RowsBetween(long start, long end) => Between(false, start, end);

    /// <summary>The same that sees rows by how far their order's value lies from the row's.</summary>
    /// <param name="start">Added to the row's value, which must be a number: negative before it, or <see cref="Window.UnboundedPreceding"/>.</param>
    /// <param name="end">Added to the row's value: positive behind it, or <see cref="Window.UnboundedFollowing"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">It ends before it begins.</exception>
    public WindowSpec RangeBetween(long start, long end) => Between(true, start, end);

    private WindowSpec Between(bool isRange, long start, long end)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(end, start);
        return new WindowSpec(Syntax with { Frame = new FrameSyntax(isRange, End(start), End(end)) });
    }

    private static FrameEndSyntax End(long distance) => distance switch
    {
        Window.UnboundedPreceding => new FrameEndSyntax(false, null),
        Window.UnboundedFollowing => new FrameEndSyntax(true, null),
        0 => new FrameEndSyntax(false, null) { IsCurrentRow = true },
        _ => new FrameEndSyntax(distance > 0, Column.Of(Math.Abs(distance)).Syntax),
    };
}
