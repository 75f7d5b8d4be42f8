using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dataflow.Cluster;

/// <summary>A link that another process made, after its handshake.</summary>
/// <param name="Scope">Whose secret it holds: <see cref="ScopeName.Cluster"/>, or an application.</param>
/// <param name="Channel">The link; nothing is delivered before it is started.</param>
internal sealed record AcceptedLink(string Scope, IControlChannel Channel);

/// <summary>
/// The one port of a process: <c>/control</c> for links, <c>/peer</c> for those between executors, <c>POST /blocks</c> and <c>GET /code/HASH</c>,
/// <c>/broadcast/ID/PIECE</c>, <c>/binary/ID</c>, <c>/result/TASK</c> for blocks, <c>DELETE</c> of a shuffle's block to remove them all. Nobody gets past it
/// without the secret of a scope.
/// </summary>
internal sealed class NodeServer : IAsyncDisposable
{
    private readonly NodeOptions _options;
    private readonly Action<AcceptedLink> _accept;
    private readonly WebApplication _app;
    private readonly ReplayGuard _replays;
    private readonly ConcurrentDictionary<string, Scope> _scopes = new();
    private readonly ConcurrentDictionary<string, Func<WebSocket, string, CancellationToken, Task>> _peers = new();
    private readonly ConcurrentDictionary<ControlChannel, byte> _links = new();
    private readonly ConcurrentDictionary<string, int> _refusals = new();
    private readonly CancellationTokenSource _stopping = new();
    private int _disposed;

