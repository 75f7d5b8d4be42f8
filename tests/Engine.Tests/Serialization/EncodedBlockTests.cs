using Dataflow.Compression;
using Dataflow.Serialization;

namespace Dataflow.Engine.Tests.Serialization;

public class EncodedBlockTests
{
    private static readonly ICompressionCodec?[] Compressions =
        [null, CompressionCodecs.None, CompressionCodecs.Lz4, CompressionCodecs.Brotli, CompressionCodecs.Snappy, CompressionCodecs.Gzip];

    [Fact]
    public void Elements_come_back_from_a_block_under_every_compression()
    {
        var pairs = Enumerable.Range(0, 5_000).Select(i => ($"word {i % 50}", i)).ToArray();
        foreach (var compression in Compressions)
        {
            using var writer = new BlockWriter(0);
            var header = BlockEncoder.Write<(string, int)>(pairs, writer, compression);

            Assert.Equal(writer.Length, header.Length);
            Assert.Equal(header, EncodedBlock.ReadHeader(writer.Written));
            Assert.Equal(5_000, header.Count);
            Assert.Equal(compression?.Id ?? 0, header.CompressionId);
            Assert.Equal(compression is { Id: not 0 }, header.StoredLength < header.RawLength);
            Assert.Equal(pairs, BlockEncoder.Read<(string, int)>(writer.Written));
        }
    }

    [Fact]
    public void A_block_that_compression_barely_shrinks_is_stored_raw()
    {
        var noise = new long[10_000];
        var random = new Random(1);
        for (var i = 0; i < noise.Length; i++) noise[i] = random.NextInt64();
        using var writer = new BlockWriter();
        var header = BlockEncoder.Write<long>(noise, writer, CompressionCodecs.Lz4);

        Assert.Equal((0, 80_000, 80_000), (header.CompressionId, header.RawLength, header.StoredLength));
        Assert.Equal(noise, BlockEncoder.Read<long>(writer.Written));
    }

    [Fact]
    public void A_framed_payload_is_the_block_that_writing_at_once_makes()
    {
        var words = Enumerable.Range(0, 1_000).Select(i => $"word {i}").ToArray();
        foreach (var compression in Compressions)
        {
            using var atOnce = new BlockWriter();
            using var payload = new BlockWriter();
            using var framed = new BlockWriter();
            BlockEncoder.Write<string>(words, atOnce, compression);
            foreach (var chunk in words.Chunk(100)) Codec<string>.Default.Write(payload, chunk);
            BlockEncoder.Frame(payload.Written, words.Length, Codec<string>.Default.SchemaHash, framed, compression);

            Assert.Equal(atOnce.Written.ToArray(), framed.Written.ToArray());
        }
    }

    [Fact]
    public void An_empty_block_comes_back()
    {
        foreach (var compression in Compressions)
        {
            using var writer = new BlockWriter();
            Assert.Equal(EncodedBlock.HeaderLength, BlockEncoder.Write<string>([], writer, compression).Length);
            Assert.Empty(BlockEncoder.Read<string>(writer.Written));
        }
    }

    [Fact]
    public void Blocks_back_to_back_are_read_in_chunks()
    {
        using var writer = new BlockWriter(0);
        var expected = new List<Entry>();
        foreach (var count in new[] { 0, 1, 1_024, 2_500, 0, 7 })
        {
            var entries = Enumerable.Range(0, count).Select(i => new Entry(i % 3 == 0 ? $"s{i}" : i, new Animal($"a{i}"))).ToArray();
            expected.AddRange(entries);
            BlockEncoder.Write<Entry>(entries, writer, CompressionCodecs.Lz4);
        }

        var memory = writer.WrittenMemory;
        using var reader = new EncodedBlockReader<Entry>([memory, memory[..0], memory]);
        Assert.Equal(expected.Concat(expected), Drain(reader, out var longest));
        Assert.Equal(1_024, longest);
        Assert.False(reader.TryRead(out _));
    }

    [Fact]
    public void Blittable_elements_are_lent_where_they_lie()
    {
        using var writer = new BlockWriter();
        BlockEncoder.Write<int>(Enumerable.Range(0, 10_000).ToArray(), writer);
        using var reader = new EncodedBlockReader<int>([writer.WrittenMemory]);

        Assert.True(reader.TryRead(out var chunk));
        Assert.Equal(10_000, chunk.Length);
        Assert.True(System.Runtime.InteropServices.MemoryMarshal.AsBytes(chunk).Overlaps(writer.Written));
        Assert.False(reader.TryRead(out _));
    }

