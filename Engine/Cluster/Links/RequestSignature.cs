using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Dataflow.Cluster;

/// <summary>
/// The header that proves that a request for blocks comes from a holder of the scope's secret: <c>Dataflow SCOPE MILLISECONDS CLIENT
/// NUMBER BODYHASH PROOF</c>. The proof covers method, path, time, number and the hash of the body, so it serves for nothing else; the number is
/// accepted once. Being in the header, the hash lets a server refuse strangers before it reads what they send.
/// </summary>
internal readonly record struct RequestSignature(string Scope, long Milliseconds, string Client, long Number, byte[] Proof)
{
    /// <summary>The header of the server's own proof, over the client's.</summary>
    public const string AnswerHeader = "Dataflow-Proof";

    private const string Scheme = "Dataflow";

    /// <summary>SHA-256 of the body that it was made for.</summary>
    public byte[] BodyHash { get; init; } = [];

    public static RequestSignature Create(
        ClusterToken secret, string scope, string client, long number, DateTimeOffset now, string method, string path, ReadOnlySpan<byte> body)
    {
        var milliseconds = now.ToUnixTimeMilliseconds();
        var hash = SHA256.HashData(body);
        return new(scope, milliseconds, client, number, secret.Prove("request", Parts(scope, milliseconds, client, number, method, path, hash))) { BodyHash = hash };
    }

    /// <summary>Whether the secret made it for this request, if its body is <see cref="IsFor"/> the one that it names.</summary>
    public bool Verify(ClusterToken secret, string method, string path) =>
        secret.Verify(Proof, "request", Parts(Scope, Milliseconds, Client, Number, method, path, BodyHash));

    /// <summary>Whether this is the body that it was made for.</summary>
    public bool IsFor(ReadOnlySpan<byte> body) => BodyHash.AsSpan().SequenceEqual(SHA256.HashData(body));

    /// <summary>What the server answers to show that it holds the secret too.</summary>
    public string Answer(ClusterToken secret) => Convert.ToBase64String(secret.Prove("answer", Proof));

    /// <summary>Whether the server holds the secret.</summary>
    public bool VerifyAnswer(ClusterToken secret, string? answer)
    {
        Span<byte> bytes = stackalloc byte[32];
        return answer is not null && Convert.TryFromBase64String(answer, bytes, out var length) && secret.Verify(bytes[..length], "answer", Proof);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Scheme} {Scope} {Milliseconds} {Client} {Number} {Convert.ToBase64String(BodyHash)} {Convert.ToBase64String(Proof)}");

    public static bool TryParse([NotNullWhen(true)] string? header, out RequestSignature signature)
    {
        signature = default;
        if (header is null || header.Length > 512) return false;
        var parts = header.Split(' ');
        if (parts.Length != 7 || parts[0] != Scheme || !ScopeName.IsValid(parts[1])
            || !long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            || milliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            || parts[3].Length != ReplayGuard.ClientLength || !Base64Url.IsValid(parts[3])
            || !long.TryParse(parts[4], NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
        var (hash, proof) = (new byte[32], new byte[32]);
        if (!Convert.TryFromBase64String(parts[5], hash, out var length) || length != hash.Length
            || !Convert.TryFromBase64String(parts[6], proof, out length) || length != proof.Length) return false;
        signature = new(parts[1], milliseconds, parts[3], number, proof) { BodyHash = hash };
        return true;
    }

    private static byte[][] Parts(string scope, long milliseconds, string client, long number, string method, string path, byte[] hash) =>
    [
        Encoding.UTF8.GetBytes(scope), BitConverter.GetBytes(milliseconds), Encoding.UTF8.GetBytes(client), BitConverter.GetBytes(number),
        Encoding.UTF8.GetBytes(method), Encoding.UTF8.GetBytes(path), hash,
    ];
}

/// <summary>
/// Lets each signed request in once. A client numbers its requests; a sliding window of the last 1,024 numbers tells a late one from one
/// that is sent again. Memory is per client, not per request, and only clients that hold a secret are remembered.
/// </summary>
internal sealed class ReplayGuard(TimeProvider time, TimeSpan age)
{
    /// <summary>Characters of a client's random name (16 bytes in Base64Url).</summary>
    public const int ClientLength = 22;

    private const int WindowBits = 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Scope, string Client), Window> _clients = [];
    private long _nextSweep;

    /// <summary>A random name for a client.</summary>
    public static string NewClient() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));

    /// <summary>Takes a signature whose proof is right.</summary>
    /// <returns>Null if it may pass, or why not.</returns>
    public string? Admit(RequestSignature signature)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var limit = (long)age.TotalMilliseconds;
        if (Math.Abs(now - signature.Milliseconds) > limit)
        {
            var when = now > signature.Milliseconds ? "ago" : "in the future";
            return $"it was made {Math.Abs(now - signature.Milliseconds) / 1000:N0} s {when} by the clocks of the two machines, "
                + $"and {limit / 1000:N0} s are allowed";
        }
        lock (_lock)
        {
            Sweep(now, limit);
            var key = (signature.Scope, signature.Client);
            if (!_clients.TryGetValue(key, out var window)) _clients.Add(key, window = new Window());
            window.LastUse = Math.Max(window.LastUse, Math.Max(now, signature.Milliseconds));
            return window.Take(signature.Number) ? null : "it was sent before";
        }
    }

    // A client that is forgotten could be played again, so it is kept until its last request is too old.
    private void Sweep(long now, long limit)
    {
        if (now < _nextSweep) return;
        _nextSweep = now + limit;
        foreach (var (key, window) in _clients)
        {
            if (now - window.LastUse > limit) _clients.Remove(key);
        }
    }

    private sealed class Window
    {
        private readonly ulong[] _seen = new ulong[WindowBits / 64];
        private long _top = -1;

        public long LastUse { get; set; }

        public bool Take(long number)
        {
            if (number > _top)
            {
                if (number - _top >= WindowBits) Array.Clear(_seen);
                else for (var passed = _top + 1; passed < number; passed++) _seen[Word(passed)] &= ~Bit(passed);
                _seen[Word(number)] |= Bit(number);
                _top = number;
                return true;
            }
            if (number < 0 || _top - number >= WindowBits || (_seen[Word(number)] & Bit(number)) != 0) return false;
            _seen[Word(number)] |= Bit(number);
            return true;
        }

        private static int Word(long number) => (int)(number % WindowBits / 64);

        private static ulong Bit(long number) => 1UL << (int)(number % 64);
    }
}
