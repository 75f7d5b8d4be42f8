using System.Globalization;
using System.Security.Cryptography;
using Dataflow.Scheduling;
using Dataflow.Storage;

namespace Dataflow.Cluster;

/// <summary>
/// What a driver program has on the wire: one port, where its executors register and fetch what they need, and its link to the coordinator.
/// The coordinator is a process of its own, or part of this one: then workers join at the same port.
/// </summary>
internal sealed class DriverNode : IAsyncDisposable
{
    private readonly NodeClient _client;
    private readonly NativePool _pool;
    private readonly CoordinatorHost? _coordinator;
    private NodeServer? _server;
    private DriverLink? _link;
    private DemandWatch? _demand;

    private DriverNode(ClusterOptions options, NodeOptions node, Func<int, Accumulator?> findAccumulator, CoordinatorHost? coordinator)
    {
        Name = string.Create(CultureInfo.InvariantCulture, $"app-{RandomNumberGenerator.GetHexString(16, lowercase: true)}");
        Secret = ClusterToken.Create();
        ExecutorMemoryBytes = options.ExecutorMemoryBytes;
        Files = new ApplicationFiles(options.CodeFolder);
        Blocks = new DriverBlocks(Files);
        _coordinator = coordinator;
        _client = new NodeClient(node);
        _pool = new NativePool(new NativePoolOptions { HugePages = false });
        Backend = new ClusterBackend(
            Blocks, ExecutorSettings.Write(options.Application), findAccumulator, new ReportFetcher(new RemoteBlockReader(_client, _pool), Name, Secret),
            new WorkerCalls(_client, Name, Secret));
    }

    public ClusterBackend Backend { get; }

    /// <summary>Memory of each executor, if the program asked for one.</summary>
    public long? ExecutorMemoryBytes { get; }

    public ClusterView View { get; private set; } = null!;

    /// <summary>Completes when the coordinator says that the program is to end, with the reason.</summary>
    public Task<string> Dismissed => _link!.Dismissed;

    private string Name { get; }

    private ClusterToken Secret { get; }

    private ApplicationFiles Files { get; }

    private DriverBlocks Blocks { get; }

    /// <summary>Listens for workers, with a coordinator of its own.</summary>
    /// <param name="url">Such as <c>http://127.0.0.1:7077</c>; port 0 takes a free one, host 0.0.0.0 all addresses of the machine.</param>
    /// <param name="options">How workers are let in.</param>
    /// <param name="findAccumulator">The program's accumulators by number.</param>
    /// <param name="cancellation">Gives up starting.</param>
    /// <exception cref="ArgumentException">The address can't be listened on.</exception>
    /// <exception cref="ClusterException">It is taken, or not loopback while there is no token.</exception>
    public static async Task<DriverNode> ListenAsync(
        string url, ClusterOptions options, Func<int, Accumulator?> findAccumulator, CancellationToken cancellation)
    {
        var (address, port) = ClusterAddress.ToListen(url);
        var token = options.ReadToken();
        var node = new NodeOptions { Address = address, Port = port, Token = token, AdvertisedHost = options.AdvertisedHost, Tls = options.ReadTls() };
        var coordinator = new CoordinatorHost();
        var driver = new DriverNode(options, node, findAccumulator, coordinator);
        await driver.StartAsync(
            options, node, null, coordinator.Accept,
            _ =>
            {
                var (here, there) = ControlChannel.CreatePair();
                coordinator.Accept(there);
                return Task.FromResult(here);
            },
            cancellation).ConfigureAwait(false);
        return driver;
    }

