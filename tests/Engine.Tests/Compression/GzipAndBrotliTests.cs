using System.IO.Compression;
using Dataflow.Compression;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Compression;

public sealed class GzipAndBrotliTests
{
    [Fact]
    public void A_member_of_the_reference_tool_decodes_as_a_block()
    {
        var member = Convert.FromHexString("1F8B0800000000000003CB48CDC9C957C8C04E720100680231661E000000");
        var raw = new byte[30];
        CompressionCodecs.Gzip.DecompressExactly(member, raw);
        Assert.Equal("hello hello hello hello hello\n"u8, raw);
    }

    // What .NET's own stream reads without a word.
    [Fact]
    public void A_member_cut_inside_bytes_that_it_stores_raw_is_found_out_at_every_place()
    {
        var data = Sample.Of("random", 400);
        var file = new MemoryStream();
        using (var gzip = new GZipStream(file, CompressionLevel.NoCompression, leaveOpen: true))
        {
            gzip.Write(data.AsSpan(0, 200));
            gzip.Flush();
            gzip.Write(data.AsSpan(200));
        }

        var whole = file.ToArray();
        Assert.True(CompressedFile.Read(".gz", whole).AsSpan().SequenceEqual(data));
        for (var length = 1; length < whole.Length; length++)
            Assert.Throws<CorruptDataException>(() => CompressedFile.Read(".gz", whole[..length]));
        for (var length = 1; length < whole.Length; length++)
            Assert.Throws<CorruptDataException>(() => CompressedFile.Read(".gz", [.. whole, .. whole.AsSpan(0, length)]));
    }

    [Fact]
    public void Several_members_in_a_row_are_one_block()
    {
        var first = CompressedFile.Write(".gz", Sample.Of("text", 1000));
        var second = CompressedFile.Write(".gz", Sample.Of("random", 500));
        var raw = new byte[1500];
        CompressionCodecs.Gzip.DecompressExactly([.. first, .. CompressedFile.Write(".gz", []), .. second], raw);
        Assert.True(raw.AsSpan().SequenceEqual([.. Sample.Of("text", 1000), .. Sample.Of("random", 500)]));
    }

    [Fact]
    public void Our_gzip_files_are_read_by_the_platforms_own_stream()
    {
        var data = Sample.Of("mixed", 300_000);
        using var stream = new GZipStream(new MemoryStream(CompressedFile.Write(".gz", data)), CompressionMode.Decompress);
        var back = new MemoryStream();
        stream.CopyTo(back);
        Assert.True(back.ToArray().AsSpan().SequenceEqual(data));
    }

    [FactRequiringTool("gzip")]
    public void The_gzip_tool_and_ours_read_each_other()
    {
        foreach (var kind in Sample.Kinds)
        {
            foreach (var length in new[] { 0, 1, 300_000 })
            {
                var data = Sample.Of(kind, length);
                Assert.True(CommandLineTool.Run("gzip", "-d -c", CompressedFile.Write(".gz", data)).AsSpan().SequenceEqual(data), $"{length} bytes of {kind} by us");
                Assert.True(CompressedFile.Read(".gz", CommandLineTool.Run("gzip", "-c", data)).AsSpan().SequenceEqual(data), $"{length} bytes of {kind} by gzip");
            }
        }
    }

    [Fact]
    public void The_platforms_own_Brotli_stream_and_ours_read_each_other()
    {
        foreach (var kind in Sample.Kinds)
        {
            var data = Sample.Of(kind, 300_000);
            var back = new MemoryStream();
            using (var stream = new BrotliStream(new MemoryStream(CompressedFile.Write(".br", data)), CompressionMode.Decompress))
                stream.CopyTo(back);
            Assert.True(back.ToArray().AsSpan().SequenceEqual(data), kind);

            var file = new MemoryStream();
            using (var stream = new BrotliStream(file, CompressionLevel.Optimal, leaveOpen: true))
                stream.Write(data);
            Assert.True(CompressedFile.Read(".br", file.ToArray()).AsSpan().SequenceEqual(data), kind);
        }
    }

    [Fact]
    public void Bytes_after_the_end_of_a_Brotli_block_or_file_are_an_error()
    {
        var file = CompressedFile.Write(".br", Sample.Of("text", 100));
        Assert.Contains("follow the end", Assert.Throws<CorruptDataException>(() => CompressionCodecs.Brotli.Decompress([.. file, 0], new byte[200])).Problem);
        Assert.Contains("follow the end", Assert.Throws<CorruptDataException>(() => CompressedFile.Read(".br", [.. file, 0])).Problem);
    }
}
