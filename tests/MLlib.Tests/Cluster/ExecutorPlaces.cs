using Dataflow.Cluster.Tests;

namespace Dataflow.MLlib.Tests.Cluster;

/// <summary>Executors in processes of their own.</summary>
internal sealed class ExecutorPlaces : IAsyncDisposable
{
    private ExecutorPlaces(DataflowContext context, List<WorkerProcess> workers) => (Context, Workers) = (context, workers);

    /// <summary>The program's context.</summary>
    public DataflowContext Context { get; }

    /// <summary>The workers, one executor each.</summary>
    public List<WorkerProcess> Workers { get; }

    /// <summary>Starts some workers.</summary>
    public static async Task<ExecutorPlaces> StartAsync(int workers, Dataflow.Cluster.ClusterOptions? options = null)
    {
        var context = await DataflowContext.ListenAsync("http://127.0.0.1:0", options);
        var places = new ExecutorPlaces(context, []);
        for (var i = 0; i < workers; i++) places.Workers.Add(new WorkerProcess(context.Cluster.Url.ToString()));
        await context.Cluster.WaitForWorkersAsync(workers, TimeSpan.FromMinutes(1));
        return places;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Context.DisposeAsync();
        foreach (var worker in Workers) worker.Dispose();
    }
}
