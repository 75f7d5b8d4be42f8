using Dataflow.Compression;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Compression;

/// <summary>What every block codec must do. Buffers lie against forbidden pages: a stray read or write ends the process.</summary>
public sealed class CompressionCodecTests
{
    private const int Largest = 1 << 21;

    public static TheoryData<string> Names => [.. CompressionCodecs.Available.Select(codec => codec.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Every_small_size_of_every_kind_of_data_comes_back(string name)
    {
        using var buffers = new Buffers();
        foreach (var kind in Sample.Kinds)
        {
            var data = Sample.Of(kind, 300, seed: 7);
            for (var length = 0; length <= 300; length++)
                buffers.RoundTrip(CompressionCodecs.ByName(name), data.AsSpan(0, length), $"{length} bytes of {kind}");
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Sizes_around_the_limits_of_blocks_and_tables_come_back(string name)
    {
        using var buffers = new Buffers();
        foreach (var kind in Sample.Kinds)
        {
            foreach (var length in new[] { 4095, 4096, 65534, 65535, 65536, 65537, 65548, 131072, 200_001 })
                buffers.RoundTrip(CompressionCodecs.ByName(name), Sample.Of(kind, length, seed: length), $"{length} bytes of {kind}");
        }

        buffers.RoundTrip(CompressionCodecs.ByName(name), Sample.Of("mixed", 1_200_000), "1,200,000 bytes of mixed");
    }

    [Theory, MemberData(nameof(Names))]
    public void The_bound_holds_for_data_that_does_not_compress(string name)
    {
        var codec = CompressionCodecs.ByName(name);
        for (var length = 0; length < 70_000; length = length * 5 / 4 + 1)
        {
            // Bytes from 144 up are the dearest for gzip's fixed codes.
            var data = Sample.Of("random", length, seed: length);
            for (var at = 0; at < length; at++)
                data[at] = (byte)(144 + data[at] % 112);
            var destination = new byte[codec.MaxCompressedLength(length)];
            Assert.InRange(codec.Compress(data, destination), length == 0 ? 0 : 1, destination.Length);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void A_destination_below_the_bound_is_refused_with_both_lengths(string name)
    {
        var codec = CompressionCodecs.ByName(name);
        var needed = codec.MaxCompressedLength(1000);
        var error = Assert.Throws<ArgumentException>(() => codec.Compress(new byte[1000], new byte[needed - 1]));
        Assert.Contains($"1,000 bytes with {name}", error.Message);
        Assert.Contains($"{needed:N0} bytes", error.Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => codec.MaxCompressedLength(-1));
    }

    [Fact]
    public void A_block_that_saves_less_than_a_tenth_is_better_kept_raw()
    {
        var codec = CompressionCodecs.Lz4;
        var destination = new byte[codec.MaxCompressedLength(10_000)];
        Assert.False(codec.TryCompress(Sample.Of("random", 10_000), destination, out var written));
        Assert.Equal(0, written);
        Assert.False(codec.TryCompress([], destination, out _));
        Assert.False(CompressionCodecs.None.TryCompress(new byte[10_000], destination, out _));

        Assert.True(codec.TryCompress(new byte[10_000], destination, out written));
        Assert.InRange(written, 1, 100);

        // Just at the limit: random bytes and then as many zeros as it takes.
        for (var zeros = 800; zeros < 1200; zeros++)
        {
            var data = Sample.Of("random", 10_000);
            data.AsSpan(10_000 - zeros).Clear();
            Assert.Equal(codec.Compress(data, destination) <= 9_000, codec.TryCompress(data, destination, out _));
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void One_codec_serves_many_threads_at_once(string name)
    {
        var codec = CompressionCodecs.ByName(name);
        Parallel.For(0, 64, new ParallelOptions { MaxDegreeOfParallelism = 8 }, seed =>
        {
            var data = Sample.Of("mixed", 20_000, seed);
            var block = new byte[codec.MaxCompressedLength(data.Length)];
            var length = codec.Compress(data, block);
            var back = new byte[data.Length];
            codec.DecompressExactly(block.AsSpan(0, length), back);
            Assert.True(data.AsSpan().SequenceEqual(back), $"seed {seed}");
        });
    }

    private sealed class Buffers : IDisposable
    {
        private readonly GuardedMemory raw = new(Largest), packed = new(Largest + Largest / 4), back = new(Largest);

        public void RoundTrip(ICompressionCodec codec, ReadOnlySpan<byte> data, string what)
        {
            var destination = packed.AtEnd(codec.MaxCompressedLength(data.Length));
            var block = destination[..codec.Compress(raw.CopyAtEnd(data), destination)].ToArray();

            var exact = back.AtEnd(data.Length);
            exact.Fill(0xEE);
            codec.DecompressExactly(packed.CopyAtEnd(block), exact);
            Assert.True(exact.SequenceEqual(data), $"{codec.Name}: {what} came back changed");

            var roomy = back.AtStart(Math.Min(Largest, data.Length + 1000));
            Assert.True(codec.Decompress(packed.CopyAtEnd(block), roomy) == data.Length, $"{codec.Name}: {what} has another length in a longer buffer");
            Assert.True(roomy[..data.Length].SequenceEqual(data), $"{codec.Name}: {what} came back changed in a longer buffer");
        }

        public void Dispose()
        {
            raw.Dispose();
            packed.Dispose();
            back.Dispose();
        }
    }
}
