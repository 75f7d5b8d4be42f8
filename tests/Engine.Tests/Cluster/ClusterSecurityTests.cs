using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dataflow.Cluster;
using Dataflow.Collectives;
using Dataflow.Storage;
using Dataflow.TestKit;
using Microsoft.Extensions.Logging;

namespace Dataflow.Engine.Tests.Cluster;

public sealed class ClusterSecurityTests
{
    private const string Text = "correct horse battery staple";
    private static readonly ClusterToken Token = ClusterToken.Parse(Text);

    [Fact]
    public async Task The_right_token_makes_a_link_that_seals_secrets()
    {
        await using var node = await TestNode.StartAsync(NodeOptions.Default with { Token = Token });
        var (here, _, there, _) = await node.LinkAsync(ClusterToken.Parse($" {Text}\n"));
        var secret = ClusterToken.Create().Export();
        var text = here.Seal(secret);
        Assert.Equal(secret, there.Unseal(text));
        Assert.NotEqual(text, here.Seal(secret));
        Assert.Throws<ClusterException>(() => (text[20] ^= 1, there.Unseal(text)));
        Assert.Throws<ClusterException>(() => there.Unseal([1, 2, 3]));

        var (other, _, _, _) = await node.LinkAsync(Token);
        Assert.Throws<ClusterException>(() => other.Unseal(here.Seal(secret)));
    }

    [Fact]
    public async Task No_token_a_wrong_one_or_an_unknown_scope_is_refused_logged_once_and_without_secrets()
    {
        var log = new Log();
        await using var node = await TestNode.StartAsync(NodeOptions.Default with { Token = Token, Logger = log });
        for (var i = 0; i < 3; i++)
        {
            await Assert.ThrowsAsync<ClusterException>(() => node.Client.ConnectAsync(node.Server.Url, ScopeName.Cluster, ClusterToken.Open));
            await Assert.ThrowsAsync<ClusterException>(() => node.Client.ConnectAsync(node.Server.Url, ScopeName.Cluster, ClusterToken.Parse("another token entirely")));
            var error = await Assert.ThrowsAsync<ClusterException>(() => node.Client.ConnectAsync(node.Server.Url, "no-such-app", Token));
            Assert.Contains("next:", error.Message);
            Assert.DoesNotContain(Text, error.Message);
        }
        Assert.Equal(2, log.Lines.Count);
        Assert.All(log.Lines, line => Assert.DoesNotContain(Text, line));
        Assert.DoesNotContain(Text, $"{Token} {NodeOptions.Default with { Token = Token }}");
        await node.LinkAsync(Token);
    }

    [Fact]
    public async Task A_token_that_the_server_does_not_have_is_refused_too()
    {
        await using var node = await TestNode.StartAsync();
        await Assert.ThrowsAsync<ClusterException>(() => node.Client.ConnectAsync(node.Server.Url, ScopeName.Cluster, Token));
    }

    [Fact]
    public async Task A_recorded_handshake_is_of_no_use_on_another_link()
    {
        await using var node = await TestNode.StartAsync(NodeOptions.Default with { Token = Token });
        var first = new RecordingSocket(await SocketAsync(node));
        await Handshake.ConnectAsync(first, node.Server.Url, ScopeName.Cluster, Token, default);
        Assert.Equal(2, first.Sent.Count);
        first.Dispose();

        using var second = await SocketAsync(node);
        var buffer = new byte[256];
        await second.SendAsync(first.Sent[0].AsMemory(), WebSocketMessageType.Binary, true, default);
        await second.ReceiveAsync(buffer.AsMemory(), default);
        await second.SendAsync(first.Sent[1].AsMemory(), WebSocketMessageType.Binary, true, default);
        var answer = await second.ReceiveAsync(buffer.AsMemory(), default);
        Assert.Equal((33, 2), (answer.Count, buffer[0]));
    }

