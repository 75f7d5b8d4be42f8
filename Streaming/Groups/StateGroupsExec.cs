using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Sources;
using Dataflow.Streaming.State;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Groups;

/// <summary>Puts a key that the program computes in front of rows, and places them by it.</summary>
/// <param name="Work">Knows the key.</param>
/// <param name="Keys">Its columns.</param>
/// <param name="Rows">The columns that rows are made of.</param>
/// <param name="Time">Which rows come too late; null for none.</param>
/// <param name="Batch">The batch; null where it is no stream.</param>
/// <param name="Input">The rows.</param>
internal sealed record KeyedRowsExec(GroupWork Work, ValueList<ColumnReference> Keys, ValueList<ColumnReference> Rows, GroupTime? Time, StateBatch? Batch, PhysicalPlan Input) : PhysicalPlan
{
    /// <summary>Whether the rows are those that groups begin with.</summary>
    public bool IsInitial { get; init; }

    public override ValueList<ColumnReference> Output { get; } = [.. Keys, .. Rows];

    public override ValueList<PhysicalPlan> Inputs => [Input];

    public override string Describe() => $"GroupByKey [{Keys}]";

    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run)
    {
        int[] columns = [.. Rows.Select(row => Planner.PositionOf(Input, row))];
        var late = Time is null || Batch is null ? null : new LateFilter(Planner.PositionOf(Input, Time.Column), Time.LateBefore(Batch.LateWatermark), Batch.Figures.Late);
        var keyed = new OperatorRdd("Keys", Input.ToRdd(run), new Step(Work, columns, late, IsInitial));

        // Partitions of state stay what they are: this exchange is read as it was written, whatever its sizes.
        var partitions = Batch?.Partitions ?? run.Context.DefaultParallelism;
        var exchange = run.Exchange(keyed, Output.ConvertAll(column => column.Type), new HashDistribution([.. Enumerable.Range(0, Keys.Count)], partitions));
        return new ExchangeRdd(exchange, []);
    }

    private sealed class Step(GroupWork work, int[] columns, LateFilter? late, bool isInitial) : BatchOperator
    {
        public override BatchReader Open(BatchReader input, TaskContext context) => isInitial ? work.OpenInitialKeys(input, columns, context) : work.OpenKeys(input, columns, late, context);
    }
}

/// <summary>Calls the program for groups whose rows stand together.</summary>
/// <param name="Work">What is called.</param>
/// <param name="Columns">What comes of it.</param>
/// <param name="Time">How far the times of rows have come; null where nothing is known of them.</param>
/// <param name="Batch">The batch; null where it is no stream.</param>
/// <param name="Input">The rows.</param>
internal sealed record StateGroupsExec(GroupWork Work, ValueList<ColumnReference> Columns, GroupTime? Time, StateBatch? Batch, PhysicalPlan Input) : PhysicalPlan
{
    /// <summary>The rows that groups begin with; null where they do not.</summary>
    public PhysicalPlan? Initial { get; init; }

    public override ValueList<ColumnReference> Output => Columns;

    public override ValueList<PhysicalPlan> Inputs => Initial is null ? [Input] : [Input, Initial];

    public override string Describe() => $"{(Batch is null ? "Groups" : "StateGroups")} {Work.Verb} [{Columns}]";

    /// <summary>How groups are computed.</summary>
    public static StateGroupsExec Of(GroupWork work, ValueList<ColumnReference> rows, ValueList<ColumnReference> columns, GroupTime? time, StateBatch? batch, PhysicalPlan input, ValueList<ColumnReference> initialRows,
        PhysicalPlan? initial)
    {
        return new StateGroupsExec(work, columns, time, batch, Sorted(rows, work.Timeout == GroupTimeout.EventTime ? time : null, input, false))
        {
            Initial = initial is null ? null : Sorted(initialRows, null, initial, true),
        };

        SortExec Sorted(ValueList<ColumnReference> of, GroupTime? times, PhysicalPlan plan, bool isInitial)
        {
            ValueList<ColumnReference> keys = [.. work.KeySchema.Select(field => new ColumnReference(field.Name, field.Type, field.Nullable))];
            return new SortExec(keys.ConvertAll(key => new SortOrder(key, false, true)), null, new KeyedRowsExec(work, keys, of, times, batch, plan) { IsInitial = isInitial });
        }
    }

    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run)
    {
        var watermark = Batch?.Watermark ?? long.MinValue;
        var clock = new GroupClock(run.Scope.Session.NowMicroseconds, Time?.Behind(watermark) ?? watermark);
        var step = new Step(Work, Batch, clock);
        Rdd<ColumnBatch> groups = Initial is null ? new OperatorRdd("State", Input.ToRdd(run), step) : new PairOperatorRdd("State", Input.ToRdd(run), Initial.ToRdd(run), new BeginStep(step));
        return Batch is null ? groups : groups.NearState(Batch.Name);
    }

    private sealed class Step(GroupWork work, StateBatch? batch, GroupClock clock) : BatchOperator
    {
        public override BatchReader Open(BatchReader input, TaskContext context) => Open(input, null, OperatorPartition.Current!.Value, context);

        public BatchReader Open(BatchReader input, BatchReader? initial, int partition, TaskContext context) => work.OpenGroups(input, initial, batch, clock, partition, context);
    }

    private sealed class BeginStep(Step step) : PairOperator
    {
        public override BatchReader Open(Func<BatchReader> left, Func<BatchReader> right, TaskContext context)
        {
            var input = left();
            try
            {
                return step.Open(input, right(), OperatorPartition.Current!.Value, context);
            }
            catch
            {
                input.Dispose();
                throw;
            }
        }
    }
}
