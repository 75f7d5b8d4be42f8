using System.Buffers.Binary;
using Dataflow.Compression;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Compression;

public sealed class Lz4FrameTests
{
    private const string Text = "68656C6C6F2068656C6C6F2068656C6C6F2068656C6C6F2068656C6C6F0A";         // "hello hello hello hello hello\n"
    private const string Block = "10000000 6F68656C6C6F2006000050656C6C6F0A";

    // Written by lz4 1.9.4: plainly, and with block checksum and content size.
    [Theory]
    [InlineData("04224D18 6440A7" + Block + "00000000 2D820339")]
    [InlineData("04224D18 7C401E000000000000007B" + Block + "8FF12D4F 00000000 2D820339")]
    public void Frames_of_the_reference_tool_decode(string frame) => Assert.Equal(Text, Convert.ToHexString(Read(frame)));

    [Fact]
    public void Frames_of_user_data_are_skipped_wherever_they_stand()
    {
        const string Frame = "04224D18 6440A7" + Block + "00000000 2D820339";
        Assert.Equal(Text + Text, Convert.ToHexString(Read("502A4D18 00000000" + Frame + "5F2A4D18 03000000 AABBCC" + Frame + "532A4D18 01000000 00")));
        Assert.Throws<CorruptDataException>(() => Read(Frame + "502A4D18 05000000 AABBCC"));
    }

    [Theory]
    [InlineData("04224D18 6440A8", "checksum is A8, but its bytes give A7")]
    [InlineData("02214C18 18100000", "legacy format")]
    [InlineData("12345678", "begins with 78563412, where 184D2204")]
    [InlineData("04224D18 6440A7 01004000 ", "a block of 4,194,305 bytes is announced, where the frame allows 65,536")]
    [InlineData("04224D18 6440A7" + Block + "00000000 2D820338", "content checksum")]
    [InlineData("04224D18 7C401E000000000000007B" + Block + "8FF12D4E 00000000 2D820339", "block's checksum")]
    [InlineData("04224D18 6440A7 03000000 100000 00000000 2D820339", "the block ends inside a sequence")]
    [InlineData("04224D18 6440A7" + Block, "ends where a block's length should begin")]
    [InlineData("04224D18 6440A7" + Block + "0000", "ends inside a block's length")]
    public void What_is_wrong_is_told(string frame, string problem) =>
        Assert.Contains(problem, Assert.Throws<CorruptDataException>(() => Read(frame)).Problem);

    [Theory]
    [InlineData(0x24, 0x40, "version 0")]
    [InlineData(0xA4, 0x40, "version 2")]
    [InlineData(0x66, 0x40, "reserved bits")]
    [InlineData(0x64, 0xC0, "reserved bits")]
    [InlineData(0x64, 0x41, "reserved bits")]
    [InlineData(0x64, 0x30, "block size code is 3")]
    [InlineData(0x65, 0x40, "needs dictionary 00000000")]
    public void Headers_with_a_right_checksum_but_wrong_flags_are_refused(byte flags, byte sizes, string problem)
    {
        var header = new byte[Lz4Frame.LengthFor(flags)];
        (header[0], header[1]) = (flags, sizes);
        header[^1] = (byte)(XxHash32.Of(header.AsSpan(0, header.Length - 1)) >> 8);
        Assert.Contains(problem, Assert.Throws<CorruptDataException>(() => Read("04224D18" + Convert.ToHexString(header))).Problem);
    }

    [Fact]
    public void A_content_length_of_exabytes_is_only_compared_at_the_end()
    {
        Span<byte> header = stackalloc byte[4 + Lz4Frame.MaxLength];
        var length = new Lz4Frame(false, false, false, 1 << 16, ulong.MaxValue / 2).Write(header);
        var frame = Convert.ToHexString(header[..length]) + Block + "00000000";
        Assert.Contains("holds 30 raw bytes, but its header says 9,223,372,036,854,775,807", Assert.Throws<CorruptDataException>(() => Read(frame)).Problem);
    }

