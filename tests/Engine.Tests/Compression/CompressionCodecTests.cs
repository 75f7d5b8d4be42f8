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
