using Dataflow.Codecs;
using Dataflow.Serialization;

namespace Dataflow.Engine.Tests.Serialization;

public class BlockWriterTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("abc")]
    [InlineData("abcd")]
    [InlineData("abcdefg")]
    [InlineData("abcdefgh")]
    [InlineData("abcdefghijklm")]
    [InlineData("\0\u007f")]
    [InlineData("naïve")]
    [InlineData("abcdefgé")]
    [InlineData("日本語のテキスト")]
    [InlineData("🙂 and 🙃")]
    [InlineData("\ud800")]
    [InlineData("x\udc00y\ud83d")]
    [InlineData("\udc00\ud800")]
    public void A_string_comes_back_as_it_was(string? text)
    {
        using var writer = new BlockWriter(0);
        writer.WriteString(text);
        var reader = new BlockReader(writer.Written);

        Assert.Equal(text, reader.ReadString());
        Assert.Equal(0, reader.Remaining);
    }

    [Fact]
    public void Strings_of_every_length_around_the_limits_come_back()
    {
        foreach (var length in Enumerable.Range(0, 300).Append(16_382).Append(16_383).Append(16_384).Append(100_000))
            foreach (var last in "zé\ud800")
            {
                var text = string.Concat(Enumerable.Range(0, length).Select(i => (char)('a' + i % 26))) + last;
                using var writer = new BlockWriter(0);
                writer.WriteString(text);
                var reader = new BlockReader(writer.Written);
                Assert.Equal(text, reader.ReadString());
                Assert.Equal(0, reader.Remaining);
            }
    }

    [Theory]
    [InlineData(new byte[] { 2, 0xFF })]
    [InlineData(new byte[] { 3, 0xC3, 0x28 })]
    [InlineData(new byte[] { 3, 0xED, 0xA0 })]
    [InlineData(new byte[] { 4, 0xED, 0xA0, 0x00 })]
    [InlineData(new byte[] { 9, 65 })]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0x0F })]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0x7F })]
    [InlineData(new byte[] { 0x80 })]
    [InlineData(new byte[] { })]
    public void Bytes_that_are_no_string_are_refused(byte[] bytes) => Assert.Throws<CorruptDataException>(() =>
    {
        var reader = new BlockReader(bytes);
        reader.ReadString();
    });

    [Theory]
    [InlineData(0u, 1)]
    [InlineData(127u, 1)]
    [InlineData(128u, 2)]
    [InlineData(16_383u, 2)]
    [InlineData(16_384u, 3)]
    [InlineData(uint.MaxValue, 5)]
    public void Small_numbers_take_few_bytes(uint value, int bytes)
    {
        using var writer = new BlockWriter();
        writer.WriteVarUInt(value);
        var reader = new BlockReader(writer.Written);

        Assert.Equal(bytes, writer.Length);
        Assert.Equal(value, reader.ReadVarUInt());
    }

    [Theory]
    [InlineData(uint.MaxValue)]
    [InlineData(0x80000001u)]
    [InlineData(5u)]
    public void A_count_that_the_data_cannot_hold_is_refused(uint written) => Assert.Throws<CorruptDataException>(() =>
    {
        using var writer = new BlockWriter();
        writer.WriteVarUInt(written);
        writer.WriteBytes([1, 2, 3]);
        var reader = new BlockReader(writer.Written);
        reader.ReadCount();
    });

    [Fact]
    public void A_writer_grows_and_keeps_what_was_written()
    {
        using var writer = new BlockWriter(0);
        for (var i = 0; i < 100_000; i++) writer.WriteUnmanaged(i);
        writer.GetSpan(3)[..3].Fill(9);
        writer.Advance(3);

        var reader = new BlockReader(writer.Written);
        for (var i = 0; i < 100_000; i++) Assert.Equal(i, reader.ReadUnmanaged<int>());
        Assert.Equal([9, 9, 9], reader.ReadBytes(3).ToArray());

        writer.Reset();
        Assert.Equal(0, writer.Length);
    }

    [Fact]
    public void A_disposed_writer_refuses_to_write()
    {
        var writer = new BlockWriter();
        writer.Dispose();
        writer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => writer.WriteByte(1));
    }
}
