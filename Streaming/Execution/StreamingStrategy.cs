using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;
using Dataflow.Streaming.Groups;
using Dataflow.Streaming.Joins;
using Dataflow.Streaming.Sessions;
using Dataflow.Streaming.State;

namespace Dataflow.Streaming.Execution;

/// <summary>How the parts of plans are computed that only streams have.</summary>
internal sealed class StreamingStrategy : IPlanStrategy
{
    private static readonly StreamingStrategy Instance = new();

    /// <summary>Makes it known to a session, once.</summary>
    public static void AddTo(SqlSession session)
    {
        StreamingException.Register();
        lock (session.Strategies)
        {
            if (!session.Strategies.Contains(Instance)) session.Strategies.Add(Instance);
        }
    }

    public PhysicalPlan? Plan(LogicalPlan plan, Planner planner)
    {
        switch (plan)
        {
            case Watermark { Latest: null } watermark:
                return planner.Plan(watermark.Input);
            case Watermark watermark:
                var rows = planner.Plan(watermark.Input);
                return new ObserveExec(watermark.Describe(), null, watermark.Latest, Planner.PositionOf(rows, watermark.Column), rows);
            case CountedInput counted:
                return new ObserveExec("CountedInput", counted.Rows, null, -1, planner.Plan(counted.Input));
            case StateJoin join:
                return StateJoinExec.Of(join, planner.Plan(join.Left), planner.Plan(join.Right));
            case StateSession session:
                return StateSessionExec.Over(session, planner.Plan(session.Sessions.Input));
            case StateDedup dedup:
                return new StateDedupExec(dedup, planner.Plan(dedup.Input));
            case FoldGroups groups:
                return StateGroupsExec.Of(groups.Work, groups.Rows, groups.Columns, null, null, planner.Plan(groups.Input), groups.InitialRows, groups.Initial is null ? null : planner.Plan(groups.Initial));
            case StateGroups groups:
                return StateGroupsExec.Of(
                    groups.Work, groups.Rows, groups.Columns, groups.Time, groups.Batch, planner.Plan(groups.Input), groups.InitialRows, groups is { Initial: { } initial, Batch.Number: 0 } ? planner.Plan(initial) : null);
            case StateAggregate aggregate:
                var states = aggregate.Aggregates.SelectMany(each =>
                {
                    var call = (AggregateCall)each.Value;
                    return call.Function.StateTypes(call).Select((type, i) => new ColumnReference($"{each.Column.Name}.{i}", type, true));
                });
                return new StateAggregateExec(aggregate, new PartialAggregateExec(aggregate.Keys, aggregate.Aggregates, [.. states], planner.Plan(aggregate.Input)));
            default:
                return null;
        }
    }
}
