using System.Text;
using Dataflow.Files;
using Dataflow.Formats;

namespace Dataflow.Engine.Tests.Files;

public sealed class LineReaderTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public static TheoryData<string> TrickyTexts() =>
    [
        "", "\n", "\r", "\r\n", "a", "a\n", "a\r", "a\r\n", "\na", "\ra", "\r\na", "\n\n", "\r\r", "\r\n\r\n", "\n\r", "\n\r\n", "\r\r\n", "\r\n\r",
        "one\ntwo\nthree", "one\r\ntwo\r\nthree\r\n", "one\rtwo\rthree\r", "a\nb\rc\r\nd\n\re\r\r\n\nf",
        "\uFEFF", "\uFEFFa", "\uFEFF\n", "\uFEFF\r\n\r\n", "\uFEFFfirst\nsecond\r\n", "a\n\uFEFFb\n",
        "grün\r\nüber\n日本語\r🙂\r\n\né", "🙂\r\n🙃", "\uFEFF🙂\r🙃\n",
        "a line longer than the smallest buffers, with sixty-four bytes and then some more\r\nshort\nanother line longer than the smallest buffers\r",
    ];

    [Theory]
    [MemberData(nameof(TrickyTexts))]
    public void Every_two_way_cut_gives_each_line_once(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var path = _scratch.Write("text", bytes);
        var expected = File.ReadAllLines(path);
        foreach (var bufferBytes in new[] { 16, 64, 4096 })
        {
            for (var cut = 0; cut <= bytes.Length; cut++)
            {
                var lines = Lines(path, bytes.Length, 0, cut, bufferBytes);
                lines.AddRange(Lines(path, bytes.Length, cut, bytes.Length - cut, bufferBytes));
                Assert.Equal(expected, lines);
            }
        }
    }

    [Theory]
    [MemberData(nameof(TrickyTexts))]
    public void Every_three_way_cut_gives_each_line_once(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length > 40) return;
        var path = _scratch.Write("text", bytes);
        var expected = File.ReadAllLines(path);
        for (var first = 0; first <= bytes.Length; first++)
        {
            for (var second = first; second <= bytes.Length; second++)
            {
                var lines = Lines(path, bytes.Length, 0, first, 16);
                lines.AddRange(Lines(path, bytes.Length, first, second - first, 16));
                lines.AddRange(Lines(path, bytes.Length, second, bytes.Length - second, 16));
                Assert.Equal(expected, lines);
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_texts_cut_into_bytes_give_each_line_once(int seed)
    {
        var random = new Random(seed);
        string[] pieces = ["\n", "\r", "\r\n", "a", "bc", "é", "日", "🙂", "word ", "\0"];
        for (var round = 0; round < 60; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(60)).Select(_ => pieces[random.Next(pieces.Length)]));
            var bytes = Encoding.UTF8.GetBytes(random.Next(3) == 0 ? "\uFEFF" + text : text);
            var path = _scratch.Write("text", bytes);
            var lines = new List<string>();
            var step = random.Next(1, 4);
            for (var at = 0; at < bytes.Length; at += step) lines.AddRange(Lines(path, bytes.Length, at, Math.Min(step, bytes.Length - at), 16));
            Assert.True(File.ReadAllLines(path).SequenceEqual(lines), $"seed {seed}, round {round}, cut into {step}: {string.Join("|", lines)}");
        }
    }

    [Fact]
    public void A_large_text_with_mixed_endings_is_read_as_by_the_platform()
    {
        const int seed = 7;
        var random = new Random(seed);
        string[] endings = ["\n", "\n", "\n", "\r\n", "\r"];
        var text = new StringBuilder();
        while (text.Length < 1_500_000)
        {
            for (var words = random.Next(20); words > 0; words--) text.Append(random.Next(400) == 0 ? "größer 日本 " : "plain ascii ");
            text.Append(endings[random.Next(endings.Length)]);
        }
        var path = _scratch.Write("text", text.ToString());
        var length = new FileInfo(path).Length;
        var expected = File.ReadAllLines(path);

        Assert.True(expected.SequenceEqual(Lines(path, length, 0, length, 64 * 1024)), $"seed {seed}");
        for (var parts = 2; parts <= 5; parts++)
        {
            var lines = new List<string>();
            for (var i = 0; i < parts; i++) lines.AddRange(Lines(path, length, length * i / parts, length * (i + 1) / parts - length * i / parts, 64 * 1024));
            Assert.True(expected.SequenceEqual(lines), $"seed {seed}, {parts} parts");
        }
    }

    [Fact]
    public void A_line_longer_than_all_buffers_comes_whole()
    {
        var longest = new string('x', 3_000_000);
        var path = _scratch.Write("text", $"a\n{longest}\r\nb");
        var length = new FileInfo(path).Length;

        Assert.Equal(["a", longest, "b"], Lines(path, length, 0, length, 64 * 1024));
        Assert.Equal(["b"], Lines(path, length, 1_000_000, length - 1_000_000, 64 * 1024));
        Assert.Equal(["a", longest], Lines(path, length, 0, 1_000_000, 64 * 1024));
    }

    [Fact]
    public void A_line_is_called_ascii_only_if_it_is()
    {
        var path = _scratch.Write("text", string.Concat(Enumerable.Range(0, 5000).Select(i => i % 701 == 0 ? "grün\n" : "green\n")));
        var length = new FileInfo(path).Length;
        using var reader = new LineReader(new FileSlice(path, 0, length, length), 16);
        var plain = 0;
        while (reader.TryRead(out var line, out var ascii))
        {
            if (!ascii) continue;
            plain++;
            Assert.Equal("green", Encoding.UTF8.GetString(line));
        }
        Assert.True(plain > 1000, $"{plain} lines were found to be ASCII");
    }

    [Theory]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    [InlineData("utf-32")]
    [InlineData("utf-32BE")]
    public void Another_encoding_is_an_error_that_names_it(string name)
    {
        var encoding = Encoding.GetEncoding(name);
        var path = _scratch.Write("text", [.. encoding.GetPreamble(), .. encoding.GetBytes("a\nb\n")]);
        var length = new FileInfo(path).Length;

        var error = Assert.Throws<InputException>(() => Lines(path, length, 0, length, 4096));
        Assert.Contains("UTF-16", error.Message);
        Assert.Contains(path, error.Message);
    }

    [Fact]
    public void A_file_that_grew_shrank_or_went_since_the_plan_is_an_error()
    {
        var path = _scratch.Write("text", "a\nb\n");

        Assert.Contains("had 3 bytes when the job was planned, and has 4 now", Assert.Throws<InputException>(() => Lines(path, 3, 0, 3, 64)).Message);
        Assert.Contains("had 5 bytes", Assert.Throws<InputException>(() => Lines(path, 5, 0, 5, 64)).Message);
        Assert.Contains("had 0 bytes", Assert.Throws<InputException>(() => Lines(path, 0, 0, 0, 64)).Message);
        File.Delete(path);
        var gone = Assert.Throws<InputException>(() => Lines(path, 4, 0, 4, 64));
        Assert.Contains("is not there", gone.Message);
        Assert.Contains("shared storage", gone.Message);
        Assert.Equal(path, gone.Path);
    }

    [Fact]
    public void A_file_cut_short_while_it_is_read_is_an_error()
    {
        var path = _scratch.Write("text", string.Concat(Enumerable.Repeat("0123456789\n", 1000)));
        using var reader = new LineReader(new FileSlice(path, 0, 11_000, 11_000), 1024);
        Assert.True(reader.TryRead(out _));
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) file.SetLength(5000);

        Assert.Throws<InputException>(() =>
        {
            while (reader.TryRead(out _)) { }
        });
    }

    public void Dispose() => _scratch.Dispose();

    private static List<string> Lines(string path, long fileLength, long offset, long length, int bufferBytes)
    {
        using var reader = new LineReader(new FileSlice(path, offset, length, fileLength), bufferBytes);
        var lines = new List<string>();
        while (reader.TryRead(out var line)) lines.Add(Encoding.UTF8.GetString(line));
        Assert.False(reader.TryRead(out _));
        return lines;
    }
}
