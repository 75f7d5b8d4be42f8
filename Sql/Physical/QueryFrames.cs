using System.Runtime.CompilerServices;
using Dataflow.Sql.Adaptive;

namespace Dataflow.Sql.Physical;

/// <summary>A run of a frame whose rows come partition after partition. When it ends, whoever ends it, what executors keep for it is dropped.</summary>
internal sealed class QueryFrames : IDisposable
{
    private readonly PhysicalPlan _plan;
    private readonly QueryRun _run;
    private readonly PlannerOptions _options;

    public QueryFrames(DataFrame frame)
    {
        (_plan, _run) = frame.Session.Plan(frame);
        _options = frame.Session.Planner().Options;
    }

    public IEnumerable<byte[]> All() => QueryRunErrors.Unwrap(Frames());

    public IAsyncEnumerable<byte[]> AllAsync(CancellationToken cancellationToken) => QueryRunErrors.Unwrap(FramesAsync(cancellationToken));

    public void Dispose() => _run.Dispose();

    private IEnumerable<byte[]> Frames()
    {
        AdaptivePlanner.PrepareAsync(_plan, _run, _options, CancellationToken.None).GetAwaiter().GetResult();
        foreach (var frame in QueryResult.Frames(_plan, _run).ToEnumerable()) yield return frame;
    }

    private async IAsyncEnumerable<byte[]> FramesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await AdaptivePlanner.PrepareAsync(_plan, _run, _options, cancellationToken).ConfigureAwait(false);
        await foreach (var frame in QueryResult.Frames(_plan, _run).ToAsyncEnumerable(cancellationToken).ConfigureAwait(false)) yield return frame;
    }
}
