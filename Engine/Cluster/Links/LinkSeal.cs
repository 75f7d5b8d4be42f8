using System.Security.Cryptography;

namespace Dataflow.Cluster;

/// <summary>Encrypts short secrets for the two ends of one link: AES-256-GCM, 12 random bytes of nonce, 16 of tag.</summary>
internal sealed class LinkSeal(byte[] key)
{
    private const int NonceLength = 12;
    private const int TagLength = 16;

    /// <summary>A seal for a link within one process.</summary>
    public static LinkSeal Create() => new(RandomNumberGenerator.GetBytes(32));

    public byte[] Seal(ReadOnlySpan<byte> secret)
    {
        var result = new byte[NonceLength + TagLength + secret.Length];
        RandomNumberGenerator.Fill(result.AsSpan(0, NonceLength));
        using var cipher = new AesGcm(key, TagLength);
        cipher.Encrypt(result.AsSpan(0, NonceLength), secret, result.AsSpan(NonceLength + TagLength), result.AsSpan(NonceLength, TagLength));
        return result;
    }

    /// <exception cref="ClusterException">It was sealed for another link, or changed.</exception>
    public byte[] Unseal(ReadOnlySpan<byte> text)
    {
        try
        {
            if (text.Length < NonceLength + TagLength) throw new CryptographicException($"it has {text.Length} bytes");
            var secret = new byte[text.Length - NonceLength - TagLength];
            using var cipher = new AesGcm(key, TagLength);
            cipher.Decrypt(text[..NonceLength], text[(NonceLength + TagLength)..], text.Slice(NonceLength, TagLength), secret);
            return secret;
        }
        catch (CryptographicException error)
        {
            throw new ClusterException("A secret that came over a link was not sealed for this link, or was changed on its way.", error);
        }
    }
}
