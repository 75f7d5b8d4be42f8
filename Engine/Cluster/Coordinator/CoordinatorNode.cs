using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dataflow.Cluster;

/// <summary>How a standing coordinator listens.</summary>
/// <param name="Listen">Such as <c>http://0.0.0.0:7077</c>; port 0 takes a free one.</param>
public sealed record CoordinatorOptions(string Listen)
{
    /// <summary>The cluster's token; null takes the variable <c>DATAFLOW_TOKEN</c>, or none. Needed for any address but loopback.</summary>
    public string? Token { get; init; }

    /// <summary>The host name or address by which others reach it; null takes the one that is listened on, or the machine's name when that is any
    /// address.</summary>
    public string? AdvertisedHost { get; init; }

    /// <summary>TLS of its port; null takes the variables of <see cref="TlsFiles.FromEnvironment"/>, or none.</summary>
    public TlsFiles? Tls { get; init; }

    /// <summary>How long tasks may go on that run on an executor which is asked back for a program that has less; then they are ended and run again on other
    /// executors. Default 30 s.</summary>
    public TimeSpan ShareGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Where it logs: one line an event.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }
}

/// <summary>
/// A coordinator as a process of its own: workers join it, and programs (<c>DataflowContext.ConnectAsync</c>) share them. It keeps nothing on disk: one
/// that is started again at the same address learns from those who dial in again, and what ran goes on meanwhile.
/// </summary>
public sealed class CoordinatorNode : IAsyncDisposable
{
    private readonly NodeServer _server;
    private readonly CoordinatorHost _host;

    private CoordinatorNode(NodeServer server, CoordinatorHost host, bool needsToken)
    {
        _server = server;
        _host = host;
        Url = new UriBuilder(server.Url.Scheme == "https" ? "https" : "dataflow", server.Url.Host, server.Url.Port).Uri;
        JoinCommand = ClusterView.JoinCommandOf(server.Url, needsToken);
    }

    /// <summary>What programs give <c>ConnectAsync</c>.</summary>
    public Uri Url { get; }

    /// <summary>What to type on another machine to add it as a worker.</summary>
    public string JoinCommand { get; }

    /// <summary>Listens.</summary>
    /// <param name="options">Where, and with which token.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="ArgumentException">The address can't be listened on.</exception>
    /// <exception cref="ClusterException">It is taken, or not loopback while there is no token.</exception>
    public static async Task<CoordinatorNode> StartAsync(CoordinatorOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var logger = options.LoggerFactory?.CreateLogger("Dataflow.Coordinator") ?? NullLogger.Instance;
        var (address, port) = ClusterAddress.ToListen(options.Listen);
        var token = options.Token is { } text ? ClusterToken.Parse(text) : ClusterToken.FromEnvironment();
        var host = new CoordinatorHost(new CoordinatorSettings { Logger = logger, ShareGrace = options.ShareGrace });
        var server = await NodeServer.StartAsync(
            new NodeOptions
            {
                Address = address,
                Port = port,
                Token = token,
                AdvertisedHost = options.AdvertisedHost,
                Logger = logger,
                Tls = (options.Tls ?? TlsFiles.FromEnvironment())?.Load(),
            },
            link => host.Accept(link.Channel), cancellation: cancellationToken).ConfigureAwait(false);
        return new CoordinatorNode(server, host, token is { IsOpen: false });
    }

    /// <summary>Stops listening. Workers and programs go on, and look for it for a while.</summary>
    public async ValueTask DisposeAsync()
    {
        await _host.EndAsync(dismiss: null).ConfigureAwait(false);
        await _server.DisposeAsync().ConfigureAwait(false);
    }
}
