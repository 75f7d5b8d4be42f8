using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;

namespace Dataflow.Sql.Adaptive;

/// <summary>Reads what was exchanged already, in pieces.</summary>
/// <param name="Exchange">The exchange of the run.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="Ranges">The pieces: one is a task.</param>
/// <param name="What">How plans show it.</param>
/// <param name="Below">What was exchanged, for plans.</param>
internal sealed record ExchangeReadExec(ExchangeDependency Exchange, ValueList<ColumnReference> Columns, ValueList<ReadRange> Ranges, string What, PhysicalPlan Below) : PhysicalPlan
{
    public override ValueList<ColumnReference> Output => Columns;

    public override ValueList<PhysicalPlan> Inputs => [Below];

    public override string Describe() => What;

    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run) => new ExchangeRdd(Exchange, Ranges);
}

/// <summary>States of groups that lie in several pieces of a partition become one state a piece.</summary>
/// <param name="Keys">The columns of the keys.</param>
/// <param name="Calls">The aggregates.</param>
/// <param name="Input">Keys and states.</param>
internal sealed record MergeStatesExec(ValueList<ColumnReference> Keys, ValueList<AggregateCall> Calls, PhysicalPlan Input) : PhysicalPlan
{
    public override ValueList<ColumnReference> Output => Input.Output;

    public override ValueList<PhysicalPlan> Inputs => [Input];

    public override string Describe() => $"MergeStates [{Keys}]";

    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run) => new OperatorRdd("Aggregate", Input.ToRdd(run), new Step(Keys.ConvertAll(key => key.Type), Calls));

    private sealed class Step(ValueList<DataType> keys, ValueList<AggregateCall> calls) : BatchOperator
    {
        public override Sources.BatchReader Open(Sources.BatchReader input, Tasks.TaskContext context) => new GroupMerger(keys, calls, input, context, asStates: true);
    }
}
