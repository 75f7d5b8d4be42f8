using Dataflow.Sql.Analysis;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql;

public sealed partial class DataFrame
{
    /// <summary>Pairs the rows of two frames where a condition is true.</summary>
    /// <remarks>Lazy; wide unless one side is small enough to be shared by all tasks. Columns of both sides follow each other; where names are the same,
    /// <c>left["id"]</c> or aliases (<see cref="As"/>) tell them apart. A frame may be joined with itself.</remarks>
    /// <param name="other">The right side.</param>
    /// <param name="condition">When rows match: <c>left["id"] == right["owner"]</c>.</param>
    /// <param name="kind">Which rows it gives.</param>
    public DataFrame Join(DataFrame other, Column condition, JoinKind kind = JoinKind.Inner)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return Joined(other, kind, join => join with { On = condition.Syntax });
    }

    /// <inheritdoc cref="Join(DataFrame, Column, JoinKind)"/>
    /// <param name="how">Which rows it gives: inner, left, right, full, semi or anti (left_outer and the like are understood).</param>
    public DataFrame Join(DataFrame other, Column condition, string how) => Join(other, condition, KindOf(how));

    /// <summary>Pairs the rows of two frames with equal values in a column that both have. The result has it once.</summary>
    /// <remarks>Lazy; wide unless one side is small enough to be shared by all tasks.</remarks>
    /// <param name="other">The right side.</param>
    /// <param name="column">The column's name.</param>
    /// <param name="kind">Which rows it gives.</param>
    public DataFrame Join(DataFrame other, string column, JoinKind kind = JoinKind.Inner) => Join(other, [column], kind);

    /// <summary>Pairs the rows of two frames with equal values in columns that both have. The result has each once.</summary>
    /// <remarks>Lazy; wide unless one side is small enough to be shared by all tasks.</remarks>
    /// <param name="other">The right side.</param>
    /// <param name="columns">The columns' names.</param>
    /// <param name="kind">Which rows it gives.</param>
    public DataFrame Join(DataFrame other, string[] columns, JoinKind kind = JoinKind.Inner)
    {
        ArgumentNullException.ThrowIfNull(columns);
        if (columns.Length == 0) throw new ArgumentException("A join on columns needs the name of one. All pairs are CrossJoin.", nameof(columns));
        return Joined(other, kind, join => join with { Using = [.. columns] });
    }

    /// <inheritdoc cref="Join(DataFrame, string[], JoinKind)"/>
    /// <param name="how">Which rows it gives: inner, left, right, full, semi or anti (left_outer and the like are understood).</param>
    public DataFrame Join(DataFrame other, string[] columns, string how) => Join(other, columns, KindOf(how));

    /// <inheritdoc cref="Join(DataFrame, string, JoinKind)"/>
    /// <param name="how">Which rows it gives: inner, left, right, full, semi or anti (left_outer and the like are understood).</param>
    public DataFrame Join(DataFrame other, string column, string how) => Join(other, [column], KindOf(how));

    /// <summary>All pairs of rows of two frames.</summary>
    /// <remarks>Lazy; gives rows x rows.</remarks>
    /// <param name="other">The right side.</param>
    public DataFrame CrossJoin(DataFrame other) => Joined(other, JoinKind.Inner, join => join);

    private static JoinKind KindOf(string how)
    {
        ArgumentNullException.ThrowIfNull(how);
        return how.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant() switch
        {
            "inner" or "cross" => JoinKind.Inner,
            "left" or "leftouter" => JoinKind.Left,
            "right" or "rightouter" => JoinKind.Right,
            "full" or "outer" or "fullouter" => JoinKind.Full,
            "semi" or "leftsemi" => JoinKind.Semi,
            "anti" or "leftanti" => JoinKind.Anti,
            _ => throw new ArgumentException($"There is no join '{how}'. There are: inner, left, right, full, semi, anti.", nameof(how)),
        };
    }

    private DataFrame Joined(DataFrame other, JoinKind kind, Func<JoinSyntax, JoinSyntax> complete)
    {
        ArgumentNullException.ThrowIfNull(other);
        MustShareSessionWith(other);
        if (kind is JoinKind.NullAwareAnti or JoinKind.Mark or JoinKind.Single)
            throw new ArgumentException($"{kind} joins are what subqueries become. Use IN, EXISTS or a scalar subquery in SQL.", nameof(kind));
        var (right, renewed) = Apart(other);
        var join = complete(new JoinSyntax(kind, Source, new PlanSyntax(right)));
        var both = new Dictionary<(object, ColumnId), ColumnId>(_renewed);
        foreach (var (asked, now) in renewed) both[asked] = now;
        var binding = Binding() with { FrameColumns = column => Side(column, other, renewed) };
        var plan = Binder.Bind(new QuerySyntax(new SelectSyntax([AllColumns]) { From = join }), binding);
        return new DataFrame(Session, plan, Text, both);
    }

    /// <summary>The right side with columns of its own, and which those are where they had to be made.</summary>
    private (LogicalPlan Right, Dictionary<(object Frame, ColumnId Column), ColumnId> Renewed) Apart(DataFrame other)
    {
        var ids = Plan.Parts().SelectMany(part => part.Output).Select(column => column.Id).ToHashSet();
        var renewed = new Dictionary<(object, ColumnId), ColumnId>(other._renewed);
        if (!other.Plan.Parts().Any(part => part.Output.Any(column => ids.Contains(column.Id)))) return (other.Plan, renewed);
        var copy = FreshColumns.Copy(other.Plan);
        var now = other.Plan.Output.Zip(copy.Output).DistinctBy(pair => pair.First.Id).ToDictionary(pair => pair.First.Id, pair => pair.Second.Id);
        foreach (var (asked, id) in other._renewed) renewed[asked] = now.GetValueOrDefault(id, id);
        foreach (var (id, fresh) in now) renewed[(other, id)] = fresh;
        return (copy, renewed);
    }

    private ColumnId Side(FrameColumnSyntax asked, DataFrame other, Dictionary<(object Frame, ColumnId Column), ColumnId> renewed)
    {
        if (ReferenceEquals(this, other) && ReferenceEquals(asked.Frame, this))
        {
            throw new QueryException(
                "AMBIGUOUS_COLUMN_REFERENCE", $"The frame is joined with itself, so '{asked.Column.Name}' can be of either side. Name them: frame.As(\"a\").Join(frame.As(\"b\"), Col(\"a.{asked.Column.Name}\") == ...).");
        }
        if (ReferenceEquals(asked.Frame, this)) return asked.Column.Id;
        var id = asked.Column.Id;
        return renewed.TryGetValue((asked.Frame, id), out var right) ? right : _renewed.GetValueOrDefault((asked.Frame, id), id);
    }
}
