using Dataflow.Diagnostics;

namespace Dataflow.MLlib.TreeFitting;

/// <summary>Cancels jobs as soon as an executor that holds rows is lost: they would wait for another one to take its place.</summary>
internal sealed class ExecutorWatch : JobListener, IDisposable
{
    private readonly DataflowContext _context;
    private readonly TreeShards _shards;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _either;

    public ExecutorWatch(DataflowContext context, TreeShards shards, CancellationToken cancellationToken)
    {
        _context = context;
        _shards = shards;
        _either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _lost.Token);
        context.AddListener(this);
    }

    /// <summary>Cancelled when the caller cancels, or an executor of the shards is lost.</summary>
    public CancellationToken Token => _either.Token;

    /// <summary>Whether an executor of the shards is lost.</summary>
    public bool HasLost => _lost.IsCancellationRequested;

    /// <inheritdoc/>
    public override void OnExecutorLeft(ExecutorLeft news)
    {
        ArgumentNullException.ThrowIfNull(news);
        if (_shards.Holds(news.Executor.ToString())) _lost.Cancel();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _context.RemoveListener(this);
        _either.Dispose();
    }
}
