using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;

namespace Dataflow.Cluster;

/// <summary>Dials other processes: links, and pooled connections for blocks. One per process; safe to use from any thread.</summary>
internal sealed class NodeClient : IDisposable
{
    // What the system holds of a peer's bytes: a whole message, so that its sender goes on at once.
    private const int PeerBuffer = 1 << 20;

    private readonly HttpMessageInvoker _http;
    private readonly HttpMessageInvoker _peers;
    private readonly string _name = ReplayGuard.NewClient();
    private long _number = -1;

    public NodeClient(NodeOptions? options = null)
    {
        Options = options ?? NodeOptions.Default;
        var tls = new SslClientAuthenticationOptions();
        if (Options.Tls is { } own)
        {
            tls.RemoteCertificateValidationCallback = (_, certificate, _, errors) => own.Trusts(certificate, errors);
            if (own.Certificate is { } shown) tls.LocalCertificateSelectionCallback = (_, _, _, _, _) => shown;
        }
        _peers = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = Options.ConnectTimeout,
            SslOptions = tls,
            ConnectCallback = ConnectPeerAsync,
        });
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = Options.ConnectTimeout,
            MaxConnectionsPerServer = Options.MaxConnectionsPerServer,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            SslOptions = tls,
        });
    }

    public NodeOptions Options { get; }

    /// <summary>Makes a link and goes through its handshake.</summary>
    /// <param name="server">Base address of the other process, such as <c>http://127.0.0.1:7077</c>.</param>
    /// <param name="scope">Whose secret is held: <see cref="ScopeName.Cluster"/>, or an application.</param>
    /// <param name="secret">The secret; <see cref="ClusterToken.Open"/> for none.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ClusterException">The server is not there, speaks another version, refuses, or is not what it says.</exception>
    public async Task<IControlChannel> ConnectAsync(Uri server, string scope, ClusterToken secret, CancellationToken cancellation = default)
    {
        var (socket, seal) = await DialAsync(server, "/control", scope, secret, null, cancellation).ConfigureAwait(false);
        return new ControlChannel(socket, $"{server.Host}:{server.Port}", seal, Options.Limits);
    }

    /// <summary>Makes a link to another executor of the same application, and goes through its handshake.</summary>
    /// <inheritdoc cref="ConnectAsync"/>
    public async Task<WebSocket> ConnectPeerAsync(Uri server, string scope, ClusterToken secret, CancellationToken cancellation = default) =>
        (await DialAsync(server, "/peer", scope, secret, _peers, cancellation).ConfigureAwait(false)).Socket;

    private async Task<(WebSocket Socket, LinkSeal Seal)> DialAsync(
        Uri server, string path, string scope, ClusterToken secret, HttpMessageInvoker? through, CancellationToken cancellation)
    {
        ScopeName.Check(scope);
        var socket = new ClientWebSocket();
        var distrust = SslPolicyErrors.None;
        try
        {
            socket.Options.KeepAliveInterval = Options.Limits.KeepAliveInterval;
            socket.Options.KeepAliveTimeout = Options.Limits.KeepAliveTimeout;
            if (through is null) socket.Options.Proxy = null;
            if (through is null)
            {
                socket.Options.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                {
                    if (Options.Tls?.Trusts(certificate, errors) ?? errors == SslPolicyErrors.None) return true;
                    distrust = errors;
                    return false;
                };
                if (Options.Tls?.Certificate is { } shown) socket.Options.ClientCertificates = [shown];
            }
            using var patience = new CancellationTokenSource(Options.Limits.HandshakeTimeout, Options.Limits.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
            var address = new UriBuilder(server) { Scheme = server.Scheme == "https" ? "wss" : "ws", Path = path }.Uri;
            await socket.ConnectAsync(address, through, either.Token).ConfigureAwait(false);
            var seal = await Handshake.ConnectAsync(socket, server, scope, secret, either.Token).ConfigureAwait(false);
            return (socket, seal);
        }
        catch (Exception error) when (error is not ClusterException && !cancellation.IsCancellationRequested)
        {
            socket.Dispose();
            throw LinkErrors.Explain(server, error, distrust);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends a signed request, and checks that who answers holds the secret too.</summary>
    /// <exception cref="HttpRequestException">The server can't be reached, or breaks off.</exception>
    /// <exception cref="ClusterException">The server refuses, or does not hold the secret.</exception>
    internal async Task<HttpResponseMessage> SendAsync(BlockSource source, HttpMethod method, string path, byte[] body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, new Uri(source.Server, path));
        var signature = RequestSignature.Create(
            source.Secret, source.Scope, _name, Interlocked.Increment(ref _number), Options.Limits.Time.GetUtcNow(), method.Method, path, body);
        request.Headers.TryAddWithoutValidation("Authorization", signature.ToString());
        if (method == HttpMethod.Post)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        }
        var response = await _http.SendAsync(request, cancellation).ConfigureAwait(false);
        try
        {
            if (!response.IsSuccessStatusCode)
            {
                throw new ClusterException(
                    $"{source.Server} refused a request for blocks of '{source.Scope}' with {(int)response.StatusCode}: "
                    + $"another secret, or clocks that differ by more than {Options.RequestAge.TotalMinutes:N0} min.");
            }
            var answer = response.Headers.TryGetValues(RequestSignature.AnswerHeader, out var values) ? values.FirstOrDefault() : null;
            if (!signature.VerifyAnswer(source.Secret, answer))
                throw new ClusterException($"{source.Server} answers for '{source.Scope}' without holding its secret: it is not the process that it says it is.");
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _peers.Dispose();
    }

    private static async ValueTask<Stream> ConnectPeerAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, SendBufferSize = PeerBuffer };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>Who serves blocks, and with which secret they are asked for.</summary>
/// <param name="Server">Base address of the process.</param>
/// <param name="Scope">The application.</param>
/// <param name="Secret">Its secret.</param>
internal sealed record BlockSource(Uri Server, string Scope, ClusterToken Secret);
