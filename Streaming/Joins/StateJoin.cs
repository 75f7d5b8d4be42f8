using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;
using Dataflow.Streaming.Execution;
using Dataflow.Streaming.State;

namespace Dataflow.Streaming.Joins;

/// <summary>How long the rows of one side of a join are kept.</summary>
/// <param name="Column">Their time.</param>
/// <param name="AfterMicroseconds">When the watermark is so much later than the time of a row no match comes any more; null if one always may.</param>
/// <param name="LateMicroseconds">When the watermark of the batch before is so much later than the time of a row that comes, it comes too late.</param>
/// <param name="SpanMicroseconds">Rows of so long a span of times are kept together.</param>
/// <param name="OtherEarlier">Most microseconds by which the other's time may be earlier; null if nothing bounds it.</param>
/// <param name="OtherLater">Most microseconds by which the other's time may be later; null if nothing bounds it.</param>
internal sealed record SideLife(ColumnReference Column, long? AfterMicroseconds, long LateMicroseconds, long SpanMicroseconds, long? OtherEarlier, long? OtherLater);

/// <summary>A join of two streams: rows of each side wait for rows of the other.</summary>
/// <param name="Operator">Its number among the operators of the query that have state.</param>
/// <param name="Kind">Which rows it gives.</param>
/// <param name="Left">The one side.</param>
/// <param name="Right">The other.</param>
/// <param name="Keys">What is equal.</param>
/// <param name="LeftLife">How long rows of the left are kept; null for ever.</param>
/// <param name="RightLife">How long rows of the right are kept; null for ever.</param>
internal sealed record StateJoin(
    int Operator, Sql.JoinKind Kind, LogicalPlan Left, LogicalPlan Right, JoinKeys Keys, SideLife? LeftLife, SideLife? RightLife) : StatePlan(Operator)
{
    public override ValueList<ColumnReference> Output => Kind switch
    {
        Sql.JoinKind.Semi or Sql.JoinKind.Anti => Left.Output,
        _ => [.. Side(Left.Output, GivesUnmatched(isLeft: false)), .. Side(Right.Output, GivesUnmatched(isLeft: true))],
    };

    public override ValueList<LogicalPlan> Inputs => [Left, Right];

    public override IEnumerable<Expression> Expressions =>
        [.. Keys.Left, .. Keys.Right, .. Keys.Others is null ? Array.Empty<Expression>() : [Keys.Others], .. Lives.Select(life => life.Column)];

    public override bool IsSingle => Keys.Left.Count == 0;

    public override bool WaitsForWatermark => GivesUnmatched(isLeft: true) || GivesUnmatched(isLeft: false);

    public override long[] Spans => [LeftLife?.SpanMicroseconds ?? 0, RightLife?.SpanMicroseconds ?? 0];

    public override StatePlan WithSpans(long[] spans) => spans is [var left, var right]
        ? this with { LeftLife = With(LeftLife, left), RightLife = With(RightLife, right) }
        : this;

    public override IEnumerable<(LogicalPlan Input, Expression IsLate)> LateRows(long watermark)
    {
        foreach (var (input, life) in new[] { (Left, LeftLife), (Right, RightLife) })
        {
            if (life is not null && watermark >= long.MinValue + life.LateMicroseconds) yield return (input, State.LateRows.IsBefore(life.Column, watermark - life.LateMicroseconds));
        }
    }

    public override StateDescription Describe(StateNames names) => new(StateDescription.OfJoin, [Side(Left, Keys.Left, LeftLife), Side(Right, Keys.Right, RightLife)]);

    public override string Shape => $"{Kind} join of ({Columns(Left)}) and ({Columns(Right)}) by {Keys.Left.Count} keys";

    /// <summary>Whether rows of a side are given that found no match, once none can come.</summary>
    public bool GivesUnmatched(bool isLeft) => Kind == Sql.JoinKind.Full || Kind == (isLeft ? Sql.JoinKind.Left : Sql.JoinKind.Right) || (isLeft && Kind == Sql.JoinKind.Anti);

    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this with { Left = inputs[0], Right = inputs[1] };

    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => this with
    {
        Keys = Keys with { Left = Keys.Left.ConvertAll(map), Right = Keys.Right.ConvertAll(map), Others = Keys.Others is null ? null : map(Keys.Others) },
        LeftLife = LeftLife is null ? null : LeftLife with { Column = (ColumnReference)map(LeftLife.Column) },
        RightLife = RightLife is null ? null : RightLife with { Column = (ColumnReference)map(RightLife.Column) },
    };

    public override string Describe() => $"StateJoin {Operator} {Kind} [{Keys.Left}] = [{Keys.Right}]{(Keys.Others is null ? "" : $" where {Keys.Others}")}";

    /// <summary>Plans a join of two streams.</summary>
    /// <exception cref="QueryException">It could never end, or never give the rows without a match.</exception>
    public static StateJoin Of(Join join, int number)
    {
        if (join.Kind is Sql.JoinKind.Mark or Sql.JoinKind.Single or Sql.JoinKind.NullAwareAnti)
            throw new QueryException("UNSUPPORTED_STREAMING_OPERATION", "A subquery over a stream in an expression, IN or NOT IN of another stream's query is not supported on streams: write it as a join (LEFT SEMI, LEFT ANTI) with a bound of times.");
        var (left, right) = (EventTimes.Of(join.Left), EventTimes.Of(join.Right));
        var bounds = TimeBounds.Of(join.Condition, left, right);
        var (leftLife, rightLife) = ((SideLife?)null, (SideLife?)null);
        if (bounds is not null)
        {
            var (mine, theirs) = (left[bounds.Left.Id], right[bounds.Right.Id]);
            var span = EventTimes.SpanOf(Math.Max(0, bounds.LeftAfter ?? 0) + Math.Max(0, bounds.RightAfter ?? 0));
            leftLife = new SideLife(bounds.Left, bounds.RightAfter + LateOf(theirs), LateOf(mine), span, bounds.LeftAfter, bounds.RightAfter);
            rightLife = new SideLife(bounds.Right, bounds.LeftAfter + LateOf(mine), LateOf(theirs), span, bounds.RightAfter, bounds.LeftAfter);
        }
        var plan = new StateJoin(number, join.Kind, join.Left, join.Right, JoinKeys.Of(join), leftLife, rightLife);
        Check(plan.GivesUnmatched(isLeft: true), leftLife, "left");
        Check(plan.GivesUnmatched(isLeft: false), rightLife, "right");
        return plan;

        void Check(bool isGiven, SideLife? life, string side)
        {
            if (!isGiven || life?.AfterMicroseconds is not null) return;
            throw new QueryException("STREAM_JOIN_WITHOUT_BOUND",
                $"A {join.Kind} join of two streams gives rows of the {side} that find no match, and nothing says when no match can come any more: name the time of both with WithWatermark, and bound in the "
                + "condition how much later the other's time may be, as in ON a.Id = b.Id AND b.At BETWEEN a.At AND a.At + INTERVAL 1 HOUR.");
        }
    }

    // Plain times come until the watermark passes them; windows until it passes their end.
    private static long LateOf(EventTime time) => time.Lag + (time.IsWindow ? time.Length : 0);

    private static SideLife? With(SideLife? life, long span) => life is null || span == 0 ? life : life with { SpanMicroseconds = span };

    private IEnumerable<SideLife> Lives => new[] { LeftLife, RightLife }.OfType<SideLife>();

    private static IEnumerable<ColumnReference> Side(ValueList<ColumnReference> columns, bool isNullable) => columns.Select(column => isNullable ? column.AsNullable() : column);

    // As JoinSide keeps them: keys, then the other columns and the time.
    private static StateSide Side(LogicalPlan side, ValueList<Expression> keys, SideLife? life) => new(
        [.. keys.Select((key, i) => StateColumn.OfKey(key is ColumnReference column ? column.Name : $"key {i}", key))],
        [.. side.Output.Where(column => column.Id == life?.Column.Id || !keys.Any(key => key is ColumnReference of && of.Id == column.Id)).Select(column => StateColumn.Make(column.Name, column.Type))]);

    private static string Columns(LogicalPlan side) => string.Join(", ", side.Output.Select(column => $"{column.Name} {column.Type}"));
}
