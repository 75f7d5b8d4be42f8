using Dataflow.Compression;

namespace Dataflow.Engine.Tests.Compression;

public sealed class SnappyFileTests
{
    private const string Start = "FF060000 734E61507059";

    // "abc" raw; its CRC-32C is 364B3FB7, which the format stores rotated and shifted.
    private const string Abc = "01070000 6E57F121 616263";

    [Fact]
    public void The_stored_checksum_is_rotated_and_shifted_as_the_format_says()
    {
        Assert.Equal(0x364B3FB7u, Crc32C.Of("abc"u8));
        Assert.Equal(0x21F1576Eu, SnappyFraming.Checksum("abc"u8));
        Assert.Equal("616263", Convert.ToHexString(Read(Start + Abc)));
    }

    [Fact]
    public void Padding_and_other_chunks_that_may_be_skipped_are_skipped_and_the_name_may_come_again()
    {
        Assert.Equal("616263616263", Convert.ToHexString(Read(Start + "FE030000 000000" + Abc + "80010000 99" + Start + Abc + "FD000000")));
        Assert.Empty(Read(Start));
    }

    [Theory]
    [InlineData(Abc, "begins with a chunk of type 01")]
    [InlineData("FF050000 734E615070", "has 5 bytes, where 6 are expected")]
    [InlineData("FF060000 734E61507058", "734E61507058, where 734E61507059 (sNaPpY)")]
    [InlineData(Start + "02000000", "type 02")]
    [InlineData(Start + "7F000000", "type 7F")]
    [InlineData(Start + "01030000 000000", "a chunk of 3 bytes is announced")]
    [InlineData(Start + "01FFFFFF", "a chunk of 16,777,215 bytes is announced")]
    [InlineData(Start + "00FFFFFF", "a chunk of 16,777,215 bytes is announced")]
    [InlineData(Start + "01070000 6D57F121 616263", "checksum is 21F1576D, but its 3 raw bytes give 21F1576E")]
    [InlineData(Start + "01070000 6E57F121 6162", "ends inside a chunk")]
    [InlineData(Start + "00090000 00000000 FFFFFFFF0F", "4,294,967,295 raw bytes, where at most 65,536")]
    [InlineData(Start + "80050000 00", "ends inside a skipped chunk")]
    public void What_is_wrong_is_told(string file, string problem) =>
        Assert.Contains(problem, Assert.Throws<CorruptDataException>(() => Read(file)).Problem);

    [Fact]
    public void What_does_not_compress_is_stored_raw_and_never_grows_by_more_than_its_headers()
    {
        var file = CompressedFile.Write(".snappy", Sample.Of("random", 200_000));
        Assert.Equal(10 + 200_000 + 4 * 8, file.Length);
        Assert.Equal(0x01, file[10]);
        Assert.Equal(0x00, CompressedFile.Write(".snappy", new byte[1000])[10]);
    }

    private static byte[] Read(string file) => CompressedFile.Read(".snappy", Convert.FromHexString(file.Replace(" ", "")));
}
