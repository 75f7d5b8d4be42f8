using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Sources;
using Dataflow.Streaming.Execution;
using Dataflow.Streaming.State;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Joins;

/// <summary>Brings rows of equal keys of two streams together, and pairs those of the batch with those that wait.</summary>
/// <param name="Join">What is computed.</param>
/// <param name="Left">The rows of the left; keys that are computed stand behind its columns.</param>
/// <param name="Right">The rows of the right, as those of the left.</param>
/// <param name="LeftSide">How they are kept.</param>
/// <param name="RightSide">How those of the right are kept.</param>
internal sealed record StateJoinExec(StateJoin Join, PhysicalPlan Left, PhysicalPlan Right, JoinSide LeftSide, JoinSide RightSide) : PhysicalPlan, IPlacesRows
{
    // By the keys of a side whose columns are never null for want of a match; by those of both where all rows are pairs.
    public RowPlace? Place
    {
        get
        {
            if (Join.Batch is not { } batch || Join.Kind == Sql.JoinKind.Full) return null;
            var isLeft = Join.Kind != Sql.JoinKind.Right;
            var isRight = Join.Kind is Sql.JoinKind.Inner or Sql.JoinKind.Right;
            ValueList<ValueList<ColumnReference>> keys =
            [
                .. Join.Keys.Left.Zip(Join.Keys.Right, (left, right) => (ValueList<ColumnReference>)[.. Columns(left, isLeft), .. Columns(right, isRight)]),
            ];
            return new RowPlace(keys, batch.Partitions);

            static IEnumerable<ColumnReference> Columns(Expression key, bool isGiven) => isGiven && key is ColumnReference column ? [column] : [];
        }
    }

    public override ValueList<ColumnReference> Output => Join.Output;

    public override ValueList<PhysicalPlan> Inputs => [Left, Right];

    public override string Describe() => Join.Describe();

    public static StateJoinExec Of(StateJoin join, PhysicalPlan left, PhysicalPlan right)
    {
        var (keyedLeft, leftSide) = SideOf(left, join.Keys.Left, join, isLeft: true);
        var (keyedRight, rightSide) = SideOf(right, join.Keys.Right, join, isLeft: false);
        return new StateJoinExec(join, keyedLeft, keyedRight, leftSide, rightSide);
    }

    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run)
    {
        var batch = Join.Batch!;
        var step = new Step(Join.Kind, LeftSide, RightSide, [.. Left.Output.Take(LeftSide.Width)], [.. Right.Output.Take(RightSide.Width)], Join.Keys.Others, batch, run.Scope);
        return new PairOperatorRdd("State", batch.Place(Left, LeftSide.Keys, run), batch.Place(Right, RightSide.Keys, run), step).NearState(batch.Name);
    }

    private static (PhysicalPlan Plan, JoinSide Side) SideOf(PhysicalPlan input, ValueList<Expression> keys, StateJoin join, bool isLeft)
    {
        NamedExpression[] computed = [.. keys.Where(key => key is not ColumnReference).Select(key => NamedExpression.New(key, "key"))];
        var plan = computed.Length == 0 ? input : new ProjectExec([.. input.Output.Select(NamedExpression.Pass), .. computed], input);
        var next = input.Output.Count;
        ValueList<int> positions = [.. keys.Select(key => key is ColumnReference column ? Planner.PositionOf(input, column) : next++)];
        ValueList<int> strict = [.. Enumerable.Range(0, keys.Count).Where(i => join.Keys.NullSafe.Count == 0 || !join.Keys.NullSafe[i]).Select(i => positions[i])];
        var life = isLeft ? join.LeftLife : join.RightLife;
        var time = life is null ? -1 : Planner.PositionOf(input, life.Column);
        var side = new JoinSide(plan.Output.ConvertAll(column => column.Type), input.Output.Count, positions, strict, time, life, join.GivesUnmatched(isLeft))
        {
            Watermark = WatermarkOf(isLeft ? join.Left : join.Right, life?.Column),
        };
        return (plan, side);
    }

    // Rows come from it one by one and whole, so all that it lets through has been noted.
    private static int WatermarkOf(LogicalPlan plan, ColumnReference? time)
    {
        for (var part = plan; time is not null && part is Project or Filter or Watermark; part = part.Inputs[0])
        {
            if (part is Watermark watermark && watermark.Column.Id == time.Id) return watermark.Number;
        }
        return -1;
    }

    private sealed class Step(
        Sql.JoinKind kind, JoinSide left, JoinSide right, ValueList<ColumnReference> leftColumns, ValueList<ColumnReference> rightColumns, Expression? condition, StateBatch batch,
        QueryScope scope) : PairOperator
    {
        public override BatchReader Open(Func<BatchReader> leftInput, Func<BatchReader> rightInput, TaskContext context)
        {
            var partition = OperatorPartition.Current!.Value;
            var arena = new TaskArena(context, "stream join");
            var filter = condition is null ? null : Sql.Kernels.ExpressionCompiler.CompileFilter(condition, [.. leftColumns, .. rightColumns], scope.In(arena));
            return new JoinStateReader(kind, left, right, filter, leftInput, rightInput, arena, batch, partition, context);
        }
    }
}

/// <summary>How the rows of one side of a join are kept. Travels to executors.</summary>
/// <param name="Types">Types of its columns; computed keys are the last.</param>
/// <param name="Width">How many of them are given.</param>
/// <param name="Keys">Positions of the keys.</param>
/// <param name="Strict">Positions of the keys that match nothing where they are null.</param>
/// <param name="Time">Position of the time; -1 if there is none.</param>
/// <param name="Life">How long rows are kept; null for ever.</param>
/// <param name="GivesUnmatched">Whether rows are given that found no match.</param>
internal sealed record JoinSide(ValueList<DataType> Types, int Width, ValueList<int> Keys, ValueList<int> Strict, int Time, SideLife? Life, bool GivesUnmatched)
{
    /// <summary>Which of the query's watermarks goes by its time as it is here; -1 if none does.</summary>
    public int Watermark { get; init; } = -1;

    /// <summary>Positions of the columns that are stored beside the keys.</summary>
    public int[] Values { get; } = [.. Enumerable.Range(0, Width).Where(i => i == Time || !Keys.Contains(i))];

    /// <summary>Positions of the columns that are stored.</summary>
    public int[] Stored => [.. Keys, .. Values];

    /// <summary>What is stored.</summary>
    public StateLayout Layout => new(
        Keys.ConvertAll(key => Types[key]), [.. Values.Select(value => Types[value])], Time < 0 ? -1 : Array.IndexOf(Values, Time), Life?.SpanMicroseconds ?? 1);

    /// <summary>Rows with an earlier time find no match any more, by a watermark; null if they always may.</summary>
    public long? DoneBefore(long watermark) => Life?.AfterMicroseconds is { } after && watermark > long.MinValue + Math.Max(0, after) ? watermark - after : null;

    /// <summary>Rows with an earlier time come too late, by the watermark of the batch before.</summary>
    public long LateBefore(long watermark) => Life is null || watermark <= long.MinValue + Life.LateMicroseconds ? long.MinValue : watermark - Life.LateMicroseconds;
}
