using System.Net;
using Dataflow.Cluster;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>Requests for blocks that nobody of ours makes are refused, and the next good one is answered.</summary>
public sealed class BulkRequestTests
{
    private const string Application = "app";

    private static readonly ClusterToken Secret = ClusterToken.Create();
    private static readonly BlockName Name = BlockName.Binary(7);

    [Theory]
    [InlineData("GET", "/blocks", HttpStatusCode.NotFound)]
    [InlineData("PUT", "/blocks", HttpStatusCode.NotFound)]
    [InlineData("DELETE", "/blocks", HttpStatusCode.NotFound)]
    [InlineData("POST", "/binary/7", HttpStatusCode.NotFound)]
    [InlineData("PATCH", "/binary/7", HttpStatusCode.NotFound)]
    [InlineData("GET", "/", HttpStatusCode.NotFound)]
    [InlineData("POST", "/blocks/", HttpStatusCode.NotFound)]
    [InlineData("POST", "/BLOCKS", HttpStatusCode.NotFound)]
    [InlineData("GET", "/binary/%2e%2e%2fetc", HttpStatusCode.NotFound)]
    [InlineData("GET", "/no-such-kind/1", HttpStatusCode.NotFound)]
    [InlineData("GET", "/control", HttpStatusCode.BadRequest)]
    [InlineData("POST", "/control", HttpStatusCode.BadRequest)]
    public async Task A_wrong_method_or_path_is_refused_whoever_asks(string method, string path, HttpStatusCode status)
    {
        await using var node = await StartAsync();
        using var http = new HttpClient();
        foreach (var isSigned in (bool[])[false, true])
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(node.Server.Url, path)) { Content = new ByteArrayContent("binary/7\n"u8.ToArray()) };
            if (isSigned) request.Headers.TryAddWithoutValidation("Authorization", Signed(Application, Secret, method, path, "binary/7\n"u8));
            using var response = await http.SendAsync(request).WaitAsync(TestNode.Patience);
            Assert.Equal(status, response.StatusCode);
            Assert.Empty(await response.Content.ReadAsByteArrayAsync());
        }
        await AssertServesAsync(node);
    }

    [Theory]
    [InlineData("POST", "/blocks")]
    [InlineData("GET", "/binary/7")]
    [InlineData("DELETE", "/binary/7")]
    public async Task Nothing_is_given_or_dropped_without_the_secret(string method, string path)
    {
        await using var node = await StartAsync();
        using var http = new HttpClient();
        ReadOnlyMemory<byte> body = method == "POST" ? "binary/7\n"u8.ToArray() : [];
        foreach (var authorization in (string?[])
            [
                null, "", "Bearer abc", new string('x', 5000), Signed(Application, ClusterToken.Create(), method, path, body.Span), Signed("another", Secret, method, path, body.Span),
                Signed(Application, ClusterToken.Open, method, path, body.Span),
            ])
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(node.Server.Url, path));
            if (method == "POST") request.Content = new ReadOnlyMemoryContent(body);
            if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
            using var response = await http.SendAsync(request).WaitAsync(TestNode.Patience);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Empty(await response.Content.ReadAsByteArrayAsync());
        }
        await AssertServesAsync(node);
    }

    private static string Signed(string scope, ClusterToken secret, string method, string path, ReadOnlySpan<byte> body) =>
        RequestSignature.Create(secret, scope, ReplayGuard.NewClient(), 1, DateTimeOffset.UtcNow, method, path, body).ToString();

    private static async Task<TestNode> StartAsync()
    {
        var node = await TestNode.StartAsync();
        var blocks = new TestBlocks();
        blocks.Add(Name, [1, 2, 3]);
        node.Server.Admit(Application, Secret, blocks);
        return node;
    }

    private static async Task AssertServesAsync(TestNode node)
    {
        using var received = new MemoryStream();
        Assert.Null(await BlockDownload.ToStreamAsync(node.Client, new BlockSource(node.Server.Url, Application, Secret), Name, received).WaitAsync(TestNode.Patience));
        Assert.Equal([1, 2, 3], received.ToArray());
    }
}
