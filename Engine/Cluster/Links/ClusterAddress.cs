using System.Net;

namespace Dataflow.Cluster;

/// <summary>Addresses as people write them: <c>http://HOST:PORT</c>, or <c>dataflow://HOST[:PORT]</c> for a standing cluster.</summary>
internal static class ClusterAddress
{
    /// <summary>The port of a standing cluster, where none is written.</summary>
    public const int DefaultPort = 7077;

    /// <summary>The environment variable that holds the address of the cluster that a program runs on.</summary>
    public const string Variable = "DATAFLOW_CLUSTER";

    /// <summary>An address of this machine to listen on.</summary>
    /// <param name="url">Such as <c>http://127.0.0.1:7077</c>; port 0 takes a free one, host 0.0.0.0 all addresses of the machine.</param>
    /// <exception cref="ArgumentException">It is none.</exception>
    public static (IPAddress Address, int Port) ToListen(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var parsed) || parsed.Scheme is not ("http" or "dataflow"))
            throw new ArgumentException($"'{url}' is no address to listen on; write http://HOST:PORT, such as http://127.0.0.1:7077, with port 0 for a free one.", nameof(url));
        var port = parsed.Port < 0 ? DefaultPort : parsed.Port;
        if (parsed.Host == "localhost") return (IPAddress.Loopback, port);
        return IPAddress.TryParse(parsed.Host.Trim('[', ']'), out var address)
            ? (address, port)
            : throw new ArgumentException($"'{url}' names a host; listening takes an address of this machine, or 0.0.0.0 for all of them.", nameof(url));
    }

    /// <summary>The address of a coordinator as it is dialled: with scheme http or https, and a port.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    public static Uri ToJoin(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var parsed) || parsed.Scheme is not ("http" or "https" or "dataflow")
            || parsed.Host.Length == 0 || parsed.PathAndQuery.Trim('/').Length > 0)
            throw new ArgumentException($"'{url}' is no address of a cluster; write dataflow://HOST:PORT, such as dataflow://127.0.0.1:{DefaultPort}.", nameof(url));
        return new UriBuilder(parsed.Scheme == "https" ? "https" : "http", parsed.Host, parsed.Port < 0 ? DefaultPort : parsed.Port).Uri;
    }
}
