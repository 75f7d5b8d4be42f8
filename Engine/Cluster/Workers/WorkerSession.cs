using System.Collections.Concurrent;
using Dataflow.Scheduling;
using Microsoft.Extensions.Logging;

namespace Dataflow.Cluster;

/// <summary>One link of a worker to its coordinator, and the executors that it was asked for over it. They end with it.</summary>
internal sealed class WorkerSession(
    WorkerOptions options, IControlChannel link, RemoteBlockReader reader, WorkerShuffles shuffles, string folder, ILogger logger) : IControlHandler
{
    // How long an executor may take to end by itself.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<(string Application, ExecutorId Executor), ExecutorProcess> _executors = new();
    private readonly TaskCompletionSource<(bool Final, string Reason)> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Registers and serves until the link ends.</summary>
    /// <param name="epoch">Counts the links of this worker.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>Whether the worker is to end too, and why.</returns>
    public async Task<(bool Final, string Reason)> RunAsync(long epoch, CancellationToken cancellation)
    {
        link.Start(this);
        link.Send(new RegisterWorker(
            CoordinatorHost.EngineVersion, options.Name, Environment.MachineName, options.Cores, options.MemoryBytes,
            new Dictionary<string, IReadOnlyList<string>>(), shuffles.Url.ToString(), epoch, null, []));
        using var cancelled = cancellation.Register(() => _ended.TrySetResult((true, "it was told to")));
        var end = await _ended.Task.ConfigureAwait(false);
        // Their driver has told them too; one that does not listen is ended.
        foreach (var executor in _executors.Values) executor.End();
        var exits = Task.WhenAll(_executors.Values.Select(executor => executor.Exited));
        try
        {
            await exits.WaitAsync(Patience, options.Time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            foreach (var executor in _executors.Values) executor.Kill();
            await exits.ConfigureAwait(false);
        }
        // What it served counts as lost: under another number nobody would find it.
        shuffles.Dispose();
        return end;
    }

    public void Received(IReadOnlyList<ControlMessage> messages)
    {
        foreach (var message in messages)
        {
            switch (message)
            {
                case LaunchExecutor launch: Launch(launch); break;
                case StopExecutor stop when _executors.TryGetValue((stop.Application, stop.Executor), out var executor): executor.Kill(); break;
                case Refused refused: _ended.TrySetResult((true, refused.Reason)); break;
                case Shutdown shutdown: _ended.TrySetResult((true, shutdown.Reason)); break;
                case ApplicationEnded ended:
                    foreach (var (key, executor) in _executors)
                    {
                        if (key.Application == ended.Application) executor.End();
                    }
                    shuffles.End(ended.Application);
                    break;
            }
        }
    }

    public void Ended(LinkEnd end) => _ended.TrySetResult((false, end.Reason));

    private async void Launch(LaunchExecutor launch)
    {
        try
        {
            var secret = ClusterToken.Import(link.Unseal(launch.Secret));
            var stage = new FileStage(reader, Path.Combine(folder, "code"));
            var application = Path.Combine(folder, $"{launch.Application}-{launch.Executor.Value}");
            await stage.FillAsync(
                application, launch.Files, new BlockSource(new Uri(launch.Sources[0]), launch.Application, secret)).ConfigureAwait(false);
            var executor = ExecutorProcess.Start(
                launch, secret, new ShuffleServer(launch.Worker, shuffles.Url, shuffles.Begin(launch.Application, secret)), application, logger);
            _executors[(launch.Application, launch.Executor)] = executor;
            if (_ended.Task.IsCompleted) executor.Kill();
            link.Send(new ExecutorStarted(launch.Application, launch.Executor, executor.ProcessId));
            var (code, reason) = await executor.Exited.ConfigureAwait(false);
            _executors.TryRemove((launch.Application, launch.Executor), out _);
            logger.LogInformation("Executor {Executor} of {Application} ended with {Code}: {Reason}", launch.Executor, launch.Application, code, reason);
            link.Send(new ExecutorExited(launch.Application, launch.Executor, code, reason));
        }
        catch (Exception error)
        {
            logger.LogError(error, "Executor {Executor} of {Application} could not be started.", launch.Executor, launch.Application);
            link.Send(new ExecutorExited(launch.Application, launch.Executor, null, $"it could not be started: {error.Message}"));
        }
    }
}
