using System.Security.Cryptography;
using System.Text;

namespace Dataflow.Cluster;

/// <summary>
/// A secret that both ends of a link hold: the cluster's token, or the secret of one application. It never travels and is never printed;
/// what travels are proofs that were made with it.
/// </summary>
internal sealed class ClusterToken
{
    /// <summary>The environment variable that holds the cluster's token.</summary>
    public const string Variable = "DATAFLOW_TOKEN";

    private const int LeastLength = 16;
    private const string HowToMake = "make one with: openssl rand -hex 32";

    private readonly byte[] _key;

    private ClusterToken(byte[] key, bool isOpen = false)
    {
        _key = key;
        IsOpen = isOpen;
    }

    /// <summary>No secret: anyone who reaches the port may speak. Only for loopback.</summary>
    public static ClusterToken Open { get; } = new(SHA256.HashData("open"u8), isOpen: true);

    /// <summary>Whether it is <see cref="Open"/>, which proves nothing.</summary>
    public bool IsOpen { get; }

    /// <summary>The token of a text. White space around it does not count.</summary>
    /// <exception cref="ClusterException">It is too short to be a secret.</exception>
    public static ClusterToken Parse(string text) => Parse(text, "The token that was given");

    /// <summary>The token in a file.</summary>
    /// <exception cref="ClusterException">The file can't be read, or holds no secret.</exception>
    public static ClusterToken FromFile(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path), $"The token in {path}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ClusterException($"The token file {path} could not be read: {error.Message}\n  next: give a file that this user can read; {HowToMake}.", error);
        }
    }

    /// <summary>The token in <see cref="Variable"/>, or null if it is not set.</summary>
    /// <exception cref="ClusterException">It is too short to be a secret.</exception>
    public static ClusterToken? FromEnvironment() =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } text ? Parse(text, $"The token in {Variable}") : null;

    /// <summary>A new secret.</summary>
    public static ClusterToken Create() => new(RandomNumberGenerator.GetBytes(32));

    /// <summary>A secret from its bytes: what <see cref="Export"/> gave.</summary>
    public static ClusterToken Import(ReadOnlySpan<byte> bytes) => bytes.Length == 32
        ? new ClusterToken(bytes.ToArray())
        : throw new ClusterException($"A secret has 32 bytes, and this one has {bytes.Length}. This is a bug of Dataflow: please report it.");

    /// <summary>Its bytes, to be sealed or handed to a child process.</summary>
    public byte[] Export() => [.. _key];

    /// <summary>A keyed hash (HMAC-SHA256) of parts; the length of each is part of what is hashed, so that no two lists of parts agree.</summary>
    /// <param name="purpose">What the proof is for: one made for another purpose is of no use.</param>
    /// <param name="parts">What is proved.</param>
    public byte[] Prove(string purpose, params ReadOnlySpan<byte[]> parts)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        Append(hash, Encoding.UTF8.GetBytes(purpose));
        foreach (var part in parts) Append(hash, part);
        return hash.GetHashAndReset();
    }

    /// <summary>Whether a proof was made with this secret. Takes the same time for every wrong one.</summary>
    public bool Verify(ReadOnlySpan<byte> proof, string purpose, params ReadOnlySpan<byte[]> parts) =>
        CryptographicOperations.FixedTimeEquals(proof, Prove(purpose, parts));

    /// <summary>Never the secret.</summary>
    public override string ToString() => IsOpen ? "no token" : "a token";

    private static ClusterToken Parse(string text, string which)
    {
        var trimmed = text.Trim();
        return trimmed.Length >= LeastLength
            ? new ClusterToken(SHA256.HashData(Encoding.UTF8.GetBytes(trimmed)))
            : throw new ClusterException($"{which} has {trimmed.Length} characters; a secret has at least {LeastLength}.\n  next: {HowToMake}.");
    }

    private static void Append(IncrementalHash hash, byte[] part)
    {
        Span<byte> length = stackalloc byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(length, part.Length);
        hash.AppendData(length);
        hash.AppendData(part);
    }
}
