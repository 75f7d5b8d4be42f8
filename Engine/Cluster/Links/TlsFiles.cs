using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Dataflow.Cluster;

/// <summary>
/// TLS between all processes of a cluster: links and blocks. Every process shows the certificate of its machine and trusts the same authority. Use it with a
/// token, which says who may join; TLS keeps others from reading along, at about half the throughput of plain links.
/// </summary>
/// <param name="Certificate">A PEM file with the certificate of this machine and its private key. It must name the addresses that others dial. Null for who only asks
/// (<see cref="ClusterClient"/>): all others are dialled themselves.</param>
public sealed record TlsFiles(string? Certificate)
{
    internal const string CertificateVariable = "DATAFLOW_TLS_CERTIFICATE";
    internal const string AuthorityVariable = "DATAFLOW_TLS_AUTHORITY";
    internal const string MutualVariable = "DATAFLOW_TLS_MUTUAL";

    /// <summary>A PEM file with the certificates that those of others must chain to; null for those that the system trusts.</summary>
    public string? Authority { get; init; }

    /// <summary>Whether who dials must show a certificate too.</summary>
    public bool Mutual { get; init; }

    /// <summary>What the variables <c>DATAFLOW_TLS_CERTIFICATE</c>, <c>DATAFLOW_TLS_AUTHORITY</c> and <c>DATAFLOW_TLS_MUTUAL</c> say; null if none is set.</summary>
    public static TlsFiles? FromEnvironment()
    {
        var files = new TlsFiles(Read(CertificateVariable)) { Authority = Read(AuthorityVariable), Mutual = Environment.GetEnvironmentVariable(MutualVariable) is "1" or "true" };
        return files.Certificate is null && files.Authority is null && !files.Mutual ? null : files;

        static string? Read(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } path ? path : null;
    }

    /// <summary>The variables by which a process that is started learns of the same files.</summary>
    internal IEnumerable<KeyValuePair<string, string?>> Variables =>
    [
        new(CertificateVariable, Certificate is null ? null : Path.GetFullPath(Certificate)),
        new(AuthorityVariable, Authority is null ? null : Path.GetFullPath(Authority)),
        new(MutualVariable, Mutual ? "true" : null),
    ];

    /// <summary>An address as it is dialled with TLS.</summary>
    internal static Uri Secured(Uri url) => url.Scheme == "http" ? new UriBuilder(url) { Scheme = "https" }.Uri : url;

    /// <summary>For a process that others dial.</summary>
    /// <param name="files">What it was given, or the environment says; null for no TLS.</param>
    /// <param name="who">Who it is, for people.</param>
    /// <param name="dials">Whom it dials; null for nobody.</param>
    /// <exception cref="ClusterException">It was given no certificate, though TLS is wanted; or a file can't be read, or is none of the kind.</exception>
    internal static TlsOptions? LoadToListen(TlsFiles? files, string who, Uri? dials = null)
    {
        if (files is null && dials?.Scheme != "https") return null;
        if (files?.Certificate is not null) return files.Load();
        var wanted = files is null ? $"by {dials}" : files.Mutual ? "with certificates of both ends (--tls-mutual)" : "with an authority (--tls-authority)";
        throw new ClusterException(
            $"TLS was asked for, {wanted}, and {who} has no certificate to show to those who dial it.\n"
            + $"  next: give a PEM file with a certificate of this machine and its private key: --tls-certificate FILE, {CertificateVariable}, or {nameof(TlsFiles)} in the options.");
    }

    /// <exception cref="ClusterException">A file can't be read, or is none of the kind; or certificates of both ends are wanted, and there is none here.</exception>
    internal TlsOptions Load()
    {
        if (Mutual && Certificate is null)
        {
            throw new ClusterException(
                $"TLS with certificates of both ends was asked for (--tls-mutual), and there is none of this machine.\n  next: give a PEM file with a certificate and its private key: --tls-certificate FILE, or {CertificateVariable}.");
        }
        var file = Certificate ?? "";
        try
        {
            using var pem = Certificate is null ? null : X509Certificate2.CreateFromPemFile(Certificate);

            // With its key in a form that every system's TLS takes.
            var certificate = pem is null ? null : X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
            var trusted = new X509Certificate2Collection();
            if (Authority is not null)
            {
                file = Authority;
                trusted.ImportFromPemFile(Authority);
                if (trusted.Count == 0) throw new CryptographicException("it holds no certificate");
            }
            return new TlsOptions { Certificate = certificate, Trusted = trusted, Mutual = Mutual };
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ClusterException(
                $"TLS can't be used with '{Path.GetFullPath(file)}': {error.Message}\n  next: give a PEM file, the first with a certificate and its private key.", error);
        }
    }
}
