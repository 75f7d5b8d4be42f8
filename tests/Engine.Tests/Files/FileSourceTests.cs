using System.Text;
using Dataflow.Compression;

namespace Dataflow.Engine.Tests.Files;

public sealed class FileSourceTests : IDisposable
{
    private readonly Scratch _scratch = new();

    [Fact]
    public void Lines_come_in_order_from_any_number_of_partitions()
    {
        var expected = Enumerable.Range(0, 2000).Select(i => i % 97 == 0 ? "" : $"line {i} {new string('é', i % 5)}").ToArray();
        var path = _scratch.Write("text", string.Join("\r\n", expected));
        foreach (var partitions in new[] { 1, 2, 3, 7, 64, 1000 })
        {
            var rdd = _scratch.Context.TextFile(path, partitions);
            Assert.Equal(partitions, rdd.PartitionCount);
            Assert.Equal(expected, _scratch.Read(rdd));
        }
    }

    [Fact]
    public void A_tiny_text_in_as_many_partitions_as_bytes_is_read_once()
    {
        const string text = "\uFEFFa\r\nbé\n\n\rc";
        var path = _scratch.Write("text", text);
        for (var partitions = 1; partitions <= Encoding.UTF8.GetByteCount(text) + 2; partitions++)
            Assert.Equal(["a", "bé", "", "", "c"], _scratch.Read(_scratch.Context.TextFile(path, partitions)));
    }

