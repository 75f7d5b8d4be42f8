using System.Globalization;
using System.Text;
using Dataflow.Files;
using Dataflow.Formats;
using Dataflow.Serialization;

namespace Dataflow.Engine.Tests.Files;

public sealed class FileFormatTests : IDisposable
{
    private readonly Scratch _scratch = new();

    [Fact]
    public void Text_is_one_line_for_each_element()
    {
        string?[] lines = ["plain", "", null, "grün 日本 🙂", new string('é', 100_000), "\ud800", "end"];
        var bytes = Bytes(new TextFormat<string?>(null), lines);
        Assert.Equal(string.Concat(lines.Select(line => (line == "\ud800" ? "\uFFFD" : line) + "\n")), Encoding.UTF8.GetString(bytes));
    }

    [Fact]
    public void Text_of_every_length_around_the_buffer_comes_whole()
    {
        foreach (var length in Enumerable.Range(32 * 1024 - 6, 12))
        {
            var text = new string('x', length);
            Assert.Equal($"a\n{text}\n{text}é\n", Encoding.UTF8.GetString(Bytes(new TextFormat<string>(null), "a", text, text + "é")));
        }
    }

    [Fact]
    public void Numbers_that_fill_the_buffer_to_its_last_byte_come_whole()
    {
        for (var first = 1L; first < 1_000_000_000_000_000; first *= 10)
        {
            // Lines of nine bytes after one of 2 to 16: some end exactly where a buffer of any length does.
            long[] numbers = [first, .. Enumerable.Repeat(12_345_678L, 8000)];
            var expected = string.Concat(numbers.Select(number => $"{number}\n"));
            Assert.Equal(expected, Encoding.UTF8.GetString(Bytes(new TextFormat<long>(null), numbers)));
        }
    }

