using System.Runtime.InteropServices;
using System.Text;
using Dataflow.Compression;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Compression;

public sealed unsafe partial class SnappyBlockTests
{
    // Written by Google's libsnappy 1.1.9.
    [Theory]
    [InlineData("", "00")]
    [InlineData("a", "010061")]
    [InlineData("hello hello hello hello hello\n", "1E 14 68656C6C6F20 5A0600 00 0A")]
    [InlineData("the quick brown fox; the quick brown dog; the lazy brown fox",
        "3C 50 74686520717569636B2062726F776E20666F783B20 3E1500 08646F67 0915 34 6C617A792062726F776E20666F78")]
    public void Blocks_of_the_reference_decode_and_ours_are_the_same(string text, string block)
    {
        var raw = Encoding.ASCII.GetBytes(text);
        Assert.Equal(Convert.ToHexString(raw), Decode(block));
        Assert.Equal(block.Replace(" ", ""), Convert.ToHexString(Encode(raw)));
    }

    [Fact]
    public void Copies_of_all_three_kinds_and_literals_of_all_five_decode()
    {
        Assert.Equal("6161616161", Decode("05 00 61 01 01"));                       // 1-byte offset: 4 of 1 back
        Assert.Equal("6161616161", Decode("05 00 61 0E 0100"));                     // 2-byte offset
        Assert.Equal("6161616161", Decode("05 00 61 0F 01000000"));                 // 4-byte offset
        foreach (var (length, header) in new[] { (60, "3C EC"), (61, "3D F0 3C"), (100, "64 F4 6300"), (100, "64 F8 630000"), (100, "64 FC 63000000") })
        {
            var literal = Convert.ToHexString(Sample.Of("random", length));
            Assert.Equal(literal, Decode(header + literal));
        }

        // The offset's three high bits are in the tag of the 1-byte kind: 0x7FF back.
        var far = Sample.Of("random", 2047);
        Assert.Equal(Convert.ToHexString(far) + Convert.ToHexString(far.AsSpan(0, 11)),
            Decode("8A10 F4 FE07" + Convert.ToHexString(far) + "FD FF"));
    }

    [Theory]
    [InlineData("", 0, "ends inside its length")]
    [InlineData("80", 1, "ends inside its length")]
    [InlineData("FFFFFFFF7F", 0, "more than 4 GB")]
    [InlineData("FFFFFFFFFF01", 4, "more than 5 bytes")]
    [InlineData("FFFFFFFF0F", 0, "4,294,967,295 raw bytes, where at most 10,000")]
    [InlineData("05 10 6162", 2, "literal of 5 bytes is announced, but only 2 bytes are left")]
    [InlineData("05 F0", 2, "ends inside an element")]
    [InlineData("05 F8 0102", 4, "ends inside an element")]
    [InlineData("05 00 61 01", 4, "ends inside an element")]
    [InlineData("05 00 61 0F 010000", 7, "ends inside an element")]
    [InlineData("05 00 61 01 00", 4, "offset 0")]
    [InlineData("05 00 61 01 02", 4, "reaches 2 bytes back, where only 1 precede it")]
    [InlineData("04 00 61 01 01", 5, "more than the 4 raw bytes")]
    [InlineData("01 04 6162", 2, "more than the 1 raw bytes")]
    [InlineData("06 00 61 01 01", 5, "ends after 5 of the 6 raw bytes")]
    public void What_is_wrong_is_told_with_its_place(string block, int offset, string problem)
    {
        var error = Assert.Throws<CorruptDataException>(() => Decode(block));
        Assert.Contains(problem, error.Problem);
        Assert.Equal("snappy", error.Format);
        Assert.Equal(offset, error.Offset);
    }

