using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Dataflow.Scheduling;
using Dataflow.Storage;

namespace Dataflow.Cluster;

/// <summary>What a driver program has on the wire: one port, where workers join, executors register and both fetch what they need.</summary>
internal sealed class DriverNode : IAsyncDisposable
{
    private readonly NodeServer _server;
    private readonly NodeClient _client;
    private readonly NativePool _pool;
    private readonly CoordinatorHost _coordinator;

    private DriverNode(NodeServer server, NodeClient client, NativePool pool, CoordinatorHost coordinator, ClusterBackend backend, ClusterView view)
    {
        _server = server;
        _client = client;
        _pool = pool;
        _coordinator = coordinator;
        Backend = backend;
        View = view;
    }

    public ClusterBackend Backend { get; }

    public ClusterView View { get; }

    /// <summary>Listens.</summary>
    /// <param name="url">Such as <c>http://127.0.0.1:7077</c>; port 0 takes a free one, host 0.0.0.0 all addresses of the machine.</param>
    /// <param name="options">How workers are let in.</param>
    /// <param name="findAccumulator">The program's accumulators by number.</param>
    /// <param name="cancellation">Gives up starting.</param>
    /// <exception cref="ArgumentException">The address can't be listened on.</exception>
    /// <exception cref="ClusterException">It is taken, or not loopback while there is no token.</exception>
    public static async Task<DriverNode> StartAsync(
        string url, ClusterOptions options, Func<int, Accumulator?> findAccumulator, CancellationToken cancellation)
    {
        var (address, port) = Parse(url);
        var token = options.ReadToken();
        var node = new NodeOptions { Address = address, Port = port, Token = token, AdvertisedHost = options.AdvertisedHost };
        var name = string.Create(CultureInfo.InvariantCulture, $"app-{RandomNumberGenerator.GetHexString(16, lowercase: true)}");
        var secret = ClusterToken.Create();
        var files = new ApplicationFiles(options.CodeFolder);
        var blocks = new DriverBlocks(files);
        var client = new NodeClient(node);
        var pool = new NativePool(new NativePoolOptions { HugePages = false });
        var backend = new ClusterBackend(
            blocks, ExecutorSettings.Write(options.Application), findAccumulator, new ReportFetcher(new RemoteBlockReader(client, pool), name, secret));
        NodeServer? server = null;
        ClusterView? view = null;
        var coordinator = new CoordinatorHost(
            new ClusterApplication(name, secret, () => server!.Url, files.Files, options.ExecutorMemoryBytes), change => view?.Tell(change));
        try
        {
            server = await NodeServer.StartAsync(
                node,
                link =>
                {
                    if (link.Scope == ScopeName.Cluster)
                        coordinator.Accept(link.Channel);
                    else
                        backend.Accept(link.Channel);
                },
                cancellation: cancellation).ConfigureAwait(false);
        }
        catch
        {
            client.Dispose();
            pool.Dispose();
            throw;
        }
        view = new ClusterView(server.Url, token is { IsOpen: false }, () => backend.Executors.Count, node.Limits.Time);
        backend.Changed += (executor, isHere) =>
        {
            coordinator.OnExecutor(executor, isHere);
            view.Wake();
        };
        server.Admit(name, secret, blocks);
        return new DriverNode(server, client, pool, coordinator, backend, view);
    }

    /// <summary>Sends workers and executors home and stops listening.</summary>
    public async ValueTask DisposeAsync()
    {
        Backend.Dispose();
        await _coordinator.EndAsync("the application ended").ConfigureAwait(false);
        await _server.DisposeAsync().ConfigureAwait(false);
        _client.Dispose();
        _pool.Dispose();
    }

    private static (IPAddress Address, int Port) Parse(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var parsed) || parsed.Scheme is not "http")
            throw new ArgumentException($"'{url}' is no address to listen on; write http://HOST:PORT, such as http://127.0.0.1:7077, with port 0 for a free one.", nameof(url));
        if (parsed.Host == "localhost") return (IPAddress.Loopback, parsed.Port);
        return IPAddress.TryParse(parsed.Host.Trim('[', ']'), out var address)
            ? (address, parsed.Port)
            : throw new ArgumentException($"'{url}' names a host; listening takes an address of this machine, or 0.0.0.0 for all of them.", nameof(url));
    }
}
