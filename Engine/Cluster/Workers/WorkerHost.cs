using System.Globalization;
using System.Net;
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

    /// <summary>Named resources that it offers to stages that ask by <c>WithResources</c>: addresses by name, such as <c>["gpu"] = ["0", "1"]</c>. Each belongs
    /// to one executor at a time. Default: none.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Resources { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>The cluster's token; null takes the variable <c>DATAFLOW_TOKEN</c>, or none.</summary>
    public string? Token { get; init; }

    /// <summary>Under which folder it keeps staged code and executors keep temporary files; null for the system's temporary folder.</summary>
    public string? TempFolder { get; init; }

    /// <summary>How long it tries to reach the coordinator, when it starts and again after the link was lost; its executors go on meanwhile. Default 60 s.</summary>
    public TimeSpan ReconnectFor { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long tasks that run may take to end, and others to take over what is kept here, after <see cref="WorkerHost.Drain"/>. Default 30 s.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>TLS of its port, of its executors' and of all that they dial; null takes the variables of <see cref="TlsFiles.FromEnvironment"/>, or none.</summary>
    public TlsFiles? Tls { get; init; }

    internal TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where it logs.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }
}

/// <summary>
/// The daemon of a machine: joins a driver or coordinator, and starts an executor process for each application that it is asked to serve. What
/// an executor does to itself does not reach the worker. While the coordinator is away its executors go on.
/// </summary>
public sealed class WorkerHost
{
    private readonly WorkerOptions _options;
    private readonly ClusterToken _token;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _drain = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A worker that is not running yet.</summary>
    /// <param name="options">What it offers.</param>
    /// <exception cref="ArgumentException">A resource has no name, no addresses, or one of them twice.</exception>
    /// <exception cref="ClusterException">The token is too short.</exception>
    public WorkerHost(WorkerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Cores);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MemoryBytes);
        DataflowOptions.CheckResources(options.Resources, nameof(options));
        _options = options;
        _token = (options.Token is { } token ? ClusterToken.Parse(token) : ClusterToken.FromEnvironment()) ?? ClusterToken.Open;
        _logger = options.LoggerFactory?.CreateLogger("Dataflow.Worker") ?? Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;
    }

    /// <summary>Has the worker leave when the tasks that run have ended and other workers have its map outputs and cached partitions, after <see cref="WorkerOptions.DrainTimeout"/> in any case. Programs are told, and
    /// give it no new ones. Safe to call twice.</summary>
    public void Drain() => _drain.TrySetResult();

    /// <summary>Serves until it is cancelled or drained, the program whose own it is ends, or the coordinator can't be reached any more.</summary>
    /// <param name="cancellationToken">Ends the worker and its executors at once.</param>
    /// <returns>Why it ended.</returns>
    /// <exception cref="ClusterException">The coordinator can't be reached within <see cref="WorkerOptions.ReconnectFor"/>, or refuses.</exception>
    public async Task<string> RunAsync(CancellationToken cancellationToken = default)
    {
        // What an earlier run left when it was killed is removed meanwhile.
        using var temp = new TempFolders(_options.TempFolder);
        var tls = _options.Tls ?? TlsFiles.FromEnvironment();
        var join = tls is null ? _options.Join : TlsFiles.Secured(_options.Join);
        var node = new NodeOptions { Address = await AddressTowardAsync(join, cancellationToken).ConfigureAwait(false), Token = _token, Logger = _logger, Tls = tls?.Load() };
        using var client = new NodeClient(node);

        // A daemon fetches the files of a program now and then, and keeps nothing for the next time.
        using var pool = new NativePool(new NativePoolOptions { HugePages = false, IdleBytes = 0 });
        var server = await NodeServer.StartAsync(
            node, static link => link.Channel.DisposeAsync(), cancellation: cancellationToken).ConfigureAwait(false);
        await using var listening = server.ConfigureAwait(false);
        using var shuffles = new WorkerShuffles(server, Path.Combine(temp.Folder, "shuffles"));
        var agent = new WorkerAgent(
            new WorkerOffer(_options.Name, Environment.MachineName, _options.Cores, _options.MemoryBytes, _options.Resources, shuffles.Url.ToString()),
            ending => client.ConnectAsync(join, ScopeName.Cluster, _token, ending),
            new ExecutorStarter(new RemoteBlockReader(client, pool), shuffles, temp.Folder, tls, _logger),
            new WorkerAgentSettings { Time = _options.Time, Logger = _logger, ReconnectFor = _options.ReconnectFor });
        using var cancelled = cancellationToken.Register(() => agent.Stop("it was told to"));
        agent.Start();
        if (await Task.WhenAny(agent.Ended, _drain.Task).ConfigureAwait(false) == _drain.Task) agent.Drain(_options.DrainTimeout);
        return await agent.Ended.ConfigureAwait(false);
    }

    // A name may be made known only when its machine starts.
    private async Task<IPAddress> AddressTowardAsync(Uri join, CancellationToken cancellation)
    {
        var since = _options.Time.GetTimestamp();
        for (var isFirst = true; ; isFirst = false)
        {
            try
            {
                return await LocalAddress.TowardAsync(join, cancellation).ConfigureAwait(false);
            }
            catch (ClusterException error) when (_options.Time.GetElapsedTime(since) < _options.ReconnectFor && !_drain.Task.IsCompleted)
            {
                if (isFirst) _logger.LogInformation("waiting {Worker}: for a way to {Coordinator}, {Seconds:0.###} s at most: {Reason}", _options.Name, join, _options.ReconnectFor.TotalSeconds, error.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(500), _options.Time, cancellation).ConfigureAwait(false);
            }
        }
    }
}
