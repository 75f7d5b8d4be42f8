using System.Runtime.InteropServices;
using Dataflow.Compression;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Compression;

public sealed unsafe partial class Lz4BlockTests
{
    [Fact]
    public void Blocks_made_by_hand_decode_as_the_format_says()
    {
        Assert.Equal("", Decode("00"));
        Assert.Equal("616263", Decode("30 616263"));
        Assert.Equal("6161616161616161616161", Decode("16 61 0100 00"));                       // one literal, a match over itself
        Assert.Equal("61626162616261626364656667", Decode("22 6162 0200 50 6364656667"));
        Assert.Equal("00".PadLeft(2 * 20, '0'), Decode("F0 05 " + new string('0', 40)));         // 15 + 5 literals
        Assert.Equal(new string('7', 2 * (1 + 4 + 15 + 255 + 3)), Decode("1F 77 0100 FF 03 00"));
    }

    [Fact]
    public void The_block_of_the_reference_encoder_decodes_and_ours_is_the_same()
    {
        const string Block = "6F 68656C6C6F20 0600 00 50 656C6C6F0A";
        var text = "hello hello hello hello hello\n"u8.ToArray();
        Assert.Equal(Convert.ToHexString(text), Decode(Block));

        var packed = new byte[CompressionCodecs.Lz4.MaxCompressedLength(text.Length)];
        Assert.Equal(Block.Replace(" ", ""), Convert.ToHexString(packed.AsSpan(0, CompressionCodecs.Lz4.Compress(text, packed))));
    }

    [Theory]
    [InlineData("10 61 0000", 2, "offset 0")]
    [InlineData("10 61 0200 00", 2, "reaches 2 bytes back, where only 1 precede it")]
    [InlineData("50 6162", 1, "5 literal bytes are announced, but only 2 bytes are left")]
    [InlineData("10 61 01", 3, "ends inside a sequence")]
    [InlineData("1F 61 0100 FF FF", 6, "ends inside a sequence")]
    [InlineData("F0 FF FF", 3, "ends inside a sequence")]
    [InlineData("10 61 0100", 4, "ends inside a sequence")]
    [InlineData("1F 61 0100 FF FF FF FF 00 00", 9, "more than the 1,000 raw bytes")]
    public void What_is_wrong_is_told_with_its_place(string block, int offset, string problem)
    {
        var error = Assert.Throws<CorruptDataException>(() => Decode(block));
        Assert.Contains(problem, error.Problem!);
        Assert.Contains("lz4", error.Message);
        Assert.Equal(offset, error.Offset);
    }

    [Fact]
    public void Matches_of_every_offset_and_length_repeat_their_pattern_at_any_distance_from_the_end()
    {
        using var source = new GuardedMemory(4096);
        using var destination = new GuardedMemory(8192);
        for (var offset = 1; offset <= 70; offset++)
        {
            foreach (var match in new[] { 4, 5, 15, 16, 18, 19, 31, 32, 33, 47, 48, 64, 65, 130, 300 })
            {
                foreach (var tail in new[] { 0, 1, 5, 13, 31, 32, 33, 63, 70 })
                {
                    var expected = new List<byte>(Enumerable.Range(1, offset).Select(i => (byte)i));
                    var block = new List<byte>();
                    Sequence(block, [.. expected], match, offset);
                    for (var i = 0; i < match; i++)
                        expected.Add(expected[^offset]);
                    var literals = Enumerable.Range(100, tail).Select(i => (byte)i).ToArray();
                    Sequence(block, literals, match: 0, offset: 0);
                    expected.AddRange(literals);

                    var raw = destination.AtEnd(expected.Count);
                    raw.Fill(0xEE);
                    CompressionCodecs.Lz4.DecompressExactly(source.CopyAtEnd([.. block]), raw);
                    Assert.True(raw.SequenceEqual(expected.ToArray()), $"offset {offset}, match {match}, tail {tail}");
                }
            }
        }
    }

    [Fact]
    public void Text_shrinks_as_much_as_with_the_reference_and_zeros_to_a_255th()
    {
        Assert.InRange(Encode(Sample.Of("zeros", 65536)).Length, 255, 270);
        Assert.InRange(Encode(Sample.Of("random", 65536)).Length, 65536, 65536 + 65536 / 255 + 16);
        Assert.InRange(Encode(Sample.Of("records", 65536)).Length, 20_000, 48_000);
    }

    [FactRequiringNative("liblz4.so.1", "liblz4-1")]
    public void The_reference_library_and_ours_read_each_other_and_shrink_alike()
    {
        long ours = 0, theirs = 0;
        for (var seed = 0; seed < 600; seed++)
        {
            var data = Sample.Of(Sample.Kinds[seed % Sample.Kinds.Length], new Random(seed).Next(seed % 20 == 0 ? 300_000 : 5_000), seed);
            var packed = Encode(data);
            var back = new byte[data.Length + 1];
            fixed (byte* from = packed, to = back)
                Assert.True(DecompressSafe(from, to, packed.Length, data.Length) == data.Length, $"liblz4 refuses what we wrote, seed {seed}");
            Assert.True(back.AsSpan(0, data.Length).SequenceEqual(data), $"liblz4 reads something else, seed {seed}");
            ours += packed.Length;

            var reference = new byte[packed.Length + 65536 + data.Length];
            int length;
            fixed (byte* from = data, to = reference)
                length = CompressDefault(from, to, data.Length, reference.Length);
            Array.Clear(back);
            CompressionCodecs.Lz4.DecompressExactly(reference.AsSpan(0, length), back.AsSpan(0, data.Length));
            Assert.True(back.AsSpan(0, data.Length).SequenceEqual(data), $"we read something else than liblz4 wrote, seed {seed}");
            theirs += length;
        }

        Assert.True(ours <= theirs * 1.02, $"we write {ours} bytes where liblz4 writes {theirs}");
    }

    private static byte[] Encode(byte[] data)
    {
        var packed = new byte[CompressionCodecs.Lz4.MaxCompressedLength(data.Length)];
        return packed[..CompressionCodecs.Lz4.Compress(data, packed)];
    }

    private static string Decode(string hex)
    {
        var raw = new byte[1000];
        return Convert.ToHexString(raw.AsSpan(0, CompressionCodecs.Lz4.Decompress(Convert.FromHexString(hex.Replace(" ", "")), raw)));
    }

    // Match 0 ends the block.
    private static void Sequence(List<byte> block, byte[] literals, int match, int offset)
    {
        block.Add((byte)(Math.Min(15, literals.Length) << 4 | (match == 0 ? 0 : Math.Min(15, match - 4))));
        Rest(block, literals.Length);
        block.AddRange(literals);
        if (match == 0)
            return;
        block.Add((byte)offset);
        block.Add((byte)(offset >> 8));
        Rest(block, match - 4);
    }

    private static void Rest(List<byte> block, int length)
    {
        if (length < 15)
            return;
        for (length -= 15; length >= 255; length -= 255)
            block.Add(255);
        block.Add((byte)length);
    }

    [LibraryImport("liblz4.so.1", EntryPoint = "LZ4_compress_default")]
    private static partial int CompressDefault(byte* source, byte* destination, int length, int room);

    [LibraryImport("liblz4.so.1", EntryPoint = "LZ4_decompress_safe")]
    private static partial int DecompressSafe(byte* source, byte* destination, int length, int room);
}