    /// <summary>Joins a coordinator that is there already.</summary>
    /// <param name="url">Such as <c>dataflow://host:7077</c>.</param>
    /// <param name="options">How the cluster is joined.</param>
    /// <param name="findAccumulator">The program's accumulators by number.</param>
    /// <param name="cancellation">Gives up starting.</param>
    /// <exception cref="ArgumentException">The address is none.</exception>
    /// <exception cref="ClusterException">The coordinator is not there, or refuses the program.</exception>
    public static async Task<DriverNode> ConnectAsync(
        string url, ClusterOptions options, Func<int, Accumulator?> findAccumulator, CancellationToken cancellation)
    {
        var coordinator = ClusterAddress.ToJoin(url);
        var tls = options.ReadTls(coordinator);
        if (tls is not null) coordinator = TlsFiles.Secured(coordinator);
        var token = options.ReadToken() ?? ClusterToken.Open;

        // Executors dial the driver: it listens where it is reached from the coordinator's network.
        var address = await LocalAddress.TowardAsync(coordinator, cancellation).ConfigureAwait(false);
        var node = new NodeOptions { Address = address, Token = token, AdvertisedHost = options.AdvertisedHost, Tls = tls };
        var driver = new DriverNode(options, node, findAccumulator, null);
        await driver.StartAsync(
            options, node, coordinator, channel => RefuseWorker(channel, coordinator),
            ending => driver._client.ConnectAsync(coordinator, ScopeName.Cluster, token, ending), cancellation).ConfigureAwait(false);
        return driver;
    }

    /// <summary>Sends executors home, and workers too if they are this program's own, and stops listening.</summary>
    public async ValueTask DisposeAsync()
    {
        const string reason = "the application ended";
        _demand?.Dispose();
        Backend.Dispose();
        if (_link is not null) await _link.EndAsync(reason).ConfigureAwait(false);
        if (_coordinator is not null) await _coordinator.EndAsync(dismiss: reason).ConfigureAwait(false);
        if (_server is not null) await _server.DisposeAsync().ConfigureAwait(false);
        _client.Dispose();
        _pool.Dispose();
    }

    private async Task StartAsync(
        ClusterOptions options, NodeOptions node, Uri? coordinator, Action<IControlChannel> accept,
        Func<CancellationToken, Task<IControlChannel>> dial, CancellationToken cancellation)
    {
        try
        {
            _server = await NodeServer.StartAsync(
                node,
                link =>
                {
                    if (link.Scope == ScopeName.Cluster)
                        accept(link.Channel);
                    else
                        Backend.Accept(link.Channel);
                },
                cancellation: cancellation).ConfigureAwait(false);
            _server.Admit(Name, Secret, Blocks);
            View = new ClusterView(coordinator ?? _server.Url, coordinator is not null, node.Token is { IsOpen: false }, () => Backend.Describe(worker => _link?.NameOf(worker) ?? worker.ToString()), node.Limits.Time);
            Backend.DescribeJoining = () => View.DescribeJoining();
            Backend.NameOf = worker => _link?.NameOf(worker);
            var isDynamic = options.ExecutorIdleTimeout is not null;
            var most = isDynamic ? options.MinExecutors : options.MaxExecutors;
            var wish = new ExecutorWish(1, most, options.ExecutorCores, options.ExecutorMemoryBytes ?? 0, options.ExecutorResources);
            _link = new DriverLink(
                new DriverApplication(Name, options.Application.Name, _server.Url, Secret, Files.Files, new Dictionary<string, string>()),
                wish, dial, Backend, View.Tell, new DriverLinkSettings { Load = LoadNow });
            Backend.Changed += OnExecutor;
            Backend.Emptied += _link.HandedOver;
            Backend.Idle += executor => _link.Release(executor, Backend.ReasonToLeave(executor));
            if (isDynamic) _demand = new DemandWatch(options, wish, Backend, _link, node.Limits.Time);
            await _link.StartAsync().WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch
        {
            await DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private ApplicationBeat LoadNow()
    {
        var metrics = View.Executors.Select(executor => executor.Metrics).OfType<ExecutorMetrics>().ToArray();
        return new ApplicationBeat(
            metrics.Sum(each => each.RunningTasks), metrics.Sum(each => each.MemoryBytes), metrics.Sum(each => each.MemoryLimitBytes), metrics.Sum(each => each.CachedBytes));
    }

    private void OnExecutor(ExecutorId executor, bool isHere)
    {
        if (isHere) _link!.Ready(executor);
        View.Wake();
    }

    private static void RefuseWorker(IControlChannel channel, Uri coordinator)
    {
        channel.Send(new Refused($"This is a program that runs on the cluster at {coordinator}: join that one."));
        _ = channel.CloseAsync("refused");
    }
}
