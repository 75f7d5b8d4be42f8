using Dataflow.Compression;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Compression;

/// <summary>Bad blocks: whatever the bytes, a decoder ends in its typed error or in a result that fits, and touches nothing else.</summary>
public sealed class CorruptBlockTests
{
    // What one call may allocate, whatever lengths a block claims: an error with its trace, and gzip's buffers.
    private const long AllocationLimit = 512 * 1024;

    public static TheoryData<string> Names => [.. CompressionCodecs.Available.Select(codec => codec.Name)];

    public static TheoryData<string> Compressing => [.. CompressionCodecs.Available.Select(codec => codec.Name).Where(name => name != "none")];

    [Theory, MemberData(nameof(Compressing))]
    public void A_block_cut_short_anywhere_is_an_error(string name)
    {
        var codec = CompressionCodecs.ByName(name);
        using var target = new Target();
        foreach (var kind in new[] { "text", "short repeats", "random" })
        {
            var data = Sample.Of(kind, 700);
            var block = Pack(codec, data);
            for (var length = 0; length < block.Length; length++)
            {
                var outcome = target.Decompress(codec, block.AsSpan(0, length), data.Length);
                Assert.True(outcome is null || outcome < data.Length, $"{name}: {length} of {block.Length} bytes of {kind} gave all {data.Length} bytes");
                Assert.Throws<CorruptDataException>(() => codec.DecompressExactly(block.AsSpan(0, length), new byte[data.Length]));
            }
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Changed_bytes_give_the_typed_error_or_a_result_that_fits(string name)
    {
        var codec = CompressionCodecs.ByName(name);
        using var target = new Target();
        int bad = 0, tries = name == "gzip" ? 1500 : 6000;
        for (var seed = 0; seed < tries; seed++)
        {
            var random = new Random(seed);
            var data = Sample.Of(Sample.Kinds[seed % Sample.Kinds.Length], random.Next(1, 3000), seed);
            var block = Change(Pack(codec, data), random);
            if (target.Decompress(codec, block, data.Length + random.Next(-5, 40), $"seed {seed}") is null)
                bad++;
        }

        Assert.True(bad > tries / 20, $"{name}: only {bad} of {tries} changed blocks were found out: are they changed at all?");
    }

    [Theory, MemberData(nameof(Names))]
    public void Bytes_of_no_format_at_all_give_the_typed_error_or_a_result_that_fits(string name)
    {
        var codec = CompressionCodecs.ByName(name);
        using var target = new Target();
        for (var seed = 0; seed < (name == "gzip" ? 300 : 3000); seed++)
        {
            var random = new Random(seed);
            var bytes = Sample.Of(seed % 3 == 0 ? "short repeats" : "random", random.Next(0, 400), seed);
            target.Decompress(codec, bytes, random.Next(0, 2000), $"seed {seed}");
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void A_block_that_holds_more_than_its_header_says_is_an_error(string name)
    {
        var codec = CompressionCodecs.ByName(name);
        foreach (var kind in Sample.Kinds)
        {
            var data = Sample.Of(kind, 5000);
            var block = Pack(codec, data);
            foreach (var room in new[] { 0, 1, 16, 4900, 4999 })
                Assert.Throws<CorruptDataException>(() => codec.Decompress(block, new byte[room]));
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void A_block_that_holds_less_than_its_header_says_is_an_error(string name)
    {
        var codec = CompressionCodecs.ByName(name);
        var block = Pack(codec, Sample.Of("text", 5000));
        var error = Assert.Throws<CorruptDataException>(() => codec.DecompressExactly(block, new byte[5001]));
        Assert.Equal(name, error.Format);
        Assert.Contains("5,000 of the 5,001 raw bytes", error.Message);
    }

    [Theory, MemberData(nameof(Compressing))]
    public void No_bytes_are_no_block(string name)
    {
        var codec = CompressionCodecs.ByName(name);
        Assert.Throws<CorruptDataException>(() => codec.Decompress([], new byte[10]));
        Assert.Throws<CorruptDataException>(() => codec.Decompress([], []));
    }

    [Fact]
    public void A_length_of_billions_in_a_few_bytes_allocates_nothing()
    {
        using var target = new Target();
        var lz4 = Enumerable.Repeat((byte)255, 100_000).Prepend((byte)0xF0).ToArray();
        var lz4Match = Enumerable.Repeat((byte)255, 100_000).ToArray();
        (lz4Match[0], lz4Match[1], lz4Match[2], lz4Match[3]) = (0x1F, 7, 1, 0);
        Assert.Null(target.Decompress(CompressionCodecs.Lz4, lz4, 1000));
        Assert.Null(target.Decompress(CompressionCodecs.Lz4, lz4Match, 1000));

        foreach (var header in new byte[][] { [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0xFF, 0xFF, 0xFF, 0xFF, 0x1F], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0x80, 0x80, 0x80, 0x80, 0x08] })
            Assert.Null(target.Decompress(CompressionCodecs.Snappy, [.. header, 0, 65], 1000));
        Assert.Null(target.Decompress(CompressionCodecs.Snappy, [0xE8, 0x07, 63 << 2, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3], 1000));
    }

    private static byte[] Pack(ICompressionCodec codec, byte[] data)
    {
        var block = new byte[codec.MaxCompressedLength(data.Length)];
        return block[..codec.Compress(data, block)];
    }

    private static byte[] Change(byte[] block, Random random)
    {
        var bytes = block.ToList();
        for (var changes = random.Next(1, 6); changes > 0 && bytes.Count > 0; changes--)
        {
            // Most of what can go wrong goes wrong near the front, where lengths are.
            var at = random.Next(4) == 0 ? random.Next(Math.Min(12, bytes.Count)) : random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes[at] = (byte)(random.Next(2) * 255); break;
                case 3: bytes.RemoveRange(at, Math.Min(bytes.Count - at, random.Next(1, 20))); break;
                case 4: bytes.InsertRange(at, Sample.Of("random", random.Next(1, 20), random.Next())); break;
                default: bytes.RemoveRange(at, bytes.Count - at); break;
            }
        }

        return [.. bytes];
    }

    // Source and destination against forbidden pages, the destination in turn at the end and at the start of its room.
    private sealed class Target : IDisposable
    {
        private readonly GuardedMemory source = new(1 << 17), destination = new(1 << 17);
        private bool atStart;

        /// <summary>Bytes written, or null for the typed error.</summary>
        public int? Decompress(ICompressionCodec codec, ReadOnlySpan<byte> block, int room, string what = "")
        {
            room = Math.Max(0, room);
            atStart = !atStart;
            var to = atStart ? destination.AtStart(room) : destination.AtEnd(room);
            var from = source.CopyAtEnd(block);
            var before = GC.GetAllocatedBytesForCurrentThread();
            int? written;
            try
            {
                written = codec.Decompress(from, to);
            }
            catch (CorruptDataException error)
            {
                Assert.Equal(codec.Name, error.Format);
                Assert.InRange(error.Offset!.Value, 0, block.Length);
                written = null;
            }

            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < AllocationLimit, $"{codec.Name}: {allocated} bytes allocated for a block of {block.Length} ({what})");
            Assert.True(written is null || written >= 0 && written <= room, $"{codec.Name}: {written} bytes written where {room} fit ({what})");
            return written;
        }

        public void Dispose()
        {
            source.Dispose();
            destination.Dispose();
        }
    }
}
