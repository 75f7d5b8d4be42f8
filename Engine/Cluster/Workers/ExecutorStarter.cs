using Dataflow.Scheduling;
using Microsoft.Extensions.Logging;

namespace Dataflow.Cluster;

/// <summary>Starts executors as processes, each from a folder that holds the application's files.</summary>
/// <param name="reader">Fetches files.</param>
/// <param name="shuffles">Serves the map outputs that executors write.</param>
/// <param name="folder">Of this worker; it is removed with it.</param>
/// <param name="tls">TLS of the cluster.</param>
/// <param name="logger">Takes what executors write.</param>
internal sealed class ExecutorStarter(RemoteBlockReader reader, WorkerShuffles shuffles, string folder, TlsFiles? tls, ILogger logger) : IExecutorStarter
{
    private readonly FileStage _stage = new(reader, Path.Combine(folder, "code"));

    public async Task<IStartedExecutor> StartAsync(LaunchExecutor launch, ClusterToken secret, FileSources sources)
    {
        var application = Path.Combine(folder, $"{launch.Application}-{launch.Executor.Value}");

        // Before its files are here: what has come is for others at once.
        var served = new ShuffleServer(launch.Worker, shuffles.Url, shuffles.Begin(launch.Application, secret, new StagedFiles(_stage, launch.Files)));
        await _stage.FillAsync(application, launch.Files, new BlockSource(new Uri(launch.DriverUrl), launch.Application, secret), sources).ConfigureAwait(false);
        return ExecutorProcess.Start(launch, secret, served, application, tls, logger);
    }

    // An executor's own folder goes with its process; files stay by content, for other applications may consist of them too.
    public void Forget(string application)
    {
        shuffles.End(application);
        _stage.Forget(application);
    }
}
