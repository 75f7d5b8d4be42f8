using System.Net.Http;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Dataflow.Cluster;

/// <summary>Says why a link could not be made, and what to do: what the system says of it is often in the innermost of several errors.</summary>
internal static class LinkErrors
{
    /// <summary>Makes one error of what happened.</summary>
    /// <param name="server">Who was dialled.</param>
    /// <param name="error">What came of it.</param>
    /// <param name="distrust">What was wrong with the certificate that it showed.</param>
    public static ClusterException Explain(Uri server, Exception error, SslPolicyErrors distrust)
    {
        var inner = error;
        var (isTls, isRefused, hasEnded) = (false, false, false);
        for (var each = error; each is not null; each = each.InnerException)
        {
            inner = each;
            isTls |= each is AuthenticationException;
            isRefused |= each is SocketException;
            hasEnded |= each is HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded } or HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded };
        }
        var cause = error == inner ? error.Message : $"{error.Message} {inner.Message}";
        var name = distrust.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch);
        var (what, next) = distrust != SslPolicyErrors.None ? (
                name ? $"its certificate does not name '{server.Host}'" : "its certificate is not trusted",
                name ? "dial it by a name or address of its certificate" : "give the certificate of the authority that signed it: --tls-authority FILE, or TlsFiles.Authority")
            : isTls ? ("it does not speak TLS, or not with this process", "give both ends the same --tls options, or neither any")
            : hasEnded && server.Scheme == "http" ? ("it ended the link without an answer; it may speak TLS", "check that a process of Dataflow listens there; if it speaks TLS, give --tls-authority FILE, and what listens itself --tls-certificate FILE")
            : hasEnded && !isRefused ? ("it ended the link without an answer; it may want a certificate of this process", "check that a process of Dataflow listens there, and give --tls-certificate FILE if it was started with --tls-mutual")
            : ((string?)null, "check that a process of Dataflow listens there");
        return new ClusterException($"No link to {server} could be made: {(what is null ? "" : $"{what}. ")}{cause}\n  next: {next}.", error) { IsRefusal = isTls };
    }
}