    [Fact]
    public void Text_does_not_depend_on_the_culture_of_the_machine()
    {
        var before = CultureInfo.CurrentCulture;
        var german = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        german.NumberFormat.NumberDecimalSeparator = ",";
        CultureInfo.CurrentCulture = german;
        try
        {
            Assert.Equal("1.5\n-0.25\n", Encoding.UTF8.GetString(Bytes(new TextFormat<double>(null), 1.5, -0.25)));
            Assert.Equal("(a, 1.5)\n", Encoding.UTF8.GetString(Bytes(new TextFormat<(string, double)>(null), ("a", 1.5))));
            Assert.Equal("Point { X = 1.5 }\n", Encoding.UTF8.GetString(Bytes(new TextFormat<Point>(null), new Point(1.5))));
            Assert.Equal("01/02/2024\n", Encoding.UTF8.GetString(Bytes(new TextFormat<DateOnly>(null), new DateOnly(2024, 1, 2))));
            Assert.Same(german, CultureInfo.CurrentCulture);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Theory]
    [InlineData("gzip", ".gz")]
    [InlineData("LZ4", ".lz4")]
    [InlineData("brotli", ".br")]
    [InlineData("snappy", ".snappy")]
    public void Compressed_text_reads_back(string codec, string extension)
    {
        var format = new TextFormat<int>(codec);
        Assert.Equal(extension, format.Extension);
        var path = _scratch.Write("x" + extension, Bytes(format, [.. Enumerable.Range(0, 100_000)]));
        Assert.Equal(Enumerable.Range(0, 100_000).Select(i => $"{i}"), _scratch.Read(_scratch.Context.TextFile(path)));
        Assert.True(new FileInfo(path).Length < 450_000);
    }

    [Fact]
    public void An_unknown_compression_is_an_error_that_lists_the_known_ones() =>
        Assert.Contains("'zip'. Known: gzip, lz4, zstd, brotli, snappy", Assert.Throws<ArgumentException>(() => new TextFormat<int>("zip")).Message);

    [Fact]
    public void Objects_read_back_also_from_files_put_end_to_end()
    {
        var items = Enumerable.Range(0, 60_000).Select(i => (Name: $"name {i}", Value: (double)i)).ToArray();
        var bytes = Bytes(new ObjectFormat<(string, double)>(), items);
        _scratch.Write("in/a", bytes);
        _scratch.Write("in/b", [.. bytes, .. Bytes(new ObjectFormat<(string, double)>()), .. bytes]);

        var read = _scratch.Read(_scratch.Context.ObjectFile<(string, double)>(_scratch["in"]));
        Assert.True(read.SequenceEqual([.. items, .. items, .. items]));
    }

    [Fact]
    public void Objects_without_a_codec_of_their_own_read_back_in_place()
    {
        var path = _scratch.Write("x", Bytes(new ObjectFormat<long>(), [.. Enumerable.Range(0, 100_000).Select(i => (long)i)]));
        Assert.Equal(Enumerable.Range(0, 100_000).Select(i => (long)i), _scratch.Read(_scratch.Context.ObjectFile<long>(path)));
    }

    [Fact]
    public void Objects_read_as_another_type_are_an_error_that_names_both()
    {
        var path = _scratch.Write("x", Bytes(new ObjectFormat<(string, double)>(), ("a", 1)));
        var error = Assert.Throws<CodecException>(() => _scratch.Read(_scratch.Context.ObjectFile<(string, int)>(path)));
        Assert.Contains(path, error.Message);
        Assert.Contains(Codec<(string, double)>.Default.Schema, error.Message);
        Assert.Contains(Codec<(string, int)>.Default.Schema, error.Message);
    }

    [Fact]
    public void Objects_cut_short_anywhere_are_an_error_that_names_the_file()
    {
        var whole = Bytes(new ObjectFormat<string>(), [.. Enumerable.Range(0, 50).Select(i => $"text {i}")]);
        for (var length = 0; length < whole.Length; length++)
        {
            // A header without blocks is what an empty partition leaves.
            if (length == whole.Length - BlockLength(whole)) continue;
            var path = _scratch.Write("x", whole[..length]);
            Assert.Contains(path, Assert.Throws<CorruptDataException>(() => _scratch.Read(_scratch.Context.ObjectFile<string>(path))).Message);
        }
    }

    [Fact]
    public void Objects_changed_anywhere_are_an_error()
    {
        var whole = Bytes(new ObjectFormat<string>(), [.. Enumerable.Range(0, 20).Select(i => $"text {i}")]);
        for (var at = 0; at < whole.Length; at++)
        {
            var changed = whole.ToArray();
            changed[at] ^= 0x40;
            var path = _scratch.Write("x", changed);

            // The three bytes behind the version are not read; they are under the checksum all the same.
            Assert.ThrowsAny<Exception>(() => _scratch.Read(_scratch.Context.ObjectFile<string>(path)));
        }
    }

    [Fact]
    public void A_file_of_another_kind_is_no_object_file()
    {
        var path = _scratch.Write("x", "some text that is long enough for a header");
        Assert.Contains("SaveAsObjects", Assert.Throws<CorruptDataException>(() => _scratch.Read(_scratch.Context.ObjectFile<int>(path))).Message);
    }

    [Fact]
    public void Records_are_written_as_they_lie_in_memory()
    {
        Assert.Equal([1, 0, 2, 0], Bytes<short>(new RecordFormat<short>(), 1, 2));
        Assert.Equal([1, 2, 3], Bytes<byte[]>(new BytesFormat(0), [1], [2, 3]));
        Assert.Contains("2 bytes was to be saved among records of 1", Assert.ThrowsAny<InvalidOperationException>(() => Bytes<byte[]>(new BytesFormat(1), [1], [2, 3])).Message);
    }

    public void Dispose() => _scratch.Dispose();

    private sealed record Point(double X);

    private static byte[] Bytes<T>(IFileFormat<T> format, params T[] items)
    {
        var stream = new MemoryStream();
        using (var writer = format.Open(stream))
        {
            for (var at = 0; at < items.Length; at += 1000) writer.Write(items.AsSpan(at, Math.Min(1000, items.Length - at)));
            writer.Complete();
        }
        return stream.ToArray();
    }

    private static int BlockLength(byte[] file)
    {
        var schema = BitConverter.ToInt32(file, 16);
        return EncodedBlock.ReadHeader(file.AsSpan(ObjectFileHeader.FixedLength + schema)).Length;
    }
}