    [Fact]
    public void A_match_may_reach_into_the_block_before_only_in_a_linked_frame()
    {
        // The second block is one match of 8 over the last 4 bytes of the first, then its 5 last literals.
        const string Blocks = "05000000 4061626364 09000000 04 0400 50 4142434445 00000000";
        Span<byte> header = stackalloc byte[4 + Lz4Frame.MaxLength];
        foreach (var linked in new[] { true, false })
        {
            var frame = Convert.ToHexString(header[..new Lz4Frame(linked, false, false, 1 << 16, null).Write(header)]) + Blocks;
            if (linked)
                Assert.Equal("61626364" + "6162636461626364" + "4142434445", Convert.ToHexString(Read(frame)));
            else
                Assert.Contains("reaches 4 bytes back, where only 0 precede it", Assert.Throws<CorruptDataException>(() => Read(frame)).Problem);
        }
    }

    [Fact]
    public void Block_checksums_and_a_known_length_are_written_and_checked()
    {
        var data = Sample.Of("mixed", 200_000);
        foreach (var blockLength in new[] { 1 << 16, 1 << 18, 1 << 20, 1 << 22 })
        {
            var file = new MemoryStream();
            using (var writer = new Lz4WriteStream(file, leaveOpen: true, blockLength, blockChecksums: true, length: data.Length))
                writer.Write(data);
            Assert.Equal(data.Length, (long)BinaryPrimitives.ReadUInt64LittleEndian(file.ToArray().AsSpan(6)));
            Assert.True(CompressedFile.Read(".lz4", file.ToArray()).AsSpan().SequenceEqual(data));
        }

        var tooShort = new Lz4WriteStream(new MemoryStream(), length: 10);
        tooShort.Write(new byte[9]);
        Assert.Contains("says 10 bytes, but 9 were written", Assert.Throws<InvalidOperationException>(tooShort.Dispose).Message);
    }

    [FactRequiringTool("lz4")]
    public void The_lz4_tool_reads_what_we_write()
    {
        foreach (var kind in Sample.Kinds)
        {
            foreach (var length in new[] { 0, 1, 12, 13, 70_000, 600_000 })
            {
                var data = Sample.Of(kind, length);
                Assert.True(CommandLineTool.Run("lz4", "-d -q -c", CompressedFile.Write(".lz4", data)).AsSpan().SequenceEqual(data), $"{length} bytes of {kind}");
            }
        }

        var checkedFile = new MemoryStream();
        var text = Sample.Of("text", 300_000);
        using (var writer = new Lz4WriteStream(checkedFile, leaveOpen: true, 1 << 16, blockChecksums: true, length: text.Length))
            writer.Write(text);
        Assert.True(CommandLineTool.Run("lz4", "-d -q -c", checkedFile.ToArray()).AsSpan().SequenceEqual(text));
    }

    [FactRequiringTool("lz4")]
    public void We_read_what_the_lz4_tool_writes_with_any_of_its_options()
    {
        foreach (var options in new[] { "-1", "-9", "-BD -B4", "-BD -B4 -BX -9", "-BD -B5 --no-frame-crc", "-B7 -BX", "--fast=5 -B6", "-12 -BD -B4" })
        {
            foreach (var (kind, length) in new[] { ("mixed", 900_000), ("text", 400_000), ("short repeats", 200_000), ("random", 150_000), ("zeros", 300_000), ("text", 0), ("text", 7) })
            {
                var data = Sample.Of(kind, length);
                var file = CommandLineTool.Run("lz4", $"-q -c {options}", data);
                Assert.True(CompressedFile.Read(".lz4", file).AsSpan().SequenceEqual(data), $"lz4 {options}: {length} bytes of {kind}");
            }
        }
    }

    [FactRequiringTool("lz4")]
    public void A_linked_frame_of_the_tool_that_is_cut_or_changed_is_found_out()
    {
        var data = Sample.Of("text", 300_000);
        var file = CommandLineTool.Run("lz4", "-q -c -BD -B4", data);
        Assert.Equal(0, file[4] & 0x20);
        var found = 0;
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            Assert.Throws<CorruptDataException>(() => CompressedFile.Read(".lz4", file[..random.Next(1, file.Length)]));
            var changed = (byte[])file.Clone();
            changed[random.Next(4, file.Length)] ^= (byte)random.Next(1, 256);
            try
            {
                // In text of few words another offset may well lead to the same bytes.
                Assert.True(CompressedFile.Read(".lz4", changed).AsSpan().SequenceEqual(data), $"a change went unnoticed, seed {seed}");
            }
            catch (CorruptDataException)
            {
                found++;
            }
        }

        Assert.InRange(found, 150, 200);
    }

    private static byte[] Read(string frame) => CompressedFile.Read(".lz4", Convert.FromHexString(frame.Replace(" ", "")));
}
