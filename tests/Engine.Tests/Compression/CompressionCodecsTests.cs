using Dataflow.Compression;

namespace Dataflow.Engine.Tests.Compression;

public sealed class CompressionCodecsTests
{
    [Fact]
    public void Ids_and_names_are_fixed_for_ever()
    {
        var all = new[] { CompressionCodecs.None, CompressionCodecs.Lz4, CompressionCodecs.Brotli, CompressionCodecs.Snappy, CompressionCodecs.Gzip };
        Assert.Equal(["0 none", "1 lz4", "3 brotli", "4 snappy", "5 gzip"], all.Select(codec => $"{codec.Id} {codec.Name}"));
        var zstd = new ZstdCodec(library: null);
        Assert.Equal("2 zstd", $"{zstd.Id} {zstd.Name}");
    }

    [Fact]
    public void Every_available_codec_is_found_by_its_id_and_by_its_name_in_any_case()
    {
        Assert.Equal(CompressionCodecs.Available.OrderBy(codec => codec.Id), CompressionCodecs.Available);
        foreach (var codec in CompressionCodecs.Available)
        {
            Assert.Same(codec, CompressionCodecs.ById(codec.Id));
            Assert.Same(codec, CompressionCodecs.ByName(codec.Name.ToUpperInvariant()));
            Assert.True(CompressionCodecs.IsAvailable(codec.Id));
            Assert.True(CompressionCodecs.IsAvailable(codec.Name.ToUpperInvariant()));
        }

        Assert.False(CompressionCodecs.IsAvailable(99));
        Assert.False(CompressionCodecs.IsAvailable("lzma"));
    }

    [Fact]
    public void An_unknown_name_or_id_is_answered_with_those_that_are_here()
    {
        Assert.Contains("'lzma'. Here: none, lz4, ", Assert.Throws<ArgumentException>(() => CompressionCodecs.ByName("lzma")).Message);
        Assert.Contains("the id 99. Here: none, lz4, ", Assert.Throws<CompressionUnavailableException>(() => CompressionCodecs.ById(99)).Message);
    }

    [Fact]
    public void Levels_are_for_codecs_that_have_them()
    {
        var data = Sample.Of("text", 50_000);
        Assert.True(Length(CompressionCodecs.ByName("brotli", 9), data) < Length(CompressionCodecs.ByName("brotli"), data));
        Assert.Contains("0 (fastest) to 11", Assert.Throws<ArgumentOutOfRangeException>(() => CompressionCodecs.ByName("brotli", 12)).Message);
        Assert.Contains("lz4 has no levels", Assert.Throws<ArgumentException>(() => CompressionCodecs.ByName("lz4", 3)).Message);
    }

    [Fact]
    public void A_missing_zstd_says_what_to_install_and_what_else_there_is()
    {
        Assert.Null(ZstdLibrary.Load(["no-such-library.so.1", "no-such-library-either"]));
        var missing = new ZstdCodec(library: null);
        foreach (var use in new Action[] { () => missing.MaxCompressedLength(1), () => missing.Compress([1], new byte[100]), () => missing.Decompress([1], new byte[100]) })
        {
            var message = Assert.Throws<CompressionUnavailableException>(use).Message;
            Assert.Contains("apt-get install libzstd1", message);
            Assert.Contains("none, lz4, ", message);
            Assert.Contains(ZstdLibrary.Names[0], message);
        }
    }

    private static int Length(ICompressionCodec codec, byte[] data) => codec.Compress(data, new byte[codec.MaxCompressedLength(data.Length)]);
}