    [Fact]
    public void Copies_of_every_offset_and_length_repeat_their_pattern_at_any_distance_from_the_end()
    {
        using var source = new GuardedMemory(4096);
        using var destination = new GuardedMemory(8192);
        for (var offset = 1; offset <= 70; offset++)
        {
            for (var length = 1; length <= 64; length++)
            {
                foreach (var tail in new[] { 0, 1, 31, 32, 60, 95, 96, 130 })
                {
                    var expected = Enumerable.Range(1, offset).Select(i => (byte)i).ToList();
                    for (var i = 0; i < length; i++)
                        expected.Add(expected[^offset]);
                    expected.AddRange(Enumerable.Range(100, tail).Select(i => (byte)i));

                    List<byte> block = [];
                    for (var rest = expected.Count; ; rest >>= 7)
                    {
                        block.Add((byte)(rest >= 0x80 ? rest | 0x80 : rest));
                        if (rest < 0x80)
                            break;
                    }

                    Literal(block, expected[..offset]);
                    block.AddRange([(byte)(length - 1 << 2 | 2), (byte)offset, 0]);
                    Literal(block, expected[(offset + length)..]);

                    var raw = destination.AtEnd(expected.Count);
                    raw.Fill(0xEE);
                    CompressionCodecs.Snappy.DecompressExactly(source.CopyAtEnd([.. block]), raw);
                    Assert.True(raw.SequenceEqual(expected.ToArray()), $"offset {offset}, length {length}, tail {tail}");
                }
            }
        }
    }

    [FactRequiringNative("libsnappy.so.1", "libsnappy1v5")]
    public void The_reference_library_and_ours_read_each_other_and_shrink_alike()
    {
        long ours = 0, theirs = 0;
        for (var seed = 0; seed < 600; seed++)
        {
            var data = Sample.Of(Sample.Kinds[seed % Sample.Kinds.Length], new Random(seed).Next(seed % 20 == 0 ? 300_000 : 5_000), seed);
            var packed = Encode(data);
            var back = new byte[data.Length + 1];
            var room = (nuint)data.Length;
            fixed (byte* from = packed, to = back)
                Assert.True(Uncompress(from, (nuint)packed.Length, to, ref room) == 0, $"libsnappy refuses what we wrote, seed {seed}");
            Assert.True(back.AsSpan(0, data.Length).SequenceEqual(data), $"libsnappy reads something else, seed {seed}");
            ours += packed.Length;

            var reference = new byte[32 + data.Length + data.Length / 6];
            room = (nuint)reference.Length;
            fixed (byte* from = data, to = reference)
                Assert.Equal(0, Compress(from, (nuint)data.Length, to, ref room));
            Array.Clear(back);
            CompressionCodecs.Snappy.DecompressExactly(reference.AsSpan(0, (int)room), back.AsSpan(0, data.Length));
            Assert.True(back.AsSpan(0, data.Length).SequenceEqual(data), $"we read something else than libsnappy wrote, seed {seed}");
            theirs += (int)room;
        }

        Assert.True(ours <= theirs * 1.02, $"we write {ours} bytes where libsnappy writes {theirs}");
    }

    private static void Literal(List<byte> block, List<byte> bytes)
    {
        if (bytes.Count > 60)
            block.AddRange([60 << 2, (byte)(bytes.Count - 1)]);
        else if (bytes.Count > 0)
            block.Add((byte)(bytes.Count - 1 << 2));
        block.AddRange(bytes);
    }

    private static byte[] Encode(byte[] data)
    {
        var packed = new byte[CompressionCodecs.Snappy.MaxCompressedLength(data.Length)];
        return packed[..CompressionCodecs.Snappy.Compress(data, packed)];
    }

    private static string Decode(string hex)
    {
        var raw = new byte[10_000];
        return Convert.ToHexString(raw.AsSpan(0, CompressionCodecs.Snappy.Decompress(Convert.FromHexString(hex.Replace(" ", "")), raw)));
    }

    [LibraryImport("libsnappy.so.1", EntryPoint = "snappy_compress")]
    private static partial int Compress(byte* source, nuint length, byte* destination, ref nuint room);

    [LibraryImport("libsnappy.so.1", EntryPoint = "snappy_uncompress")]
    private static partial int Uncompress(byte* source, nuint length, byte* destination, ref nuint room);
}
