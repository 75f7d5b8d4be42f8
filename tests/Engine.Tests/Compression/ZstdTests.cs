using Dataflow.Compression;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Compression;

public sealed class ZstdTests
{
    private const string Library = "libzstd.so.1", Package = "libzstd1";

    [FactRequiringNative(Library, Package)]
    public void A_frame_of_the_reference_tool_decodes_as_a_block()
    {
        var frame = Convert.FromHexString("28B52FFD241E6D00003868656C6C6F200A0100A94B111A4872AB");
        var raw = new byte[30];
        CompressionCodecs.Zstd.DecompressExactly(frame, raw);
        Assert.Equal("hello hello hello hello hello\n"u8, raw);
    }

    [FactRequiringNative(Library, Package)]
    public void Levels_trade_time_for_size_and_those_that_do_not_exist_are_refused()
    {
        var data = Sample.Of("mixed", 200_000);
        var lengths = new[] { -5, 1, 19 }.Select(level => Pack(CompressionCodecs.ByName("zstd", level), data).Length).ToArray();
        Assert.True(lengths[0] > lengths[1] && lengths[1] > lengths[2], string.Join(", ", lengths));
        Assert.Equal(lengths[1], Pack(CompressionCodecs.Zstd, data).Length);
        Assert.Contains("(smallest)", Assert.Throws<ArgumentOutOfRangeException>(() => CompressionCodecs.ByName("zstd", 99)).Message);
    }

    [FactRequiringNative(Library, Package)]
    public void The_librarys_own_words_are_in_the_error()
    {
        var block = Pack(CompressionCodecs.Zstd, Sample.Of("text", 1000));
        var error = Assert.Throws<CorruptDataException>(() => CompressionCodecs.Zstd.Decompress(block, new byte[999]));
        Assert.Contains("libzstd says 'Destination buffer is too small'", error.Message);
    }

    [FactRequiringNative(Library, Package)]
    public void A_frame_that_asks_for_a_window_of_gigabytes_is_refused()
    {
        // Magic, a descriptor without content size, a window of 2^41 bytes, and a raw block.
        byte[] frame = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xF8, 0x09, 0x00, 0x00, 0x41];
        Assert.Throws<CorruptDataException>(() => CompressedFile.Read(".zst", frame));
        Assert.Throws<CorruptDataException>(() => CompressedFile.Read(".zst", [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x98, 0x09, 0x00, 0x00, 0x41]));
    }

    [FactRequiringNative(Library, Package)]
    public void Many_streams_at_once_and_ones_given_up_half_way_do_not_disturb_each_other()
    {
        var data = Sample.Of("mixed", 400_000);
        Parallel.For(0, 24, new ParallelOptions { MaxDegreeOfParallelism = 6 }, seed =>
        {
            // Given up without an end: its context goes back to the pool with half a frame in it.
            var abandoned = CompressedStreams.OpenWrite(new MemoryStream(new byte[10]), "a.zst");
            Assert.Throws<NotSupportedException>(() => { abandoned.Write(data); abandoned.Flush(); });
            abandoned.Dispose();

            var file = CompressedFile.Write(".zst", data, piece: 10_000 + seed);
            Assert.True(CompressedFile.Read(".zst", file).AsSpan().SequenceEqual(data), $"seed {seed}");
            Assert.Equal(Pack(CompressionCodecs.Zstd, data[..1000]), Pack(CompressionCodecs.Zstd, data[..1000]));
        });
    }

    [FactRequiringTool("zstd")]
    public void The_zstd_tool_and_ours_read_each_other()
    {
        foreach (var kind in Sample.Kinds)
        {
            foreach (var length in new[] { 0, 1, 300_000 })
            {
                var data = Sample.Of(kind, length);
                Assert.True(CommandLineTool.Run("zstd", "-d -q -c", CompressedFile.Write(".zst", data)).AsSpan().SequenceEqual(data), $"{length} bytes of {kind} by us");
                Assert.True(CompressedFile.Read(".zst", CommandLineTool.Run("zstd", "-q -c", data)).AsSpan().SequenceEqual(data), $"{length} bytes of {kind} by zstd");
            }
        }

        var text = Sample.Of("text", 50_000);
        Assert.True(CommandLineTool.Run("zstd", "-d -q -c", Pack(CompressionCodecs.Zstd, text)).AsSpan().SequenceEqual(text));
    }

    private static byte[] Pack(ICompressionCodec codec, byte[] data)
    {
        var block = new byte[codec.MaxCompressedLength(data.Length)];
        return block[..codec.Compress(data, block)];
    }
}
