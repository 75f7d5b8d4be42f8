using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Sources;

namespace Dataflow.MLlib.RowScoring;

/// <summary>What stages do to rows, as projections and filters one after the other: a query plan that needs no engine. Immutable; threads share it.</summary>
internal sealed class RowPlan
{
    private readonly List<LogicalPlan> _steps = [];

    private RowPlan(LogicalPlan plan, Schema schema, SessionSettings settings)
    {
        Schema = schema;
        Settings = settings;
        for (; plan is not Sql.Plans.Scan; plan = plan.Inputs[0]) _steps.Insert(0, plan);
        Scan = (Scan)plan;
    }

    /// <summary>The columns that come out.</summary>
    public Schema Schema { get; }

    /// <summary>Which columns are read.</summary>
    public Scan Scan { get; }

    /// <summary>Projections and filters, in order.</summary>
    public IReadOnlyList<LogicalPlan> Steps => _steps;

    /// <summary>Time zone and the like.</summary>
    public SessionSettings Settings { get; }

    /// <summary>Plans what a stage does to rows.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="rows">The columns of a row.</param>
    /// <param name="choose">The columns that are wanted, of those there are in the end.</param>
    /// <exception cref="QueryException">A stage does not fit the rows, or needs an engine.</exception>
    public static RowPlan Of(Transformer stage, Schema rows, Func<Schema, IReadOnlyList<string>> choose)
    {
        var session = new SqlSession();
        var frame = Through(stage, new DataFrame(session, Scan.Of(new RowTable(rows)), null));
        frame = frame.Select([.. choose(frame.Schema).Select(name => frame[name])]);
        var plan = session.Optimise(frame.Plan);
        Check(plan, stage);
        return new RowPlan(plan, frame.Schema, session.Settings());
    }

    // Stage by stage, so that errors name the one that can't.
    private static DataFrame Through(Transformer stage, DataFrame frame)
    {
        if (stage is PipelineModel pipeline) return pipeline.Stages.Aggregate(frame, (before, next) => Through(next, before));
        try
        {
            frame = stage.Transform(frame);
        }
        catch (QueryException e) when (e.ErrorClass == SqlSession.NoEngine)
        {
            throw NeedsEngine(stage, "what it holds is broadcast, or it runs a job", e);
        }
        Check(frame.Plan, stage);
        return frame;
    }

    private static void Check(LogicalPlan plan, Transformer stage)
    {
        for (; plan is Project or Filter; plan = plan.Inputs[0]) { }
        if (plan is not Sql.Plans.Scan { Table: RowTable }) throw NeedsEngine(stage, $"it takes more than one row to compute ({plan.GetType().Name})", null);
    }

    private static QueryException NeedsEngine(Transformer stage, string why, QueryException? cause) => new(SqlSession.NoEngine,
        $"{stage.GetType().Name} can't transform single rows without an engine: {why}{(cause is null ? "" : $" [{cause.ErrorClass}]")}. "
        + "Leave it out of the pipeline and give the model its rows directly where it predicts spans, or transform a frame.");

    // Nothing reads it: its rows are given one by one.
    private sealed class RowTable(Schema schema) : ITable
    {
        public string Name => "single rows";

        public Schema Schema => schema;

        public TableStatistics Statistics => TableStatistics.Unknown;

        public ITableScan Scan(ScanRequest request) => throw new QueryException(SqlSession.NoEngine, "Single rows are no table that a query can read. Transform them with the RowPipeline.");
    }
}
