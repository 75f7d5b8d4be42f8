using System.Globalization;
using Dataflow.Scheduling;
using Dataflow.Storage;
using Microsoft.Extensions.Logging;

namespace Dataflow.Cluster;

/// <summary>What a worker offers, and to whom.</summary>
/// <param name="Join">The driver or coordinator.</param>
public sealed record WorkerOptions(Uri Join)
{
    /// <summary>Its name, unique in the cluster. Default: machine and process.</summary>
    public string Name { get; init; } = string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}-{Environment.ProcessId}");

    /// <summary>Cores for executors. Default: all of the machine.</summary>
    public int Cores { get; init; } = Environment.ProcessorCount;

    /// <summary>Memory for executors in bytes. Default: three quarters of the machine's.</summary>
    public long MemoryBytes { get; init; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4 * 3;

    /// <summary>The cluster's token; null takes the variable <c>DATAFLOW_TOKEN</c>, or none.</summary>
    public string? Token { get; init; }

    /// <summary>Under which folder it keeps staged code and executors keep temporary files; null for the system's temporary folder.</summary>
    public string? TempFolder { get; init; }

    /// <summary>How long it tries to reach the coordinator again after the link was lost. Default 60 s.</summary>
    public TimeSpan ReconnectFor { get; init; } = TimeSpan.FromSeconds(60);

    internal TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where it logs.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }
}

/// <summary>
/// The daemon of a machine: joins a driver or coordinator, and starts one executor process for each application that it is asked to serve. What
/// an executor does to itself does not reach the worker.
/// </summary>
public sealed class WorkerHost
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);

    private readonly WorkerOptions _options;
    private readonly ClusterToken _token;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;

    /// <summary>A worker that is not running yet.</summary>
    /// <param name="options">What it offers.</param>
    /// <exception cref="ClusterException">The token is too short.</exception>
    public WorkerHost(WorkerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Cores);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MemoryBytes);
        _options = options;
        _time = options.Time;
        _token = (options.Token is { } token ? ClusterToken.Parse(token) : ClusterToken.FromEnvironment()) ?? ClusterToken.Open;
        _logger = options.LoggerFactory?.CreateLogger("Dataflow.Worker") ?? Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;
    }

    /// <summary>Serves until it is cancelled, the application ends, or the coordinator can't be reached any more.</summary>
    /// <param name="cancellationToken">Ends the worker and its executors.</param>
    /// <returns>Why it ended.</returns>
    /// <exception cref="ClusterException">The coordinator can't be reached, or refuses.</exception>
    public async Task<string> RunAsync(CancellationToken cancellationToken = default)
    {
        using var temp = new TempFolders(_options.TempFolder);
        using var client = new NodeClient();
        var server = await NodeServer.StartAsync(
            new NodeOptions { Address = await LocalAddress.TowardAsync(_options.Join, cancellationToken).ConfigureAwait(false), Token = _token, Logger = _logger }, static link => link.Channel.DisposeAsync(), cancellation: cancellationToken).ConfigureAwait(false);
        await using var listening = server.ConfigureAwait(false);
        using var shuffles = new WorkerShuffles(server, Path.Combine(temp.Folder, "shuffles"));
        using var pool = new NativePool(new NativePoolOptions { HugePages = false });
        var reader = new RemoteBlockReader(client, pool);
        var lostAt = _time.GetTimestamp();
        for (var epoch = 1L; ; epoch++)
        {
            try
            {
                var link = await client.ConnectAsync(_options.Join, ScopeName.Cluster, _token, cancellationToken).ConfigureAwait(false);
                await using (link.ConfigureAwait(false))
                {
                    _logger.LogInformation("Joined {Url} as {Name} with {Cores} cores.", _options.Join, _options.Name, _options.Cores);
                    var session = new WorkerSession(_options, link, reader, shuffles, temp.Folder, _logger);
                    var end = await session.RunAsync(epoch, cancellationToken).ConfigureAwait(false);
                    if (end.Final) return end.Reason;
                    _logger.LogWarning("The link to {Url} was lost: {Reason}", _options.Join, end.Reason);
                }
                lostAt = _time.GetTimestamp();
            }
            catch (ClusterException error) when (epoch > 1 && _time.GetElapsedTime(lostAt) < _options.ReconnectFor)
            {
                _logger.LogDebug("{Url} does not answer yet: {Reason}", _options.Join, error.Message);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return "it was told to";
            }
            catch (ClusterException) when (epoch > 1)
            {
                return $"{_options.Join} could not be reached again for {_options.ReconnectFor.TotalSeconds:N0} s";
            }
            using var pause = new PeriodicTimer(RetryInterval, _time);
            try
            {
                await pause.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return "it was told to";
            }
        }
    }
}
