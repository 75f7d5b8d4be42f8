using System.Buffers.Binary;
using System.Numerics;

namespace Dataflow.Sql.Builtins;

/// <summary>SHA-224 (FIPS 180-4, section 6.3): SHA-256 from other first values, cut to 224 bits. The platform has no own.</summary>
internal static class Sha224
{
    // The first 32 bits of the fractions of the cube roots of the first 64 primes (section 4.2.2).
    private static readonly uint[] Constants = MakeConstants();

    public static byte[] Of(ReadOnlySpan<byte> bytes)
    {
        Span<uint> state = [0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4];
        var padded = new byte[(bytes.Length + 9 + 63) / 64 * 64];
        bytes.CopyTo(padded);
        padded[bytes.Length] = 0x80;
        BinaryPrimitives.WriteInt64BigEndian(padded.AsSpan(padded.Length - 8), bytes.Length * 8L);
        Span<uint> words = stackalloc uint[64];
        for (var block = 0; block < padded.Length; block += 64) Compress(padded.AsSpan(block, 64), state, words);
        var digest = new byte[28];
        for (var i = 0; i < 7; i++) BinaryPrimitives.WriteUInt32BigEndian(digest.AsSpan(i * 4), state[i]);
        return digest;
    }

    private static void Compress(ReadOnlySpan<byte> block, Span<uint> state, Span<uint> words)
    {
        for (var i = 0; i < 16; i++) words[i] = BinaryPrimitives.ReadUInt32BigEndian(block[(i * 4)..]);
        for (var i = 16; i < 64; i++)
        {
            var s0 = BitOperations.RotateRight(words[i - 15], 7) ^ BitOperations.RotateRight(words[i - 15], 18) ^ (words[i - 15] >> 3);
            var s1 = BitOperations.RotateRight(words[i - 2], 17) ^ BitOperations.RotateRight(words[i - 2], 19) ^ (words[i - 2] >> 10);
            words[i] = words[i - 16] + s0 + words[i - 7] + s1;
        }
        var (a, b, c, d, e, f, g, h) = (state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]);
        for (var i = 0; i < 64; i++)
        {
            var t1 = h + (BitOperations.RotateRight(e, 6) ^ BitOperations.RotateRight(e, 11) ^ BitOperations.RotateRight(e, 25)) + ((e & f) ^ (~e & g)) + Constants[i] + words[i];
            var t2 = (BitOperations.RotateRight(a, 2) ^ BitOperations.RotateRight(a, 13) ^ BitOperations.RotateRight(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e, d, c, b, a) = (g, f, e, d + t1, c, b, a, t1 + t2);
        }
        (state[0], state[1], state[2], state[3]) = (state[0] + a, state[1] + b, state[2] + c, state[3] + d);
        (state[4], state[5], state[6], state[7]) = (state[4] + e, state[5] + f, state[6] + g, state[7] + h);
    }

    private static uint[] MakeConstants()
    {
        var constants = new uint[64];
        var count = 0;
        for (var number = 2; count < 64; number++)
        {
            var isPrime = true;
            for (var divisor = 2; divisor * divisor <= number; divisor++) isPrime &= number % divisor != 0;
            if (!isPrime) continue;
            // floor(cbrt(n) * 2^32) exactly, by search: its cube must not pass n * 2^96.
            BigInteger low = 0, high = BigInteger.One << 35, cube = (BigInteger)number << 96;
            while (high - low > 1)
            {
                var middle = (low + high) >> 1;
                if (middle * middle * middle <= cube) low = middle;
                else high = middle;
            }
            constants[count++] = (uint)(low & uint.MaxValue);
        }
        return constants;
    }
}
