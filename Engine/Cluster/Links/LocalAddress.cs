using System.Net;
using System.Net.Sockets;

namespace Dataflow.Cluster;

/// <summary>The address of this machine that another one sees.</summary>
internal static class LocalAddress
{
    /// <summary>The address from which packets to a process leave, which is where its network can answer: loopback for a process of this machine.</summary>
    /// <param name="other">The other process.</param>
    /// <param name="cancellation">Gives up looking its name up.</param>
    /// <exception cref="ClusterException">Its name is not known, or there is no way to it.</exception>
    public static async Task<IPAddress> TowardAsync(Uri other, CancellationToken cancellation = default)
    {
        try
        {
            var addresses = IPAddress.TryParse(other.Host.Trim('[', ']'), out var literal)
                ? [literal]
                : await Dns.GetHostAddressesAsync(other.Host, cancellation).ConfigureAwait(false);
            if (Array.Find(addresses, IPAddress.IsLoopback) is { } loopback) return loopback;

            // Nothing is sent: connecting a datagram socket only chooses a route.
            using var socket = new Socket(addresses[0].AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            await socket.ConnectAsync(addresses[0], Math.Max(other.Port, 1), cancellation).ConfigureAwait(false);
            return ((IPEndPoint)socket.LocalEndPoint!).Address;
        }
        catch (SocketException error)
        {
            throw new ClusterException($"There is no way from {Environment.MachineName} to {other}: {error.Message}\n  next: check the address and the network.", error);
        }
    }
}
