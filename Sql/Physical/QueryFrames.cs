namespace Dataflow.Sql.Physical;

/// <summary>A run of a frame whose rows come partition after partition. When it ends, whoever ends it, what executors keep for it is dropped.</summary>
internal sealed class QueryFrames : IDisposable
{
    private readonly PhysicalPlan _plan;
    private readonly QueryRun _run;

    public QueryFrames(DataFrame frame) => (_plan, _run) = frame.Session.Plan(frame);

    public IEnumerable<byte[]> All() => QueryRunErrors.Unwrap(QueryResult.Frames(_plan, _run).ToEnumerable());

    public IAsyncEnumerable<byte[]> AllAsync(CancellationToken cancellationToken) =>
        QueryRunErrors.Unwrap(QueryResult.Frames(_plan, _run).ToAsyncEnumerable(cancellationToken));

    public void Dispose() => _run.Dispose();
}
