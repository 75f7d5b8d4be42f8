using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Physical;

/// <summary>Sessions as an aggregate by the first time of the session, which a window function finds over rows in the order of their times.</summary>
internal static class SessionRewrite
{
    public static LogicalPlan ToAggregate(SessionAggregate session)
    {
        var first = new WindowExpression(
            new WindowCall(SessionStartFunction.Instance, [session.Time, session.Gap], session.Start.Type),
            session.Keys.ConvertAll(key => key.Value), [new SortOrder(session.Time, false, true)], WindowFrame.All);
        var rows = new Plans.Window([new NamedExpression(first, session.Start)], session.Input);
        var last = NamedExpression.New(new AggregateCall(BuiltinFunctions.Registry.FindAggregate("max")!, [session.Time], session.Time.Type), "last of session");
        var sessions = new Aggregate([.. session.Keys, NamedExpression.Pass(session.Start)], [.. session.Aggregates, last], rows);
        var end = new NamedExpression(new Call(SessionFunction.End, [last.Column, session.Gap], session.End.Type), session.End);
        return new Project(session.Output.ConvertAll(column => column == session.End ? end : NamedExpression.Pass(column)), sessions);
    }
}
