using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dataflow.Cluster;

/// <summary>How a process listens, and how it dials others.</summary>
internal sealed record NodeOptions
{
    public static NodeOptions Default { get; } = new();

    /// <summary>The address to listen on. Any but a loopback address needs a <see cref="Token"/>.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The port; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>The host name or address that others dial; null takes <see cref="Address"/>, or the machine's name if that is any address.</summary>
    public string? AdvertisedHost { get; init; }

    /// <summary>The cluster's token; null means none, for loopback only.</summary>
    public ClusterToken? Token { get; init; }

    /// <summary>TLS; null for none.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>What a link may cost.</summary>
    public LinkLimits Limits { get; init; } = LinkLimits.Default;

    /// <summary>A request for blocks is answered if it was made at most so long ago by the clocks of both machines.</summary>
    public TimeSpan RequestAge { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Bytes of a request's body at most: the list of blocks.</summary>
    public int MaxRequestBytes { get; init; } = 16 << 20;

    /// <summary>How long a connection may take to be made.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A server that sends nothing for so long, though it was asked, is unreachable.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Connections for blocks to one server at most.</summary>
    public int MaxConnectionsPerServer { get; init; } = 8;

    /// <summary>Where refusals are told.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>Refuses what would let strangers in.</summary>
    /// <exception cref="ClusterException">It would listen to other machines without a token.</exception>
    public void Check()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Port);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Port, ushort.MaxValue);
        if (!IPAddress.IsLoopback(Address) && (Token is null || Token.IsOpen))
        {
            throw new ClusterException(
                $"Listening on {Address} lets other machines in, and no token was given: anyone who reaches the port could run code here.\n"
                + $"  next: give a token in a file or in {ClusterToken.Variable} (make one with: openssl rand -hex 32), or listen on 127.0.0.1.");
        }
    }
}

/// <summary>TLS of a process: what it shows, and whom it trusts. The same at both ends of a cluster with one certificate authority.</summary>
internal sealed record TlsOptions
{
    /// <summary>The certificate that a server shows, with its private key; a client shows it when it is asked. Null for who only dials.</summary>
    public required X509Certificate2? Certificate { get; init; }

    /// <summary>Certificates that others' must chain to; empty takes those of the system.</summary>
    public X509Certificate2Collection Trusted { get; init; } = [];

    /// <summary>Whether clients must show a certificate too.</summary>
    public bool Mutual { get; init; }

    /// <summary>Whether a certificate of the other end is good.</summary>
    /// <param name="certificate">What it showed.</param>
    /// <param name="errors">What the system found; a chain that ends in <see cref="Trusted"/> mends an unknown authority, nothing else.</param>
    public bool Trusts(X509Certificate? certificate, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None) return true;
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || Trusted.Count == 0 || certificate is not X509Certificate2 shown) return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(Trusted);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(shown);
    }
}
