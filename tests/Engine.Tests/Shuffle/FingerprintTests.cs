using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dataflow.Shuffle;

namespace Dataflow.Engine.Tests.Shuffle;

/// <summary>What a row adds to the checksum of its map output.</summary>
public sealed class FingerprintTests
{
    [Fact]
    public void Every_bit_of_a_value_without_references_counts()
    {
        EveryBitCounts<byte>();
        EveryBitCounts<short>();
        EveryBitCounts<Bytes3>();
        EveryBitCounts<int>();
        EveryBitCounts<Bytes7>();
        EveryBitCounts<double>();
        EveryBitCounts<DateTime>();
        EveryBitCounts<Bytes9>();
        EveryBitCounts<decimal>();
        EveryBitCounts<Guid>();
        EveryBitCounts<(long, long, long)>();
        EveryBitCounts<(long, double, long, int, int)>();
        EveryBitCounts<Bytes31>();
        EveryBitCounts<Bytes100>();
    }

    [Fact]
    public void Values_that_change_places_or_keep_their_sum_are_noticed()
    {
        Assert.NotEqual(Sum((1, 10L), (2, 20L)), Sum((1, 20L), (2, 10L)));
        Assert.NotEqual(Sum((1, 10L), (1, 20L)), Sum((1, 15L), (1, 15L)));
        Assert.NotEqual(Sum((1, 1L), (2, 2L)), Sum((1, 2L), (2, 1L)));
        Assert.NotEqual(Sum((1, (1L, 2L)), (2, (3L, 4L))), Sum((1, (3L, 2L)), (2, (1L, 4L))));
        Assert.NotEqual(Sum((1, (1L, 2L, 3L)), (2, (4L, 5L, 6L))), Sum((1, (1L, 2L, 6L)), (2, (4L, 5L, 3L))));
        Assert.NotEqual(Sum((1, 0L)), Sum((1, 0L), (1, 0L)));
        Assert.Equal(Sum((1, 10L), (2, 20L), (3, 30L)), Sum((3, 30L), (1, 10L), (2, 20L)));
    }

    [Fact]
    public void What_lies_between_the_fields_of_a_value_does_not_count()
    {
        Garbage<(byte, long)>(0, value => (7, value.Item2 = 8));
        Garbage<int?>(1, _ => null);
        Garbage<int?>(1, _ => 5);
        Assert.NotEqual(Of<int?>(null), Of<int?>(0));
        Assert.NotEqual(Of<(byte, long)>((1, 2)), Of<(byte, long)>((2, 2)));
        Assert.NotEqual(Of<(byte, long)>((1, 2)), Of<(byte, long)>((1, 3)));
    }

    [Fact]
    public void Of_values_with_references_only_the_key_counts()
    {
        Assert.Equal(Of("a"), Of("b"));
        Assert.Equal(Of(("a", 1)), Of(("a", 2)));
        var text = "a";
        Assert.NotEqual(Fingerprint<string>.Of(1, in text), Fingerprint<string>.Of(2, in text));
    }

    [Fact]
    public unsafe void Values_of_any_kind_are_taken()
    {
        // Neither bytes nor a hash say anything of these.
        Of(new WithPointer { At = null });
        Of(new OwnEquals(1, 2));
        Of(new Empty());
        Of((1, default(CancellationToken?)));
    }

    private static ulong Of<T>(T value) => Fingerprint<T>.Of(12345, in value);

    private static ulong Sum<T>(params (uint Key, T Value)[] rows)
    {
        var sum = 0UL;
        foreach (ref var row in rows.AsSpan()) sum += Fingerprint<T>.Of(row.Key, in row.Value);
        return sum;
    }

    private static void EveryBitCounts<T>()
    {
        var value = default(T)!;
        var bytes = BytesOf(ref value);
        new Random(bytes.Length).NextBytes(bytes);
        var seen = new HashSet<ulong> { Of(value) };
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(seen.Add(Of(value)), $"bit {bit} of {typeof(T)}");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    private static void Garbage<T>(int seed, Func<T, T> set)
    {
        var (clean, dirty) = (default(T)!, default(T)!);
        new Random(seed).NextBytes(BytesOf(ref dirty));
        Assert.Equal(Of(set(clean)), Of(set(dirty)));
    }

    private static Span<byte> BytesOf<T>(ref T value) => MemoryMarshal.CreateSpan(ref Unsafe.As<T, byte>(ref value), Unsafe.SizeOf<T>());

    [InlineArray(3)]
    private struct Bytes3
    {
        public byte First;
    }

    [InlineArray(7)]
    private struct Bytes7
    {
        public byte First;
    }

    [InlineArray(9)]
    private struct Bytes9
    {
        public byte First;
    }

    [InlineArray(31)]
    private struct Bytes31
    {
        public byte First;
    }

    [InlineArray(100)]
    private struct Bytes100
    {
        public byte First;
    }

    private unsafe struct WithPointer
    {
        public int* At;
    }

    private struct Empty;

    private readonly struct OwnEquals(byte first, long second)
    {
        public readonly (byte, long) Value = (first, second);

        public override bool Equals(object? other) => false;

        public override int GetHashCode() => 0;
    }
}
