using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dataflow.TestKit;

namespace Dataflow.Cluster.Tests;

/// <summary>A cluster whose links and blocks go through TLS, with certificates asked of both ends.</summary>
public sealed class TlsTests
{
    private const string Token = "a token that is long enough";

    [Fact]
    public async Task Jobs_run_through_mutual_tls_and_who_shows_no_certificate_stays_outside()
    {
        using var folder = new TempDirectory();
        var (certificate, authority) = Write(folder.Path);
        var options = new ClusterOptions { Token = Token, Tls = new TlsFiles(certificate) { Authority = authority, Mutual = true } };
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0", options);
        Assert.Equal("https", context.Cluster.Url.Scheme);

        using (var stranger = new WorkerProcess(context.Cluster.Url.ToString(), token: Token, more: ["--reconnect-for", "1"])) Assert.Equal(1, await stranger.ExitAsync());

        string[] tls = ["--tls-certificate", certificate, "--tls-authority", authority, "--tls-mutual"];
        using var one = new WorkerProcess(context.Cluster.Url.ToString(), token: Token, more: tls);
        await context.Cluster.WaitForWorkersAsync(1, TimeSpan.FromMinutes(1));
        var pairs = context.Range(0, 1000, partitions: 4).Map(i => (i % 10, i)).ReduceByKey((a, b) => a + b, partitions: 4);
        var expected = pairs.Collect().Order().ToArray();
        var served = one.MapFiles().Select(Path.GetFileName).ToArray();
        Assert.Equal(4, served.Length);

        using var two = new WorkerProcess(context.Cluster.Url.ToString(), token: Token, more: tls);
        await context.Cluster.WaitForWorkersAsync(2, TimeSpan.FromMinutes(1));
        var large = context.Broadcast(new byte[3 << 20]);
        Assert.Equal(
            4950 + (100 * (3 << 20)),
            context.Range(0, 100, partitions: 4).Map(i => (i % 10, i + large.Value.Length)).ReduceByKey((a, b) => a + b, partitions: 4).Values().Sum());

        // Executors dial each other: a sum of vectors, and what the other one keeps.
        var sums = context.Range(0, 2, partitions: 2).Barrier().MapPartitions((task, _) =>
        {
            var vector = new double[] { task.TaskIndex + 1, Environment.ProcessId };
            task.Collectives.AllReduce<double>(vector);
            return (IEnumerable<(double Tasks, int Process, double Processes)>)[(vector[0], Environment.ProcessId, vector[1])];
        }).Collect();
        Assert.Equal(2, sums.DistinctBy(each => each.Process).Count());
        Assert.All(sums, each => Assert.Equal((3.0, sums.Sum(other => (double)other.Process)), (each.Tasks, each.Processes)));

        // One worker takes over what the other one serves.
        one.Terminate();
        Assert.Equal(0, await one.ExitAsync());
        Assert.Subset(two.MapFiles().Select(Path.GetFileName).ToHashSet(), served.ToHashSet());
        Assert.Equal(expected, pairs.Collect().Order());
    }

    [Fact]
    public async Task Files_that_are_no_certificates_are_named()
    {
        using var folder = new TempDirectory();
        var file = Path.Combine(folder.Path, "none.pem");
        File.WriteAllText(file, "no certificate");
        var error = await Assert.ThrowsAsync<ClusterException>(() => DataflowContext.ListenAsync("http://127.0.0.1:0", new ClusterOptions { Tls = new TlsFiles(file) }));
        Assert.Contains(file, error.Message);
    }

    /// <summary>A certificate for 127.0.0.1 with its key, and the authority that signed it.</summary>
    private static (string Certificate, string Authority) Write(string folder)
    {
        var (from, to) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var rootRequest = new CertificateRequest("CN=authority", rootKey, HashAlgorithmName.SHA256);
        rootRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var root = rootRequest.CreateSelfSigned(from, to);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=node", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var node = request.Create(root, from, to, [1, 2, 3, 4]);
        var (certificate, authority) = (Path.Combine(folder, "node.pem"), Path.Combine(folder, "authority.pem"));
        File.WriteAllText(certificate, $"{node.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
        File.WriteAllText(authority, root.ExportCertificatePem());
        return (certificate, authority);
    }
}