    private NodeServer(NodeOptions options, Action<AcceptedLink> accept, RequestDelegate? pages)
    {
        _options = options;
        _accept = accept;
        _replays = new ReplayGuard(options.Limits.Time, options.RequestAge);
        _scopes[ScopeName.Cluster] = new Scope(options.Token ?? ClusterToken.Open, null);
        _app = Build(options);
        _app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = options.Limits.KeepAliveInterval, KeepAliveTimeout = options.Limits.KeepAliveTimeout });
        _app.Run(request => HandleAsync(request, pages));
    }

    /// <summary>Where others dial this process.</summary>
    public Uri Url { get; private set; } = null!;

    /// <summary>Listens.</summary>
    /// <param name="options">Address, token, limits.</param>
    /// <param name="accept">Takes each new link; called on any thread, must not block.</param>
    /// <param name="pages">Answers all other paths, or null for none. It must protect itself.</param>
    /// <param name="cancellation">Gives up starting.</param>
    /// <exception cref="ClusterException">The address is taken or not of this machine, or it is not loopback and there is no token.</exception>
    public static async Task<NodeServer> StartAsync(
        NodeOptions options, Action<AcceptedLink> accept, RequestDelegate? pages = null, CancellationToken cancellation = default)
    {
        options.Check();
        var server = new NodeServer(options, accept, pages);
        try
        {
            await server._app.StartAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or System.Net.Sockets.SocketException or AddressInUseException)
        {
            await server._app.DisposeAsync().ConfigureAwait(false);
            throw new ClusterException(
                $"Listening on {options.Address}:{options.Port} failed: {error.Message}\n  next: choose another port, or port 0 for a free one.", error);
        }
        var bound = new Uri(server._app.Urls.First());
        server.Url = new UriBuilder(options.Tls is null ? "http" : "https", options.AdvertisedHost ?? HostOf(options.Address), bound.Port).Uri;
        return server;
    }

    /// <summary>Lets holders of a secret in, for the blocks that go with it.</summary>
    /// <param name="scope">An application's name, or <see cref="ScopeName.Cluster"/> to serve blocks to holders of the cluster's token.</param>
    /// <param name="secret">Its secret.</param>
    /// <param name="blocks">Its blocks; null for none.</param>
    public void Admit(string scope, ClusterToken secret, IBlockProvider? blocks)
    {
        ScopeName.Check(scope);
        _scopes[scope] = new Scope(secret, blocks);
    }

    /// <summary>Takes links that executors of an application make to each other.</summary>
    /// <param name="scope">The application; its secret was given to <see cref="Admit"/>.</param>
    /// <param name="serve">Reads what comes on a link until it ends. Given the link, the other end's address for logs, and a token that is signalled when the process ends.</param>
    public void AdmitPeers(string scope, Func<WebSocket, string, CancellationToken, Task> serve) => _peers[scope] = serve;

    /// <summary>Lets them in no more. Links that are made stay.</summary>
    public void Expel(string scope)
    {
        _peers.TryRemove(scope, out _);
        _scopes.TryRemove(scope, out _);
    }

    /// <summary>Closes all links, then stops listening. Safe to call twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_links.Keys.Select(link => link.CloseAsync("the process ends").AsTask())).ConfigureAwait(false);
        using (var now = new CancellationTokenSource())
        {
            await now.CancelAsync().ConfigureAwait(false);
            await _app.StopAsync(now.Token).ConfigureAwait(false);
        }
        await _app.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    private static WebApplication Build(NodeOptions options)
    {
        // Empty: settings files and variables of the user's folder must not change how a process listens.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        // The default lifetime swallows SIGTERM and Ctrl+C of the user's program.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        // What tasks send each other waits for nothing but the network: each change of thread would cost it more than its bytes.
        builder.WebHost.UseKestrelCore().UseSockets(sockets => (sockets.UnsafePreferInlineScheduling, sockets.WaitForDataBeforeAllocatingBuffer) = (true, false)).ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxRequestBytes;
            kestrel.Limits.MaxConcurrentUpgradedConnections = 20_000;
            kestrel.Limits.RequestHeadersTimeout = options.Limits.HandshakeTimeout;
            // A reader may pause for as long as its task works on what it has; a dead one is found by its connection.
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MaxResponseBufferSize = 1 << 20;
            kestrel.Listen(options.Address, options.Port, endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http1;
                if (options.Tls is not { } tls) return;
                endpoint.UseHttps(new HttpsConnectionAdapterOptions
                {
                    ServerCertificate = tls.Certificate,
                    ClientCertificateMode = tls.Mutual ? ClientCertificateMode.RequireCertificate : ClientCertificateMode.NoCertificate,
                    ClientCertificateValidation = (certificate, _, errors) => tls.Trusts(certificate, errors),
                });
            });
        });
        return builder.Build();
    }

    private static string HostOf(IPAddress address) =>
        address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) ? Dns.GetHostName() : address.ToString();

    private async Task HandleAsync(HttpContext request, RequestDelegate? pages)
    {
        var path = request.Request.Path.Value ?? "/";
        if (path == "/control")
            await LinkAsync(request, ControlAsync).ConfigureAwait(false);
        else if (path == "/peer" && !_peers.IsEmpty)
            await LinkAsync(request, PeerAsync).ConfigureAwait(false);
        else if (path == "/blocks" && HttpMethods.IsPost(request.Request.Method))
            await BlocksAsync(request).ConfigureAwait(false);
        else if (HttpMethods.IsGet(request.Request.Method) && BlockName.TryParse(path.AsSpan(1), out var name))
            await OneBlockAsync(request, name, path).ConfigureAwait(false);
        else if (HttpMethods.IsDelete(request.Request.Method) && BlockName.TryParse(path.AsSpan(1), out name))
            Drop(request, name, path);
        else if (pages is not null)
            await pages(request).ConfigureAwait(false);
        else
            request.Response.StatusCode = StatusCodes.Status404NotFound;
    }

    private async Task LinkAsync(HttpContext request, Func<WebSocket, string, CancellationToken, Task<Func<Task>>> accept)
    {
        // Browsers name the page that a script came from; no process of ours does. A web page must not reach a port of loopback.
        if (!request.WebSockets.IsWebSocketRequest || request.Request.Headers.ContainsKey("Origin"))
        {
            request.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }
        var peer = PeerOf(request);
        using var socket = await request.WebSockets.AcceptWebSocketAsync().ConfigureAwait(false);
        Func<Task> serve;
        try
        {
            using var patience = new CancellationTokenSource(_options.Limits.HandshakeTimeout, _options.Limits.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _stopping.Token);
            serve = await accept(socket, peer, either.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is ClusterException or WebSocketException or OperationCanceledException or IOException)
        {
            LogRefusal(peer, error is OperationCanceledException ? "its handshake took too long" : error.Message);
            await DismissAsync(socket).ConfigureAwait(false);
            return;
        }
        await serve().ConfigureAwait(false);
    }

    private async Task<Func<Task>> ControlAsync(WebSocket socket, string peer, CancellationToken cancellation)
    {
        var (scope, seal) = await Handshake.AcceptAsync(socket, name => _scopes.GetValueOrDefault(name)?.Secret, cancellation).ConfigureAwait(false);
        var channel = new ControlChannel(socket, peer, seal, _options.Limits);
        return async () =>
        {
            _links.TryAdd(channel, 0);
            try
            {
                _accept(new AcceptedLink(scope, channel));
                await channel.Completed.ConfigureAwait(false);
            }
            finally
            {
                _links.TryRemove(channel, out _);
            }
        };
    }

    private async Task<Func<Task>> PeerAsync(WebSocket socket, string peer, CancellationToken cancellation)
    {
        var (scope, _) = await Handshake.AcceptAsync(
            socket, name => _peers.ContainsKey(name) ? _scopes.GetValueOrDefault(name)?.Secret : null, cancellation).ConfigureAwait(false);
        return () => _peers.TryGetValue(scope, out var serve) ? serve(socket, peer, _stopping.Token) : Task.CompletedTask;
    }

    // Not an abort: that would overtake the answer that says why.
    private async Task DismissAsync(WebSocket socket)
    {
        using var patience = new CancellationTokenSource(_options.Limits.CloseTimeout, _options.Limits.Time);
        try
        {
            await socket.CloseOutputAsync(WebSocketCloseStatus.PolicyViolation, "refused", patience.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            socket.Abort();
        }
    }

    private async Task BlocksAsync(HttpContext request)
    {
        // Before its body: nothing that a stranger sends is kept.
        if (!TryAdmit(request, "/blocks", out var blocks, out var signature)) return;
        if (request.Request.ContentLength is not { } length || length > _options.MaxRequestBytes)
        {
            Refuse(request, StatusCodes.Status413PayloadTooLarge, $"its list of blocks is said to have {request.Request.ContentLength:N0} bytes, and {_options.MaxRequestBytes:N0} are allowed");
            return;
        }
        List<BlockName>? names;
        var buffer = ArrayPool<byte>.Shared.Rent((int)length);
        try
        {
            var body = buffer.AsMemory(0, (int)length);
            await request.Request.Body.ReadExactlyAsync(body, request.RequestAborted).ConfigureAwait(false);
            if (!signature.IsFor(body.Span))
            {
                Refuse(request, StatusCodes.Status401Unauthorized, "its body is not the one that it was signed for");
                return;
            }
            names = BlockEndpoint.ParseNames(body.Span);
        }
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException error)
        {
            Refuse(request, error.StatusCode, error.Message);
            return;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        if (names is null)
        {
            Refuse(request, StatusCodes.Status400BadRequest, "its list of blocks has a name that is none");
            return;
        }
        await BlockEndpoint.WriteBlocksAsync(request.Response, names, blocks, IsNear(request), request.RequestAborted).ConfigureAwait(false);
    }

    private async Task OneBlockAsync(HttpContext request, BlockName name, string path)
    {
        if (name.Kind is BlockKind.Shuffle or BlockKind.Cached || !TryAdmit(request, path, out var blocks, out _))
        {
            if (request.Response.StatusCode == StatusCodes.Status200OK) request.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        await BlockEndpoint.WriteBlocksAsync(request.Response, [name], blocks, IsNear(request), request.RequestAborted).ConfigureAwait(false);
    }

    private void Drop(HttpContext request, BlockName name, string path)
    {
        if (TryAdmit(request, path, out var blocks, out _) && !blocks.Drop(name)) request.Response.StatusCode = StatusCodes.Status404NotFound;
    }

    private bool TryAdmit(HttpContext request, string path, out IBlockProvider blocks, out RequestSignature signature)
    {
        blocks = null!;
        string? problem;
        if (!RequestSignature.TryParse(request.Request.Headers.Authorization.ToString(), out signature))
        {
            problem = "it shows no signature";
        }
        else
        {
            var scope = _scopes.GetValueOrDefault(signature.Scope);
            var right = signature.Verify(scope?.Secret ?? ClusterToken.Open, request.Request.Method, path);
            problem = scope is null || !right ? $"it does not hold the secret of '{signature.Scope}'" : _replays.Admit(signature);
            if (problem is null)
            {
                request.Response.Headers[RequestSignature.AnswerHeader] = signature.Answer(scope!.Secret);
                blocks = scope.Blocks ?? NoBlocks.Instance;
                return true;
            }
        }
        Refuse(request, StatusCodes.Status401Unauthorized, problem);
        return false;
    }

    private void Refuse(HttpContext request, int status, string why)
    {
        request.Response.StatusCode = status;
        LogRefusal(PeerOf(request), why);
    }

    // Once per machine and reason: who is refused tries again, and a log that fills the disk is an attack too.
    private void LogRefusal(string peer, string why)
    {
        const int most = 1000;
        var key = $"{peer[..Math.Max(0, peer.LastIndexOf(':'))]} {why}";
        if (_refusals.Count < most && _refusals.AddOrUpdate(key, 1, (_, count) => count + 1) == 1)
            _options.Logger.LogWarning("Refused {Peer}: {Reason}. Further refusals of this kind are not logged.", peer, why);
    }

    private static bool IsNear(HttpContext request) => Equals(request.Connection.RemoteIpAddress, request.Connection.LocalIpAddress);

    private static string PeerOf(HttpContext request) => $"{request.Connection.RemoteIpAddress}:{request.Connection.RemotePort}";

    private sealed record Scope(ClusterToken Secret, IBlockProvider? Blocks);

    private sealed class NoBlocks : IBlockProvider
    {
        public static NoBlocks Instance { get; } = new();

        public ServedBlock? Open(BlockName name, bool near) => null;
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
