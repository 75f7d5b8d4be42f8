using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;

namespace Dataflow.Cluster;

/// <summary>
/// The first four frames of a control link. Each end proves that it holds the scope's secret by a keyed hash over the nonces of both, so
/// that nothing heard on one link is of use on another; then the link speaks messages.
/// </summary>
/// <remarks>
/// <para>Client: magic <c>DFCP</c> (4), version (2), scope's length (1), scope, nonce (32). Server: magic, version, verdict (1), nonce (32).
/// Client: proof (32). Server: verdict (1), proof (32). Numbers are little-endian.</para>
/// <para>The client proves first, so that whoever knows no secret learns nothing that was made with one.</para>
/// </remarks>
internal static class Handshake
{
    /// <summary>Version of the control protocol. Both ends must have the same.</summary>
    public const ushort Version = 4;

    private const uint Magic = 0x50434644;
    private const int NonceLength = 32;
    private const int ProofLength = 32;
    private const int Longest = 256;

    private enum Verdict : byte
    {
        Welcome = 0,
        OtherVersion = 1,
        Refused = 2,
    }

    /// <summary>The server's side. Answers a client that is refused before it throws.</summary>
    /// <param name="secretOf">The secret of a scope, or null if there is no such scope.</param>
    /// <returns>The client's scope, and the seal of the link.</returns>
    /// <exception cref="ClusterException">The client speaks another version, or does not hold the secret.</exception>
    public static async Task<(string Scope, LinkSeal Seal)> AcceptAsync(WebSocket socket, Func<string, ClusterToken?> secretOf, CancellationToken cancellation)
    {
        var hello = await ReceiveAsync(socket, cancellation).ConfigureAwait(false);
        if (hello.Length < 7 || BinaryPrimitives.ReadUInt32LittleEndian(hello) != Magic)
            throw new ClusterException($"it began with {hello.Length} bytes that are no greeting of this protocol");
        var version = BinaryPrimitives.ReadUInt16LittleEndian(hello.AsSpan(4));
        var nonce = RandomNumberGenerator.GetBytes(NonceLength);
        if (version != Version)
        {
            await SendAsync(socket, Challenge(Verdict.OtherVersion, nonce), cancellation).ConfigureAwait(false);
            throw new ClusterException($"it speaks version {version} of the control protocol, and this process version {Version}");
        }
        var scopeLength = hello[6];
        if (hello.Length != 7 + scopeLength + NonceLength || !ScopeName.IsValid(Encoding.Latin1.GetString(hello, 7, scopeLength)))
            throw new ClusterException("its greeting is malformed");
        var scope = Encoding.Latin1.GetString(hello, 7, scopeLength);
        var theirs = hello[^NonceLength..];

        await SendAsync(socket, Challenge(Verdict.Welcome, nonce), cancellation).ConfigureAwait(false);
        var proof = await ReceiveAsync(socket, cancellation).ConfigureAwait(false);

        // An unknown scope is told apart from a wrong secret by nobody outside: both go through the same work.
        var secret = secretOf(scope);
        var right = (secret ?? ClusterToken.Open).Verify(proof, "client", hello, nonce);
        if (secret is null || !right)
        {
            await SendAsync(socket, Answer(Verdict.Refused, new byte[ProofLength]), cancellation).ConfigureAwait(false);
            throw new ClusterException(secret is null ? $"it asked for '{scope}', which is not known here" : $"it does not hold the token of '{scope}'");
        }
        await SendAsync(socket, Answer(Verdict.Welcome, secret.Prove("server", hello, nonce)), cancellation).ConfigureAwait(false);
        return (scope, new LinkSeal(secret.Prove("seal", theirs, nonce)));
    }