    [Fact]
    public async Task A_server_that_does_not_hold_the_token_is_found_out()
    {
        // It welcomes everyone.
        await using var node = await TestNode.StartAsync();
        using var socket = new LyingSocket(await SocketAsync(node));
        var error = await Assert.ThrowsAsync<ClusterException>(() => Handshake.ConnectAsync(socket, node.Server.Url, ScopeName.Cluster, Token, default));
        Assert.Contains("does not hold the token itself", error.Message);
    }

    [Fact]
    public async Task Another_version_is_refused_with_both_versions()
    {
        await using var node = await TestNode.StartAsync();
        using var socket = await SocketAsync(node);
        var hello = new byte[7 + 7 + 32];
        "DFCP"u8.CopyTo(hello);
        hello[4] = 77;
        hello[6] = 7;
        await socket.SendAsync(hello.AsMemory(), WebSocketMessageType.Binary, true, default);
        var buffer = new byte[256];
        await socket.ReceiveAsync(buffer.AsMemory(), default);
        Assert.Equal((Handshake.Version, 1), (BitConverter.ToUInt16(buffer, 4), buffer[6]));
    }

    [Fact]
    public async Task A_web_page_does_not_get_through()
    {
        await using var node = await TestNode.StartAsync();
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Origin", "http://evil.example");
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(new UriBuilder(node.Server.Url) { Scheme = "ws", Path = "/control" }.Uri, default));
    }

    [Fact]
    public async Task Listening_to_other_machines_without_a_token_is_refused()
    {
        var error = await Assert.ThrowsAsync<ClusterException>(() => NodeServer.StartAsync(NodeOptions.Default with { Address = IPAddress.Any }, _ => { }));
        Assert.Contains(ClusterToken.Variable, error.Message);
        await using var server = await NodeServer.StartAsync(NodeOptions.Default with { Address = IPAddress.Any, Token = Token, AdvertisedHost = "127.0.0.1" }, _ => { });
        Assert.NotEqual(0, server.Url.Port);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_a_clear_error()
    {
        await using var node = await TestNode.StartAsync();
        var error = await Assert.ThrowsAsync<ClusterException>(() => NodeServer.StartAsync(NodeOptions.Default with { Port = node.Server.Url.Port }, _ => { }));
        Assert.Contains(node.Server.Url.Port.ToString(), error.Message);
    }

    [Fact]
    public void Tokens_come_from_text_or_file_and_short_ones_are_refused()
    {
        using var folder = new TempDirectory();
        var file = Path.Combine(folder.Path, "token");
        File.WriteAllText(file, Text + "\n");
        Assert.True(ClusterToken.FromFile(file).Verify(Token.Prove("x", [1]), "x", [1]));
        Assert.False(Token.Verify(Token.Prove("x", [1]), "y", [1]));
        Assert.False(Token.Verify(Token.Prove("x", [1], [2]), "x", [1, 2]));
        Assert.Throws<ClusterException>(() => ClusterToken.FromFile(file + "2"));
        Assert.DoesNotContain("tooshort", Assert.Throws<ClusterException>(() => ClusterToken.Parse("tooshort")).Message);
        Assert.True(ClusterToken.Import(Token.Export()).Verify(Token.Prove("x"), "x"));
    }

    [Fact]
    public async Task A_signed_request_passes_once_for_its_own_blocks_and_in_time()
    {
        var clock = new ManualTimeProvider();
        await using var node = await TestNode.StartAsync(NodeOptions.Default with { Limits = LinkLimits.Default with { Time = clock } });
        var secret = ClusterToken.Create();
        var blocks = new TestBlocks();
        var (one, other) = (BlockName.Cached(new RddBlockId(1, 1)), BlockName.Cached(new RddBlockId(1, 2)));
        blocks.Add(one, [1]);
        blocks.Add(other, [2]);
        node.Server.Admit("app", secret, blocks);
        node.Server.Admit("another", ClusterToken.Create(), blocks);
        using var http = new HttpClient();
        var body = BlockEndpoint.WriteNames([one]);
        var client = ReplayGuard.NewClient();

        async Task<HttpStatusCode> PostAsync(string? header, byte[] what)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(node.Server.Url, "/blocks")) { Content = new ByteArrayContent(what) };
            if (header is not null) request.Headers.TryAddWithoutValidation("Authorization", header);
            using var response = await http.SendAsync(request);
            return response.StatusCode;
        }
        string Sign(ClusterToken key, string scope, long number, TimeSpan ago = default) =>
            RequestSignature.Create(key, scope, client, number, clock.GetUtcNow() - ago, "POST", "/blocks", body).ToString();

        var good = Sign(secret, "app", 0);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(good, body));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(good, body));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(Sign(secret, "app", 1), BlockEndpoint.WriteNames([other])));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(Sign(secret, "another", 2), body));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(Sign(ClusterToken.Open, "app", 3), body));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(Sign(secret, "app", 4, TimeSpan.FromMinutes(6)), body));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(Sign(secret, "app", 5, TimeSpan.FromMinutes(-6)), body));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(null, body));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync("Dataflow app 1 2 3 4", body));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(Sign(secret, "app", 6), body));

        // Not names, though signed.
        body = "cached/../../etc/passwd\n"u8.ToArray();
        Assert.Equal(HttpStatusCode.BadRequest, await PostAsync(Sign(secret, "app", 7), body));
        node.Server.Expel("app");
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(Sign(secret, "app", 8), body));
    }

    [Fact]
    public void Numbers_pass_once_in_any_near_order()
    {
        var clock = new ManualTimeProvider();
        var guard = new ReplayGuard(clock, TimeSpan.FromMinutes(5));
        var client = ReplayGuard.NewClient();
        var random = new Random(3);
        // Shuffled within the window, each twice.
        var numbers = Enumerable.Range(0, 20_000).OrderBy(number => number + random.Next(500)).ToArray();
        RequestSignature At(long number) => new("app", clock.GetUtcNow().ToUnixTimeMilliseconds(), client, number, []);
        foreach (var number in numbers)
        {
            Assert.Null(guard.Admit(At(number)));
            Assert.NotNull(guard.Admit(At(number)));
        }
        foreach (var number in numbers) Assert.NotNull(guard.Admit(At(number)));
        Assert.Null(guard.Admit(At(long.MaxValue)));
        Assert.NotNull(guard.Admit(At(20_000)));
    }

    [Fact]
    public async Task Tls_carries_links_and_blocks_and_strangers_are_not_trusted()
    {
        using var certificate = Certificate();
        var tls = new TlsOptions { Certificate = certificate, Trusted = [certificate], Mutual = true };
        await using var node = await TestNode.StartAsync(NodeOptions.Default with { Token = Token, Tls = tls });
        var (here, _, _, heardThere) = await node.LinkAsync(Token);
        here.Send(new DropCachedBlocks(4));
        Assert.Equal(4, (await heardThere.NextAsync<DropCachedBlocks>()).Rdd);

        var blocks = new TestBlocks();
        var name = BlockName.Binary(1);
        blocks.Add(name, new byte[2_000_000]);
        node.Server.Admit("app", Token, blocks);
        using var received = new MemoryStream();
        Assert.Null(await BlockDownload.ToStreamAsync(node.Client, new BlockSource(node.Server.Url, "app", Token), name, received));
        Assert.Equal(2_000_000, received.Length);

        using var stranger = Certificate();
        using var client = new NodeClient(NodeOptions.Default with { Tls = tls with { Trusted = [stranger] } });
        await Assert.ThrowsAsync<ClusterException>(() => client.ConnectAsync(node.Server.Url, ScopeName.Cluster, Token));
        using var unknown = new NodeClient(NodeOptions.Default with { Tls = tls with { Certificate = stranger } });
        await Assert.ThrowsAsync<ClusterException>(() => unknown.ConnectAsync(node.Server.Url, ScopeName.Cluster, Token));
    }

    [Fact]
    public async Task Links_between_executors_go_through_tls_and_need_its_certificates()
    {
        const string application = "app-peers";
        using var certificate = Certificate();
        var options = NodeOptions.Default with { Tls = new TlsOptions { Certificate = certificate, Trusted = [certificate], Mutual = true } };
        var secret = ClusterToken.Create();
        using var client = new NodeClient(options);
        await using var server = await NodeServer.StartAsync(options, static link => link.Channel.DisposeAsync());
        Assert.Equal("https", server.Url.Scheme);
        var there = new Exchange();
        using var served = new PeerLinks(client, server.Url, application, secret, there);
        server.Admit(application, secret, null);
        server.AdmitPeers(application, served.ServeAsync);
        using var links = new PeerLinks(client, new Uri("https://127.0.0.1:9"), application, secret, new Exchange());
        var gang = new GangId(3, 1);
        var inbox = there.Open(gang, 1);
        var header = new PeerHeader(gang, From: 0, To: 1, CollectiveCall.AllReduce, Sequence: 0, Part: 0, Length: 3);
        Assert.Null(links.Send(server.Url.ToString(), header, [1, 2, 3], TestNode.Patience, CancellationToken.None));
        Assert.Equal([1, 2, 3], inbox.Take(0, 0, 0, Environment.TickCount64 + (long)TestNode.Patience.TotalMilliseconds, out _)!.Bytes.ToArray());

        // The secret alone is not enough: without TLS, without a certificate, with one of a stranger.
        using var stranger = Certificate();
        foreach (var (other, scheme) in ((NodeOptions, string)[])
        [
            (NodeOptions.Default, "http"), (NodeOptions.Default, "https"), (options with { Tls = options.Tls! with { Certificate = stranger } }, "https"),
            (options with { Tls = options.Tls! with { Trusted = [stranger] } }, "https"),
        ])
        {
            using var outside = new NodeClient(other);
            await Assert.ThrowsAnyAsync<Exception>(() => outside.ConnectPeerAsync(new UriBuilder(server.Url) { Scheme = scheme }.Uri, application, secret).WaitAsync(TestNode.Patience));
        }
        Assert.Null(links.Send(server.Url.ToString(), header with { Sequence = 1 }, [4], TestNode.Patience, CancellationToken.None));
        Assert.Equal([4], inbox.Take(0, 1, 0, Environment.TickCount64 + (long)TestNode.Patience.TotalMilliseconds, out _)!.Bytes.ToArray());
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=dataflow", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private static async Task<ClientWebSocket> SocketAsync(TestNode node)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(node.Server.Url) { Scheme = "ws", Path = "/control" }.Uri, default);
        return socket;
    }

    private abstract class WrappedSocket(WebSocket inner) : WebSocket
    {
        public override WebSocketCloseStatus? CloseStatus => inner.CloseStatus;
        public override string? CloseStatusDescription => inner.CloseStatusDescription;
        public override WebSocketState State => inner.State;
        public override string? SubProtocol => inner.SubProtocol;
        public override void Abort() => inner.Abort();
        public override Task CloseAsync(WebSocketCloseStatus status, string? said, CancellationToken token) => inner.CloseAsync(status, said, token);
        public override Task CloseOutputAsync(WebSocketCloseStatus status, string? said, CancellationToken token) => inner.CloseOutputAsync(status, said, token);
        public override void Dispose() => inner.Dispose();
        public override Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken token) => inner.ReceiveAsync(buffer, token);
        public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType type, bool end, CancellationToken token) => inner.SendAsync(buffer, type, end, token);
    }

    private sealed class RecordingSocket(WebSocket inner) : WrappedSocket(inner)
    {
        public List<byte[]> Sent { get; } = [];

        public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType type, bool end, CancellationToken token)
        {
            Sent.Add([.. buffer]);
            return base.SendAsync(buffer, type, end, token);
        }
    }

    /// <summary>A server that says welcome to every proof, without knowing how to make one.</summary>
    private sealed class LyingSocket(WebSocket inner) : WrappedSocket(inner)
    {
        public override async Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken token)
        {
            var part = await base.ReceiveAsync(buffer, token);
            if (part.Count == 33) buffer.Array![buffer.Offset] = 0;
            return part;
        }
    }

    private sealed class Log : ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        void ILogger.Log<TState>(LogLevel level, EventId id, TState state, Exception? error, Func<TState, Exception?, string> format) => Lines.Enqueue(format(state, error));
    }
}