    [Fact]
    public void A_disposed_reader_disposes_its_owner_once_and_ends()
    {
        using var writer = new BlockWriter();
        BlockEncoder.Write<string>(["a", "b"], writer, CompressionCodecs.Lz4);
        var owner = new Owner();
        var reader = new EncodedBlockReader<string>([writer.WrittenMemory], owner: owner);
        reader.Dispose();
        reader.Dispose();

        Assert.Equal(1, owner.Disposed);
        Assert.False(reader.TryRead(out _));
    }

    [Fact]
    public void A_block_of_another_type_is_refused_with_both_schemas()
    {
        using var writer = new BlockWriter();
        BlockEncoder.Write<(string, int)>([("a", 1)], writer);
        var message = Assert.Throws<CodecException>(() => BlockEncoder.Read<Entry>(writer.Written)).Message;

        Assert.StartsWith("The block holds (string, int){Item1:string, Item2:int} (schema ", message);
        Assert.Contains($"and is read as {typeof(Entry).FullName!.Replace('+', '.')}{{Value:object, Animal:", message);
        Assert.Contains("next: ", message);

        using var reader = new EncodedBlockReader<Entry>([writer.WrittenMemory]);
        Assert.Throws<CodecException>(() => reader.TryRead(out _));
    }

    [Fact]
    public void Every_changed_bit_and_every_cut_is_noticed()
    {
        foreach (var compression in new[] { null, CompressionCodecs.Lz4 })
        {
            using var writer = new BlockWriter();
            BlockEncoder.Write<(string, int)>(Enumerable.Range(0, 20).Select(i => ("same word", i)).ToArray(), writer, compression);
            var good = writer.Written.ToArray();
            for (var bit = 0; bit < good.Length * 8; bit++)
            {
                var bad = good.ToArray();
                bad[bit / 8] ^= (byte)(1 << bit % 8);
                Assert.Throws<CorruptDataException>(() => BlockEncoder.Read<(string, int)>(bad));
            }
            for (var length = 0; length < good.Length; length++)
                Assert.Throws<CorruptDataException>(() => BlockEncoder.Read<(string, int)>(good.AsSpan(0, length)));
        }
    }

    [Fact]
    public void A_header_with_the_wrong_count_is_noticed_although_its_checksum_fits()
    {
        using var payload = new BlockWriter();
        Codec<string>.Default.Write(payload, ["a", "b", "c"]);
        foreach (var count in new[] { 0, 2, 4, 6 })
        {
            using var writer = new BlockWriter();
            BlockEncoder.Frame(payload.Written, count, Codec<string>.Default.SchemaHash, writer);
            Assert.Throws<CorruptDataException>(() => BlockEncoder.Read<string>(writer.Written));
            Assert.Throws<CorruptDataException>(() =>
            {
                using var reader = new EncodedBlockReader<string>([writer.WrittenMemory]);
                while (reader.TryRead(out _)) { }
            });
        }
    }

    [Fact]
    public void A_value_that_cannot_be_encoded_leaves_the_destination_as_it_was()
    {
        using var writer = new BlockWriter();
        BlockEncoder.Write<Entry>([new Entry(1, new Animal("a"))], writer);
        var before = writer.Written.ToArray();
        Assert.Throws<CodecException>(() => BlockEncoder.Write<Entry>([new Entry(1, null!), new Entry(new Version[2][], null!)], writer));

        Assert.Equal(before, writer.Written.ToArray());
        BlockEncoder.Write<Entry>([new Entry("x", new Animal("b"))], writer);
        using var reader = new EncodedBlockReader<Entry>([writer.WrittenMemory]);
        Assert.Equal([new Entry(1, new Animal("a")), new Entry("x", new Animal("b"))], Drain(reader, out _));
    }

    private static List<T> Drain<T>(ChunkReader<T> reader, out int longest)
    {
        var all = new List<T>();
        longest = 0;
        while (reader.TryRead(out var chunk))
        {
            longest = Math.Max(longest, chunk.Length);
            all.AddRange(chunk);
        }
        return all;
    }

    public record Animal(string Name);

    public record Entry(object Value, Animal Animal);

    private sealed class Owner : IDisposable
    {
        public int Disposed { get; private set; }

        public void Dispose() => Disposed++;
    }
}
