using Dataflow.Sql.Builtins;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Sources;
using Dataflow.Streaming.Execution;
using Dataflow.Streaming.State;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Sessions;

/// <summary>Merges the sessions of a batch into those of all batches before, one task a partition of state, and gives what is final, or all.</summary>
/// <param name="Session">What is computed.</param>
/// <param name="Input">Sessions of single times: keys, start, end and states.</param>
internal sealed record StateSessionExec(StateSession Session, PhysicalPlan Input) : PhysicalPlan, IPlacesRows
{
    public RowPlace? Place => Session.Batch is { } batch ? RowPlace.By(Session.Sessions.Keys.Select(key => key.Column), batch.Partitions) : null;

    /// <summary>The operator over the rows that a plan gives.</summary>
    public static StateSessionExec Over(StateSession plan, PhysicalPlan rows)
    {
        var session = plan.Sessions;
        ValueList<NamedExpression> keys =
        [
            .. session.Keys,
            new NamedExpression(session.Time, session.Start),
            new NamedExpression(new Call(SessionFunction.End, [session.Time, session.Gap], session.End.Type), session.End),
        ];
        var states = session.Aggregates.SelectMany(each =>
        {
            var call = (AggregateCall)each.Value;
            return call.Function.StateTypes(call).Select((type, i) => new ColumnReference($"{each.Column.Name}.{i}", type, true));
        });
        return new StateSessionExec(plan, new PartialAggregateExec(keys, session.Aggregates, [.. states], rows));
    }

    public override ValueList<ColumnReference> Output => Session.Output;

    public override ValueList<PhysicalPlan> Inputs => [Input];

    public override string Describe() => Session.Describe();

    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run)
    {
        var batch = Session.Batch!;
        ValueList<int> keys = [.. Enumerable.Range(0, Session.Sessions.Keys.Count)];
        return new OperatorRdd("State", batch.Place(Input, keys, run), new Step(Session.Rules, batch)).NearState(batch.Name);
    }

    private sealed class Step(SessionRules rules, StateBatch batch) : BatchOperator
    {
        public override BatchReader Open(BatchReader input, TaskContext context) => new SessionReader(rules, batch, OperatorPartition.Current!.Value, input, context);
    }
}