    /// <summary>The client's side.</summary>
    /// <returns>The seal of the link.</returns>
    /// <exception cref="ClusterException">The server speaks another version, refuses, or does not hold the secret itself.</exception>
    public static async Task<LinkSeal> ConnectAsync(WebSocket socket, Uri server, string scope, ClusterToken secret, CancellationToken cancellation)
    {
        var hello = new byte[7 + scope.Length + NonceLength];
        BinaryPrimitives.WriteUInt32LittleEndian(hello, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(hello.AsSpan(4), Version);
        hello[6] = (byte)scope.Length;
        Encoding.Latin1.GetBytes(scope, hello.AsSpan(7));
        RandomNumberGenerator.Fill(hello.AsSpan(7 + scope.Length));
        await SendAsync(socket, hello, cancellation).ConfigureAwait(false);

        var challenge = await ReceiveAsync(socket, cancellation).ConfigureAwait(false);
        if (challenge.Length != 7 + NonceLength || BinaryPrimitives.ReadUInt32LittleEndian(challenge) != Magic)
            throw new ClusterException($"{server} is no process of Dataflow, or one of another version.\n  next: check address and port.") { IsRefusal = true };
        var version = BinaryPrimitives.ReadUInt16LittleEndian(challenge.AsSpan(4));
        if (version != Version || challenge[6] == (byte)Verdict.OtherVersion)
        {
            throw new ClusterException(
                $"{server} speaks version {version} of the control protocol, and this process version {Version}.\n  next: run the same version of Dataflow at both ends.") { IsRefusal = true };
        }
        var nonce = challenge[^NonceLength..];
        await SendAsync(socket, secret.Prove("client", hello, nonce), cancellation).ConfigureAwait(false);

        var answer = await ReceiveAsync(socket, cancellation).ConfigureAwait(false);
        if (answer.Length != 1 + ProofLength || answer[0] != (byte)Verdict.Welcome)
        {
            throw new ClusterException(
                $"{server} refused this process: {(secret.IsOpen ? "it was given no token" : "its token is not the right one")}{(scope == ScopeName.Cluster ? "" : $", or '{scope}' is not known there")}.\n"
                + $"  next: give both ends the same token, in a file or in {ClusterToken.Variable}.") { IsRefusal = true };
        }
        if (!secret.Verify(answer.AsSpan(1), "server", hello, nonce))
            throw new ClusterException($"{server} does not hold the token itself: it is not the process that it says it is. Nothing was sent to it.") { IsRefusal = true };
        return new LinkSeal(secret.Prove("seal", hello[^NonceLength..], nonce));
    }

    private static byte[] Challenge(Verdict verdict, byte[] nonce)
    {
        var challenge = new byte[7 + NonceLength];
        BinaryPrimitives.WriteUInt32LittleEndian(challenge, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(challenge.AsSpan(4), Version);
        challenge[6] = (byte)verdict;
        nonce.CopyTo(challenge, 7);
        return challenge;
    }

    private static byte[] Answer(Verdict verdict, byte[] proof) => [(byte)verdict, .. proof];

    private static ValueTask SendAsync(WebSocket socket, byte[] frame, CancellationToken cancellation) =>
        socket.SendAsync(frame.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, cancellation);

    private static async Task<byte[]> ReceiveAsync(WebSocket socket, CancellationToken cancellation)
    {
        var buffer = new byte[Longest];
        var length = 0;
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(length), cancellation).ConfigureAwait(false);
            if (part.MessageType != WebSocketMessageType.Binary) throw new ClusterException("it ended the link during the handshake");
            length += part.Count;
            if (part.EndOfMessage) return buffer[..length];
            if (length == buffer.Length) throw new ClusterException($"it sent more than {Longest} bytes during the handshake");
        }
    }
}

/// <summary>Who a link or request speaks for: <see cref="Cluster"/>, or one application.</summary>
internal static class ScopeName
{
    /// <summary>The scope of the cluster's own token.</summary>
    public const string Cluster = "cluster";

    public const int MaxLength = 64;

    /// <summary>1 to 64 lower-case letters, digits and hyphens.</summary>
    public static bool IsValid(string scope) =>
        scope.Length is > 0 and <= MaxLength && !scope.AsSpan().ContainsAnyExcept("abcdefghijklmnopqrstuvwxyz0123456789-");

    public static void Check(string scope)
    {
        if (!IsValid(scope)) throw new ArgumentException($"'{scope}' is no name of an application: 1 to {MaxLength} lower-case letters, digits and hyphens.", nameof(scope));
    }
}