    [Fact]
    public void A_chunk_has_a_thousand_lines_at_most_and_few_long_ones()
    {
        var path = _scratch.Write("text", string.Concat(Enumerable.Repeat("x\n", 5000)) + string.Concat(Enumerable.Repeat(new string('y', 400_000) + "\n", 10)));
        var rdd = _scratch.Context.TextFile(path, 1);
        using var task = _scratch.Task();
        using var reader = rdd.Read(rdd.Partitions[0], task);
        var lines = 0;
        while (reader.TryRead(out var chunk))
        {
            Assert.InRange(chunk.Length, 1, 1024);
            if (chunk[0].Length > 1) Assert.InRange(chunk.Length, 1, 3);
            lines += chunk.Length;
        }
        Assert.Equal(5010, lines);
        Assert.Equal(5010, task.Metrics.InputRecords);
        Assert.Equal(new FileInfo(path).Length, task.Metrics.InputBytes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_job_that_fails_on_a_line_says_which_lines_of_which_file_it_read_last(int partitions)
    {
        _scratch.Write("in/a", string.Concat(Enumerable.Range(0, 10).Select(i => $"{i}\n")));
        var path = _scratch.Write("in/b", string.Concat(Enumerable.Range(0, 3000).Select(i => i == 1500 ? "oops\n" : $"{i:D4}\n")));
        var lines = partitions == 1 ? _scratch.Context.TextFile(_scratch["in"], 1) : _scratch.Context.TextFile(path, 2);

        var narrow = Assert.Throws<JobFailedException>(() => lines.Map(static line => int.Parse(line)).Sum());
        var wide = Assert.Throws<JobFailedException>(() => lines.Map(static line => (int.Parse(line) % 7, 1)).ReduceByKey(static (a, b) => a + b).Count());

        // 3,000 lines of 5 bytes in two parts: the second begins in the middle of line 1,500, one of four digits.
        var read = partitions == 1 ? "lines 1,025 to 2,048" : "lines 1 to 1,024 after byte 7,500";
        Assert.Contains($"\n  input: last read were {read} of '{path}'\n  cause: FormatException", narrow.Message);
        Assert.Contains($"\n  input: last read were {read} of '{path}'\n  cause: FormatException", wide.Message);
    }

    [Fact]
    public void A_failure_after_the_last_line_blames_no_file()
    {
        var lines = _scratch.Context.TextFile(_scratch.Write("text", "1\n2\nx\n"), 1);
        var error = Assert.Throws<JobFailedException>(() => lines.MapPartitions(static all => all.ToArray().Select(static line => int.Parse(line))).Sum());
        Assert.DoesNotContain("input:", error.Message);
    }

    [Fact]
    public void A_damaged_file_is_named_once_and_no_frames_of_the_engine_are_shown()
    {
        var path = _scratch.Write("text.gz", [.. "not gzip at all"u8]);
        var error = Assert.Throws<JobFailedException>(() => _scratch.Context.TextFile(path).Count());
        var lines = error.Message.Split('\n');

        Assert.Single(lines, line => line.Contains(path));
        Assert.Single(lines, line => line.Contains("next:"));
        Assert.DoesNotContain(lines, line => line.Contains(".cs:") && !line.StartsWith("  where:"));
    }

    [Fact]
    public void Many_small_files_and_empty_ones_share_partitions()
    {
        for (var i = 0; i < 200; i++) _scratch.Write($"in/f{i:D3}", i % 3 == 0 ? "" : $"{i}");
        var rdd = _scratch.Context.TextFile(_scratch["in"], 9);

        Assert.Equal(9, rdd.PartitionCount);
        Assert.Equal(Enumerable.Range(0, 200).Where(i => i % 3 != 0).Select(i => $"{i}"), _scratch.Read(rdd));
    }

    [Theory]
    [InlineData(".gz")]
    [InlineData(".lz4")]
    [InlineData(".br")]
    [InlineData(".snappy")]
    public void Compressed_text_is_one_partition_and_reads_alike(string extension)
    {
        var text = "\uFEFFfirst\r\n" + string.Concat(Enumerable.Range(0, 100_000).Select(i => $"line {i}\n")) + "läst";
        var bytes = new MemoryStream();
        using (var compressed = CompressedStreams.OpenWrite(bytes, extension, leaveOpen: true)) compressed.Write(Encoding.UTF8.GetBytes(text));
        _scratch.Write("plain", text);
        var path = _scratch.Write("text" + extension, bytes.ToArray());

        var rdd = _scratch.Context.TextFile(path, 8);
        Assert.Equal(1, rdd.PartitionCount);
        Assert.Equal(File.ReadAllLines(_scratch["plain"]), _scratch.Read(rdd));
    }

    [Fact]
    public void A_compressed_file_cut_short_is_an_error()
    {
        var bytes = new MemoryStream();
        using (var compressed = CompressedStreams.OpenWrite(bytes, ".gz", leaveOpen: true)) compressed.Write(new byte[100_000]);
        var path = _scratch.Write("text.gz", bytes.ToArray()[..^6]);

        var error = Assert.Throws<CorruptDataException>(() => _scratch.Read(_scratch.Context.TextFile(path)));
        Assert.Contains(path, error.Message);
    }

    [Fact]
    public void Bytes_that_are_not_utf8_become_replacement_characters()
    {
        var path = _scratch.Write("text", [(byte)'a', 0xFF, (byte)'b', (byte)'\n', 0xE6, 0x97, (byte)'\n']);
        Assert.Equal(File.ReadAllLines(path), _scratch.Read(_scratch.Context.TextFile(path)));
    }

    [Fact]
    public void Files_are_looked_for_at_the_first_action_and_an_error_names_the_verb()
    {
        var rdd = _scratch.Context.TextFile(_scratch["later"]);
        Assert.Contains("TextFile at FileSourceTests.cs:", Assert.Throws<InputException>(() => rdd.Partitions).Message);

        var found = _scratch.Context.TextFile(_scratch["later"]);
        _scratch.Write("later", "here now");
        Assert.Equal(["here now"], _scratch.Read(found));
    }

    [Fact]
    public void A_file_deleted_between_plan_and_read_is_an_error()
    {
        var path = _scratch.Write("text", "a\nb");
        var rdd = _scratch.Context.TextFile(path, 2);
        var last = rdd.Partitions[1];
        File.Delete(path);
        Assert.Equal(path, Assert.Throws<InputException>(() => _scratch.Read(rdd, last)).Path);
    }

    [Fact]
    public void A_file_that_says_it_is_empty_and_is_not_is_an_error()
    {
        if (!File.Exists("/proc/self/status")) return;
        var error = Assert.Throws<InputException>(() => _scratch.Read(_scratch.Context.TextFile("/proc/self/status")));
        Assert.Contains("no ordinary file", error.Message, StringComparison.Ordinal);
        Assert.Empty(_scratch.Read(_scratch.Context.TextFile("/dev/null")));
    }

    [Fact]
    public void A_read_that_is_cancelled_stops_at_its_next_chunk()
    {
        var path = _scratch.Write("text", string.Concat(Enumerable.Repeat("x\n", 5000)));
        var rdd = _scratch.Context.TextFile(path, 1);
        using var task = _scratch.Task();
        using var reader = rdd.Read(rdd.Partitions[0], task);
        Assert.True(reader.TryRead(out _));
        task.Cancel();
        Assert.Throws<OperationCanceledException>(() => reader.TryRead(out _));
    }

    [Fact]
    public void Whole_files_come_with_their_paths_in_the_encoding_of_their_mark()
    {
        _scratch.Write("in/a.txt", "one\ntwo");
        _scratch.Write("in/b.txt", [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes("größer")]);
        _scratch.Write("in/c.txt", "");

        var files = _scratch.Read(_scratch.Context.WholeTextFiles(_scratch["in"], 2));
        Assert.Equal([(_scratch["in/a.txt"], "one\ntwo"), (_scratch["in/b.txt"], "größer"), (_scratch["in/c.txt"], "")], files);
    }

    [Fact]
    public void Binary_files_come_as_they_are()
    {
        _scratch.Write("in/a.gz", [1, 2, 3]);
        _scratch.Write("in/b", []);

        var files = _scratch.Read(_scratch.Context.BinaryFiles(_scratch["in"]));
        Assert.Equal([_scratch["in/a.gz"], _scratch["in/b"]], files.Select(file => file.Path));
        Assert.Equal([1, 2, 3], files[0].Bytes);
        Assert.Empty(files[1].Bytes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(16)]
    public void Fixed_records_come_in_order_from_any_number_of_partitions(int partitions)
    {
        var numbers = Enumerable.Range(0, 100_003).Select(i => (long)i * i).ToArray();
        var path = _scratch.Write("numbers", System.Runtime.InteropServices.MemoryMarshal.AsBytes<long>(numbers).ToArray());

        var rdd = _scratch.Context.FixedRecords<long>(path, partitions);
        Assert.Equal(partitions, rdd.PartitionCount);
        Assert.Equal(numbers, _scratch.Read(rdd));
        Assert.Equal(numbers.Select(number => number.ToString()),
            _scratch.Read(_scratch.Context.BinaryRecords(path, 8, partitions)).Select(record => BitConverter.ToInt64(record).ToString()));
    }

    [Fact]
    public void A_record_longer_than_the_buffer_comes_whole()
    {
        var bytes = new byte[3 * 400_000];
        new Random(5).NextBytes(bytes);
        var records = _scratch.Read(_scratch.Context.BinaryRecords(_scratch.Write("records", bytes), 400_000, 2));
        Assert.Equal(3, records.Count);
        Assert.Equal(bytes, records.SelectMany(record => record));
    }

    [Fact]
    public void A_file_that_is_no_multiple_of_a_record_is_an_error_before_any_task()
    {
        var path = _scratch.Write("records", new byte[25]);
        var error = Assert.Throws<InputException>(() => _scratch.Context.FixedRecords<long>(path).Partitions);
        Assert.Contains($"'{path}' has 25 bytes, which are 3 records of 8 bytes and 1 bytes more", error.Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => _scratch.Context.BinaryRecords(path, 0));
    }

    [Fact]
    public void An_empty_folder_has_no_partitions()
    {
        Directory.CreateDirectory(_scratch["empty"]);
        Assert.Equal(0, _scratch.Context.TextFile(_scratch["empty"]).PartitionCount);
    }

    public void Dispose() => _scratch.Dispose();
}
